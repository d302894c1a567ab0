"""The best steps of gradient descent on average over prompts, computed exactly.

The n examples have x ~ N(0, Sigma), the hidden map w has covariance T and a symmetric law,
and there is no noise. C = X'X / n. A step from w = 0, preconditioned by A, predicts
x_query' A C w.

Source: ahn2023, theorem 1, for the best single step with T = I.

Errors: ValueError where a covariance is no covariance, where Sigma has no inverse, where
sizes do not fit, and where there are no examples.
"""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.tasks.linear_regression import root


# --8<-- [start:one]
def mean_CTC(
    Sigma: Float[Tensor, "d1 d2"], T: Float[Tensor, "d3 d4"], n: int
) -> Float[Tensor, "d1 d1"]:
    """G = E[C T C], for n examples x ~ N(0, Sigma)."""
    check(Sigma, T, n)
    # --8<-- [start:G]
    return (n + 1) / n * Sigma @ T @ Sigma + torch.trace(Sigma @ T) / n * Sigma
    # --8<-- [end:G]


def population_loss(
    A: Float[Tensor, "d1 d2"],
    Sigma: Float[Tensor, "d3 d4"],
    T: Float[Tensor, "d5 d6"],
    n: int,
) -> Float[Tensor, ""]:
    """E (x' A C w - x' w)^2: what one step with A costs on average over all prompts."""
    G = mean_CTC(Sigma, T, n)
    if A.shape != Sigma.shape:
        raise ValueError(
            f"A is {tuple(A.shape)}, Sigma is {tuple(Sigma.shape)}: give one size"
        )
    at_zero = torch.trace(Sigma @ T)
    return (
        at_zero
        - 2 * torch.trace(T @ Sigma @ A @ Sigma)
        + torch.trace(A.mT @ Sigma @ A @ G)
    )


def best_preconditioner(
    Sigma: Float[Tensor, "d1 d2"], T: Float[Tensor, "d3 d4"], n: int
) -> Float[Tensor, "d1 d1"]:
    """The A with the least population loss, T Sigma G^-1."""
    # --8<-- [start:A]
    return torch.linalg.solve(mean_CTC(Sigma, T, n), T @ Sigma, left=False)
    # --8<-- [end:A]


def best_scalar(
    Sigma: Float[Tensor, "d1 d2"], T: Float[Tensor, "d3 d4"], n: int
) -> Float[Tensor, ""]:
    """The step size of plain gradient descent, A = eta I, with the least loss."""
    return torch.trace(T @ Sigma @ Sigma) / torch.trace(Sigma @ mean_CTC(Sigma, T, n))


# --8<-- [end:one]


def check(Sigma: Tensor, T: Tensor, n: int) -> None:
    """Raise ValueError, in words, where these are no covariances of x and w."""
    if n < 1:
        raise ValueError(f"n = {n} examples: a step needs at least 1")
    for covariance in (Sigma, T):
        root(covariance)  # square, symmetric, no negative eigenvalue, or it raises
    if Sigma.shape != T.shape:
        raise ValueError(
            f"x has d = {Sigma.shape[0]} and w has d = {T.shape[0]}: give both the same d"
        )
    lam = torch.linalg.eigvalsh(Sigma)
    if lam[0] <= 1e-9 * lam[-1]:
        raise ValueError(
            "the covariance of x has no inverse: leave out directions in which x does "
            "not vary"
        )


# --8<-- [start:moments]
def trace_moments(n: int, d: int, top: int) -> np.ndarray:
    """E tr(C^k) for k = 0 ... top, where C = X'X / n and X is n by d, standard normal.

    With W = X'X, integration by parts takes one X out of tr(W^k) = sum over i and a of
    X_ia (X W^(k-1))_ia and leaves products of traces of lower degree.
    """
    if n < 1 or d < 1:
        raise ValueError(f"n = {n} and d = {d}: both are at least 1")

    @cache
    def mean(powers: tuple[int, ...]) -> int:
        """E of the product of tr(W^k) over the given k, which are sorted."""
        if not powers:
            return 1
        *rest, k = powers
        if k == 0:
            return d * mean(tuple(rest))
        total = (n + k - 1) * product(*rest, k - 1)
        for j in range(k - 1):
            total += product(*rest, j + 1, k - 2 - j)
        for i, other in enumerate(rest):  # the X met inside another trace
            total += 2 * other * product(*rest[:i], *rest[i + 1 :], other + k - 1)
        return total

    def product(*powers: int) -> int:
        return mean(tuple(sorted(powers)))

    return np.array([product(k) / n**k for k in range(top + 1)])


# --8<-- [end:moments]


# --8<-- [start:many]
def best_step_sizes(n: int, d: int, n_steps: int) -> tuple[np.ndarray, float]:
    """Step sizes a_1 <= a_2 ... for x ~ N(0, I), w ~ N(0, I) that leave the least loss,
    and that loss: the least of E tr(p(C)^2) over polynomials p of that degree with
    p(0) = 1. Its roots are 1 / a_l.
    """
    if n_steps < 1:
        raise ValueError(f"{n_steps} steps: there must be at least 1")
    m = trace_moments(n, d, 2 * n_steps)
    k = np.arange(1, n_steps + 1)
    # p = 1 + c_1 mu + ... ; E tr(p(C)^2) is quadratic in c
    c = np.linalg.solve(m[k[:, None] + k], -m[k])
    roots = np.roots([*c[::-1], 1.0])
    return np.sort(1 / roots.real), float(m[0] + c @ m[k])


# --8<-- [end:many]

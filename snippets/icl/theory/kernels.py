"""Kernels between points, and what a Gaussian process with such a kernel says.

A kernel K(u, v) is a product of features. As the covariance of a function's values it
gives a Gaussian process; as the score of attention, a step of descent on a function.

Source: cheng2024, section 3, for the use; cho2009, section 2, for `arccos`.

Errors: ValueError for an unknown kernel, points of different dimension, no points, and a
matrix with a negative eigenvalue.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Points = Float[Tensor, "*batch n d"]
OtherPoints = Float[Tensor, "*batch m d_too"]
Table = Float[Tensor, "*batch n m"]  # a value for each pair

LENGTH = 0.7  # of `rbf`: how far apart values begin to forget each other
NEAR_ONE = 1 - 1e-6  # cosines are kept below, where the angle has no slope


# --8<-- [start:kernels]
def linear(u: Points, v: OtherPoints) -> Table:
    return products(u, v)


def arccos(u: Points, v: OtherPoints) -> Table:
    """Twice the mean of relu(<a, u>) relu(<a, v>) over a ~ N(0, I)."""
    inner = products(u, v)
    lengths = u.norm(dim=-1)[..., :, None] * v.norm(dim=-1)[..., None, :]
    cosine = (inner / lengths.clamp(min=1e-12)).clamp(-NEAR_ONE, NEAR_ONE)
    sine = (1 - cosine.square()).sqrt()
    return lengths * (sine + (math.pi - cosine.acos()) * cosine) / math.pi


def exp(u: Points, v: OtherPoints) -> Table:
    return products(u, v).exp()


def rbf(u: Points, v: OtherPoints) -> Table:
    """exp(-|u - v|^2 / 2 LENGTH^2): near points have nearly the same value."""
    far = half_square(u)[..., :, None] + half_square(v)[..., None, :]
    return ((products(u, v) - far) / LENGTH**2).exp()


# --8<-- [end:kernels]


def products(u: Points, v: OtherPoints) -> Table:
    """<u, v>. Raises ValueError where the points have different numbers of entries."""
    if u.shape[-1] != v.shape[-1]:
        raise ValueError(
            f"points have {u.shape[-1]} entries and {v.shape[-1]}: give both the same"
        )
    return u @ v.mT


def half_square(u: Points) -> Float[Tensor, "*batch n"]:
    return u.square().sum(-1) / 2


KERNELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "linear": linear,
    "arccos": arccos,
    "exp": exp,
    "rbf": rbf,
}


def named(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The kernel of that name. Raises ValueError where there is none."""
    if name not in KERNELS:
        raise ValueError(f"kernel '{name}' is none of {', '.join(KERNELS)}")
    return KERNELS[name]


# --8<-- [start:root]
def root(K: Float[Tensor, "*batch n n"]) -> Float[Tensor, "*batch n n"]:
    """R with R R' = K: it turns white noise into values with covariance K. Raises
    ValueError, with its least eigenvalue, for a matrix that is no covariance."""
    values, vectors = torch.linalg.eigh(K)
    least, most = values.min().item(), values.max().item()
    if least < -1e-5 * max(most, 1.0):
        raise ValueError(
            f"the matrix has an eigenvalue of {least:.3g}: no function has that "
            "covariance; use a positive semidefinite kernel such as arccos or exp"
        )
    return vectors * values.clamp(min=0).sqrt()[..., None, :]


# --8<-- [end:root]


# --8<-- [start:bayes]
def bayes(
    K: Float[Tensor, "*batch m m"],
    y: Float[Tensor, "*batch n"],
    *,
    jitter: float = 1e-6,
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """Mean and variance of the last value, given the n = m - 1 before it: no other
    predictor has a smaller mean squared error. `jitter` is for rounding alone."""
    check_values(K, y)
    n = y.shape[-1]
    eye = torch.eye(n, dtype=K.dtype)
    # --8<-- [start:condition]
    k = K[..., :n, n]  # how the query goes with each example
    solved = torch.linalg.solve(K[..., :n, :n] + jitter * eye, k)
    mean = (solved * y).sum(-1)
    variance = K[..., n, n] - (solved * k).sum(-1)
    # --8<-- [end:condition]
    return mean, variance.clamp(min=0)


# --8<-- [end:bayes]


def check_values(K: Tensor, y: Tensor) -> None:
    """Raise ValueError, in words, where there is nothing to predict from."""
    if y.shape[-1] == 0:
        raise ValueError("n = 0 examples: a posterior needs at least 1")
    if K.shape[-1] != y.shape[-1] + 1:
        raise ValueError(
            f"K is {K.shape[-2]} by {K.shape[-1]} for {y.shape[-1]} values: it needs a "
            "row for each, and the query's last"
        )

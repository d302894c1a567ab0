"""Gradient descent on a function, for the loss on a prompt's n examples.

With R(f) = (1/2n) sum (f(x_i) - y_i)^2 the gradient of R in the space of a kernel K is
(1/n) sum (f(x_i) - y_i) K(x_i, .), and a step of size r from f is

    f + (r/n) sum_i (y_i - f(x_i)) K(x_i, .) .

Source: cheng2024, proposition 3.1, in which attention takes this step.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Gram = Float[Tensor, "batch m m"]  # K of all points with all; the query's stand last
Shown = Float[Tensor, "batch n"]  # n = m - 1


# --8<-- [start:descend]
def descend(K: Gram, y: Shown, sizes: Sequence[float]) -> Float[Tensor, "step batch m"]:
    """f at all points, the query last, before the first step and after each."""
    check_gram(K, y)
    n = y.shape[-1]
    # --8<-- [start:step]
    f = torch.zeros_like(K[..., 0])  # f = 0 everywhere
    path = [f]
    for r in sizes:
        residuals = y - f[..., :n]
        f = f + (r / n) * (K[..., :n] @ residuals[..., None])[..., 0]
        path.append(f)
    # --8<-- [end:step]
    return torch.stack(path)


# --8<-- [end:descend]


# --8<-- [start:closed]
def closed_form(K: Gram, y: Shown, sizes: Sequence[float]) -> Float[Tensor, "batch"]:
    """The same f at the query, in one go: k' G^-1 (1 - prod_l (1 - r_l G / n)) y, with
    G of the examples, on its eigenvectors."""
    check_gram(K, y)
    n = y.shape[-1]
    mu, U = torch.linalg.eigh(K[..., :n, :n] / n)
    left = torch.ones_like(mu)
    gained = torch.zeros_like(mu)  # (1 - left) / mu, without dividing by a small mu
    for r in sizes:
        gained = gained + r * left
        left = left * (1 - r * mu)
    k = K[..., n, :n] / n
    seen = (U.mT @ y[..., None])[..., 0] * gained
    return (k * (U @ seen[..., None])[..., 0]).sum(-1)


# --8<-- [end:closed]


# --8<-- [start:bound]
def plain_bound(K: Gram, y: Shown, answer: Float[Tensor, "batch"], steps: int) -> float:
    """No descent of that many steps, of whatever sizes, has a smaller mean squared error
    on these prompts: what it predicts is a combination of k'(G/n)^j y, j < steps."""
    check_gram(K, y)
    if steps < 1:
        raise ValueError(f"{steps} steps: descent takes at least 1")
    n = y.shape[-1]
    k, G = K[..., n, :n] / n, K[..., :n, :n] / n
    powers, v = [], y
    for _ in range(steps):
        powers.append((k * v).sum(-1))
        v = (G @ v[..., None])[..., 0]
    features = torch.stack(powers, -1)  # (batch, steps)
    best = torch.linalg.lstsq(features, answer[:, None]).solution
    return (features @ best)[:, 0].sub(answer).square().mean().item()


# --8<-- [end:bound]


def safe_size(K: Gram, y: Shown) -> Float[Tensor, "batch"]:
    """1 over the largest eigenvalue of G / n: with it each step shrinks what is left."""
    check_gram(K, y)
    n = y.shape[-1]
    return 1 / torch.linalg.eigvalsh(K[..., :n, :n] / n)[..., -1]


def check_gram(K: Tensor, y: Tensor) -> None:
    """Raise ValueError, in words, where there is nothing to descend on."""
    if y.shape[-1] == 0:
        raise ValueError("n = 0 examples: descent needs at least 1")
    if K.shape[-1] != y.shape[-1] + 1:
        raise ValueError(
            f"K is {K.shape[-2]} by {K.shape[-1]} for {y.shape[-1]} values: it needs a "
            "row for each, and the query's last"
        )

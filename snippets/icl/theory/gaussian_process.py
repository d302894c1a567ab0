"""A Gaussian process in one dimension: functions drawn from it, and what points say of it.

Any finite set of its values is jointly normal, with covariance k(x, x'). So what noisy
points say about the value at another place is exact: condition a normal law.

Errors: ValueError for shapes that do not fit, a kernel matrix that is no covariance, and
a noise below 0.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

JITTER = 1e-8  # added to the diagonal before a factorisation, for rounding alone


class Band(NamedTuple):
    """What is known of y at each query: a normal law."""

    mean: Float[Tensor, "*batch m"]
    variance: Float[Tensor, "*batch m"]  # of the function there, without noise

    def interval(self, noise: float) -> tuple[Tensor, Tensor]:
        """The 95 % band of a noisy value y: mean -+ 1.96 standard deviations."""
        reach = 1.959964 * (self.variance + noise**2).sqrt()
        return self.mean - reach, self.mean + reach


# --8<-- [start:kernel]
def rbf(
    a: Float[Tensor, "*batch n"], b: Float[Tensor, "*batch m"], length: float
) -> Float[Tensor, "*batch n m"]:
    """exp(-(a - b)^2 / 2 length^2): near places have nearly the same value."""
    if not length > 0:
        raise ValueError(f"length scale {length} is not positive: give one above 0")
    return torch.exp(-0.5 * ((a[..., :, None] - b[..., None, :]) / length) ** 2)


def draw(
    x: Float[Tensor, "batch n"], length: float, generator: Generator
) -> Float[Tensor, "batch n"]:
    """The values at x of one function for each row."""
    factor = factorise(rbf(x.double(), x.double(), length))
    white = torch.randn(*x.shape, 1, generator=generator, dtype=torch.float64)
    return (factor @ white)[..., 0].to(x)


# --8<-- [end:kernel]


# --8<-- [start:posterior]
def posterior(
    x: Float[Tensor, "*batch n"],
    y: Float[Tensor, "*batch n"],
    query: Float[Tensor, "*batch m"],
    length: float,
    noise: float,
) -> Band:
    """Mean and variance of the function at each query, given n noisy points. Without
    points it is the prior: mean 0, variance 1."""
    check_points(x, y, noise)
    if x.shape[-1] == 0:
        return Band(torch.zeros_like(query), torch.ones_like(query))
    # --8<-- [start:condition]
    K = rbf(x, x, length) + noise**2 * torch.eye(x.shape[-1], dtype=x.dtype)
    k = rbf(x, query, length)  # (n, m): how each point goes with each query
    factor = factorise(K)
    mean = (k.mT @ torch.cholesky_solve(y[..., None], factor))[..., 0]
    known = torch.linalg.solve_triangular(factor, k, upper=False)
    variance = 1 - known.square().sum(-2)  # 1, less what the points explain
    # --8<-- [end:condition]
    return Band(mean, variance.clamp(min=0))


# --8<-- [end:posterior]


def factorise(K: Float[Tensor, "*batch n n"]) -> Float[Tensor, "*batch n n"]:
    """The Cholesky factor of a covariance. Raises ValueError, with its least eigenvalue,
    for a matrix that is none."""
    eye = torch.eye(K.shape[-1], dtype=K.dtype)
    factor, failed = torch.linalg.cholesky_ex(K + JITTER * eye)
    if failed.any():
        least = torch.linalg.eigvalsh(K).min().item()
        raise ValueError(
            f"the matrix is no covariance: its least eigenvalue is {least:.2g}; use a "
            "positive semidefinite kernel, or add noise where points coincide"
        )
    return factor


def check_points(x: Tensor, y: Tensor, noise: float) -> None:
    """Raise ValueError, in words, for what no posterior can be computed from."""
    if x.shape != y.shape:
        raise ValueError(
            f"x is {tuple(x.shape)} and y is {tuple(y.shape)}: give a y for each x"
        )
    if noise < 0:
        raise ValueError(f"noise {noise} is negative: give its standard deviation")

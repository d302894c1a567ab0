"""What noisy examples of a linear map say about it: a normal law, moved one example at a
time.

    w ~ N(0, I),   y = <w, x> + noise,   noise ~ N(0, strength)

After n examples w ~ N(mean, strength * S), with S = (X'X + strength I)^-1: the mean is
ridge regression. Sherman and Morrison's identity gives the next S without an inverse.

Errors: ValueError where d or the number of values does not fit, and at strength 0 or
below.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LOG_2_PI = math.log(2 * math.pi)


class Belief(NamedTuple):
    """A normal law of w for each prompt."""

    mean: Float[Tensor, "batch d"]
    S: Float[Tensor, "batch d d"]  # covariance / strength


# --8<-- [start:prior]
def prior(batch: int, d: int, strength: float) -> Belief:
    """Before any example: w ~ N(0, I), so S = I / strength."""
    if strength <= 0:
        raise ValueError(
            f"strength {strength} gives the prior no weight to start from: use one above "
            "0, or least squares (oracles.least_squares), which is its limit at 0"
        )
    eye = torch.eye(d, dtype=torch.float64) / strength
    return Belief(torch.zeros(batch, d, dtype=torch.float64), eye.repeat(batch, 1, 1))


# --8<-- [end:prior]


# --8<-- [start:update]
def update(
    belief: Belief, x: Float[Tensor, "batch d"], y: Float[Tensor, "batch"]
) -> Belief:
    """The law after one more example."""
    check(belief, x, y)
    # --8<-- [start:sherman]
    w, S = belief
    Sx = (S @ x[..., None])[..., 0]
    new = 1 + (x * Sx).sum(-1)  # noise and doubt of this y, in units of the noise
    gain = Sx / new[..., None]
    w = w + gain * (y - (w * x).sum(-1))[..., None]  # surprise, times gain
    S = S - gain[..., :, None] * Sx[..., None, :]
    # --8<-- [end:sherman]
    return Belief(w, S)


# --8<-- [end:update]


# --8<-- [start:evidence]
def log_density(
    belief: Belief,
    x: Float[Tensor, "batch d"],
    y: Float[Tensor, "batch"],
    strength: float,
) -> Float[Tensor, "batch"]:
    """log p(y | x, the examples so far): how little this example surprises."""
    check(belief, x, y)
    doubt = (x[..., None, :] @ belief.S @ x[..., None])[..., 0, 0]
    variance = strength * (1 + doubt)
    off = y - (belief.mean * x).sum(-1)
    return -0.5 * (off**2 / variance + variance.log() + LOG_2_PI)


def log_evidence(
    x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n"], strength: float
) -> Float[Tensor, "batch"]:
    """log p(y_1 .. y_n | X) at once: y ~ N(0, XX' + strength I)."""
    C = x @ x.mT + strength * torch.eye(x.shape[1], dtype=x.dtype)
    fit = (y[..., None, :] @ torch.linalg.solve(C, y[..., None]))[..., 0, 0]
    return -0.5 * (fit + torch.logdet(C) + x.shape[1] * LOG_2_PI)


# --8<-- [end:evidence]


def check(belief: Belief, x: Tensor, y: Tensor) -> None:
    """Raise ValueError, in words, where the example is of another size."""
    if x.shape != belief.mean.shape:
        raise ValueError(
            f"x is {tuple(x.shape)} and the belief is about w of "
            f"{tuple(belief.mean.shape)}: d and the number of prompts must agree"
        )
    if y.shape != x.shape[:-1]:
        raise ValueError(
            f"x is {tuple(x.shape)} and y is {tuple(y.shape)}: give a y for each x"
        )

"""Descent on a product of three vectors, and the time it takes to get away from a small start.

A tensor of rank one, T = a* b* c*, is fitted by the product of three vectors a, b, c. The
loss is half the mean squared entry of a b c - T. In the flow of gradient descent all
three squared lengths grow at one rate, so their differences stay. Where the vectors point
along the truth and are equally long, a share x of it each, and clamped ones are at the
truth, one equation is left for m free factors: dx/dt = x^(m-1) (1 - x^m).

Source: singh2024, the toy model of the released code; the equation and times are ours.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

NAMES = "abc"  # the factors, in order
Vectors = Float[Tensor, "*run factor dim"]
Free = Bool[Tensor, "*run factor"]  # which factors learn


def free_factors(clamped: str) -> Bool[Tensor, "factor"]:
    """Which factors learn. Raises ValueError for a factor that does not exist."""
    for name in clamped:
        if name not in NAMES:
            raise ValueError(f"no factor {name!r} to clamp: there are a, b and c")
    return torch.tensor([name not in clamped for name in NAMES])


def draw(dim: int, generator: Generator) -> Vectors:
    """Three vectors of normal entries. Raises ValueError where they have none."""
    if dim < 1:
        raise ValueError(f"dimension {dim}: give 1 or more")
    return torch.randn(3, dim, generator=generator, dtype=torch.float64)


# --8<-- [start:descent]
def loss(v: Vectors, truth: Vectors) -> Float[Tensor, "*run"]:
    """Half the mean squared entry of abc - T, without building a tensor."""
    ours, theirs = v.square().sum(-1).prod(-1), truth.square().sum(-1).prod(-1)
    common = (v * truth).sum(-1).prod(-1)
    return (ours - 2 * common + theirs) / (2 * v.shape[-1] ** 3)


def gradient(v: Vectors, truth: Vectors) -> Vectors:
    """For a: (a |b|^2 |c|^2 - a* (b.b*) (c.c*)) over the number of entries; for b and c
    alike."""
    own, pull = others(v.square().sum(-1)), others((v * truth).sum(-1))
    return (v * own[..., None] - truth * pull[..., None]) / v.shape[-1] ** 3


def others(x: Float[Tensor, "*run factor"]) -> Float[Tensor, "*run factor"]:
    """For each factor the product of the two others' numbers."""
    return x[..., [1, 2, 0]] * x[..., [2, 0, 1]]


def descend(
    v: Vectors,
    truth: Vectors,
    free: Free,
    rate: float,
    n_steps: int,
) -> tuple[Float[Tensor, "step *run"], Vectors]:
    """The loss before each step of gradient descent, and the vectors at the end. What
    is not free is put at the truth and stays there."""
    learns = free[..., None]
    v = torch.where(learns, v, truth)
    losses = []
    for _ in range(n_steps):
        losses.append(loss(v, truth))
        v = v - rate * learns * gradient(v, truth)
    return torch.stack(losses), v


def flow(v: Vectors, truth: Vectors, free: Free, dt: float, n_steps: int) -> Vectors:
    """Where the gradient flow is after n_steps of length dt, by the classical
    Runge-Kutta rule."""
    v = torch.where(free[..., None], v, truth)

    def down(at: Vectors) -> Vectors:
        return -gradient(at, truth) * free[..., None]

    for _ in range(n_steps):
        one = down(v)
        two = down(v + dt / 2 * one)
        three = down(v + dt / 2 * two)
        four = down(v + dt * three)
        v = v + dt / 6 * (one + 2 * two + 2 * three + four)
    return v


# --8<-- [end:descent]


# --8<-- [start:time]
def waiting_time(m: int, start: float, end: float) -> float:
    """How long dx/dt = x^(m-1) (1 - x^m) takes from `start` to `end`, 0 < both < 1."""
    if m not in (1, 2, 3):
        raise ValueError(f"{m} free factors: there are formulas for 1, 2 and 3")
    if not 0 < start <= end < 1:
        raise ValueError(f"from {start:g} to {end:g}: go up, between 0 and 1")
    if m == 1:
        return math.log((1 - start) / (1 - end))
    if m == 2:
        return 0.5 * (log_odds(end**2) - log_odds(start**2))
    return 1 / start - 1 / end + tail(end) - tail(start)


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def tail(x: float) -> float:
    """An integral of x / (1 - x^3), from 0: what the last stretch adds."""
    logs = math.log(1 + x + x * x) / 6 - math.log(1 - x) / 3
    return logs - (math.atan((2 * x + 1) / 3**0.5) - math.pi / 6) / 3**0.5


# --8<-- [end:time]

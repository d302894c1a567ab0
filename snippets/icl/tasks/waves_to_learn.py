"""Waves of finn2017 to learn from a few points, in the range of training and beyond it,
and the exact answer: what the points and the range leave open.
"""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.tasks.exams import Exam
from snippets.icl.tasks.few_shot import HIGHEST, LOWEST, REACH

BEYOND = ("as trained", "higher", "further")


# --8<-- [start:exam]
def wave_exam(
    kind: str, n_tasks: int, n: int, n_asked: int, generator: Generator
) -> Exam:
    """`higher`: amplitudes from the largest of training to twice it. `further`: all
    points, shown and asked, beyond the end of training's range."""
    if kind not in BEYOND:
        raise ValueError(f"no exam '{kind}': choose from {', '.join(BEYOND)}")
    if min(n_tasks, n) < 1:
        raise ValueError(
            f"{n_tasks} tasks of {n} examples examine nothing: take 1 or more of each"
        )
    low, high = (HIGHEST, 2 * HIGHEST) if kind == "higher" else (LOWEST, HIGHEST)
    left, right = (REACH, 2 * REACH) if kind == "further" else (-REACH, REACH)
    u, v = torch.rand(2, n_tasks, 1, 1, generator=generator)
    amplitude, phase = low + (high - low) * u, math.pi * v
    x = torch.rand(n_tasks, n + n_asked, 1, generator=generator)
    x = left + (right - left) * x
    y = amplitude * torch.sin(x - phase)
    return Exam(x[:, :n], y[:, :n], x[:, n:], y[:, n:], largest=high)


# --8<-- [end:exam]


# --8<-- [start:oracle]
def oracle(
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
    asked: Float[Tensor, "task asked 1"],
) -> Float[Tensor, "task asked 1"]:
    """The mean of what the points and training's range leave possible.

    Two points settle the wave: A sin(x - p) = a sin x + b cos x, with two unknowns. One
    point leaves a curve of waves, a height for each shift p, and each shift counts by
    how densely the range covers it there.
    """
    if x.shape[1] == 0:
        raise ValueError(
            "zero examples: there is nothing to learn from, show 1 or more"
        )
    if x.shape[1] > 1:
        return by_least_squares(x, y, asked)
    p = math.pi * (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    slope = torch.sin(x.double() - p)  # (task, 1, p): y = A slope
    A = y.double() / slope
    weight = ((A > LOWEST) & (A < HIGHEST)) / slope.abs()
    mean_a = (weight * A * p.cos()).sum(-1) / weight.sum(-1).clamp_min(1e-12)
    mean_b = (weight * A * p.sin()).sum(-1) / weight.sum(-1).clamp_min(1e-12)
    asked = asked.double()
    return (mean_a[..., None] * asked.sin() - mean_b[..., None] * asked.cos()).to(y)


def by_least_squares(
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
    asked: Float[Tensor, "task asked 1"],
) -> Float[Tensor, "task asked 1"]:
    """The multiples of sin x and cos x that fit best; the shortest, where many do."""
    basis = lambda x: torch.cat([x.double().sin(), x.double().cos()], -1)  # noqa: E731
    multiples = torch.linalg.pinv(basis(x)) @ y.double()  # (task, 2, 1)
    return (basis(asked) @ multiples).to(y)


# --8<-- [end:oracle]

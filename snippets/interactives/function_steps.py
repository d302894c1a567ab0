"""Descent on a function of one number, and answers by which a browser checks itself.

A number x is read as the vector (x, 1), so that a linear function may have a constant.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from snippets.contract import Measurements
from snippets.icl.networks.kernel_attention import ATTENTION
from snippets.icl.theory import kernels

Point = tuple[float, float]
POINTS: dict[str, list[Point]] = {
    "a wave": [(-0.9, -0.6), (-0.5, 0.7), (-0.1, 1.1), (0.35, -0.5), (0.8, -1.2)],
    "a line": [(-0.8, -1.1), (-0.3, -0.35), (0.1, 0.25), (0.5, 0.85), (0.9, 1.45)],
    "a kink": [(-0.9, -0.4), (-0.5, -0.4), (0.0, -0.4), (0.4, 0.5), (0.8, 1.4)],
}
NOISE = 1e-3  # the variance of what is added to y; for rounding, and for linear K
LAYERS, SHARES = (0, 60), (0.05, 1.9)


def vectors(xs: Sequence[float]) -> Tensor:
    return torch.tensor([[x, 1.0] for x in xs], dtype=torch.float64)


def fit(
    points: list[Point], asked: list[float], h: str, layers: int, share: float
) -> list[float]:
    """f at each place after so many layers, each a step of `share` times the size that
    is safe: 1 over the largest sum of a row of weights."""
    x, y = (
        vectors([p[0] for p in points]),
        torch.tensor([p[1] for p in points]).double(),
    )
    here, there = ATTENTION[h](x, x), ATTENTION[h](vectors(asked), x)
    size = share / here.abs().sum(-1).max()
    f, value = torch.zeros_like(y), torch.zeros(len(asked), dtype=torch.float64)
    for _ in range(layers):
        left = y - f
        value, f = value + size * there @ left, f + size * here @ left
    return value.tolist()


def posterior(points: list[Point], asked: list[float], kernel: str) -> list[float]:
    """The posterior mean at each place."""
    x, y = (
        vectors([p[0] for p in points]),
        torch.tensor([p[1] for p in points]).double(),
    )
    means = []
    for place in asked:
        both = torch.cat([x, vectors([place])])
        K = kernels.named(kernel)(both, both)
        means.append(kernels.bayes(K, y, jitter=NOISE)[0].item())
    return means


def data(runs: Callable[[str], list[Measurements]] | None) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    settings = {"noise": NOISE, "layers": LAYERS, "shares": SHARES, "start": 4}
    return {"points": POINTS, **settings}

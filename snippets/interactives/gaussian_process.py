"""The data of the figure to touch in chapter *bayes*: the process, and answers by which a browser checks itself."""

from collections.abc import Callable
from typing import Any

import torch

from snippets.contract import Measurements
from snippets.icl.theory import gaussian_process as gp

NOISE, MOST_POINTS = 0.2, 12
LENGTHS = (0.05, 0.6)  # from the least to the largest that the slider offers


def answers(
    points: list[tuple[float, float]], asked: list[float], length: float, noise: float
) -> dict[str, Any]:
    """Mean, and variance of the function, at each place that is asked."""
    x, y = (
        torch.tensor([point[i] for point in points], dtype=torch.float64)
        for i in (0, 1)
    )
    band = gp.posterior(x, y, torch.tensor(asked, dtype=torch.float64), length, noise)
    return {"mean": band.mean.tolist(), "variance": band.variance.tolist()}


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    return {"noise": NOISE, "most": MOST_POINTS, "lengths": LENGTHS, "length": 0.2}

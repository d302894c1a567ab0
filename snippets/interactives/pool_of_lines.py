"""The data of the figure to touch in chapter *task-diversity*: a pool of slopes, and answers by which a browser
checks itself."""

from collections.abc import Callable
from typing import Any

import torch

from snippets.contract import Measurements
from snippets.icl.streams import streams
from snippets.icl.theory import oracles, task_prior

MOST_TASKS, MOST_POINTS = 64, 12
NOISES = (0.1, 2.0)  # from the least to the largest that the slider offers
FOUR = (-1.2, -0.3, 0.5, 1.6)  # the pool of the chapter's example


def pool() -> list[float]:
    """64 slopes: the four of the example, and others from a standard normal law."""
    others = task_prior.draw_pool(MOST_TASKS - 4, 1, streams(0, 1)[0])[:, 0]
    return [*FOUR, *(round(w, 3) for w in others.tolist())]


def answers(
    points: list[tuple[float, float]], slopes: list[float], noise: float
) -> dict[str, Any]:
    """The posterior over the slopes, its mean, and the slope of ridge regression."""
    tasks = torch.tensor(slopes, dtype=torch.float64)[:, None]
    x = torch.tensor([[[a] for a, _ in points]], dtype=torch.float64)
    y = torch.tensor([[b for _, b in points]], dtype=torch.float64)
    weights = task_prior.posterior(x, y, tasks, noise)[0, -1]
    return {
        "weights": weights.tolist(),
        "memory": float(weights @ tasks[:, 0]),
        "ridge": float(oracles.ridge(x, y, noise**2)[0, 0]),
    }


def data(runs: Callable[[str], list[Measurements]]) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    return {"pool": pool(), "most": MOST_POINTS, "noises": NOISES, "noise": 0.5}

"""Layers as steps in a plane: the bowl of one prompt, and ways by which a browser checks itself."""

from collections.abc import Callable
from itertools import product
from typing import Any

import torch

from snippets.contract import Measurements
from snippets.icl.theory import flows

C = ((0.84, 0.32), (0.32, 0.36))  # eigenvalues 1 and 0.2, turned
BOTTOM = (1.5, 2.0)  # the w that fits the prompt's examples


def bowl() -> tuple[torch.Tensor, torch.Tensor]:
    matrix = torch.tensor(C, dtype=torch.float64)
    return matrix, matrix @ torch.tensor(BOTTOM, dtype=torch.float64)


def ways(step: float, n_layers: int) -> dict[str, Any]:
    """Where the steps and the flow are after so many layers."""
    matrix, pull = bowl()
    steps = flows.euler(matrix, pull, step * n_layers, n_layers)
    flow = flows.flow(matrix, pull, step * n_layers)
    return {
        "step": step,
        "layers": n_layers,
        "euler": steps[-1].tolist(),
        "flow": flow.tolist(),
    }


def data(runs: Callable[[str], list[Measurements]] | None) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    points = [ways(*one) for one in product((0.05, 0.5, 1.0, 1.9), (1, 4, 40))]
    return {
        "C": C,
        "bottom": BOTTOM,
        "longest": flows.longest_step(bowl()[0]),
        "reference": points,
    }

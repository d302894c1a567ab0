"""MAML whose inner steps move some layers of the network and leave the others.

Source: raghu2020, whose ANIL moves the last layer alone. Tasks, network and outer loop
are those of maml_training.py.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import (
    Weights,
    new_weights,
    points,
    sinusoids,
    squared_error,
)
from snippets.progress import steps

MOVES = {"all": slice(0, 6), "last": slice(4, 6), "hidden": slice(0, 4)}


# --8<-- [start:step]
def step(
    w: Weights,
    moves: slice,
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
    alpha: float,
) -> Weights:
    """One inner step of each task's network, on some of its weights and biases."""
    loss = squared_error(w, x, y).sum()
    slope = torch.autograd.grad(loss, w[moves], create_graph=True)
    moved = list(w)
    moved[moves] = [part - alpha * s for part, s in zip(w[moves], slope)]
    return moved


# --8<-- [end:step]


# --8<-- [start:start]
@dataclass(frozen=True)
class Outer:
    """The outer loop, the same for all."""

    width: int = 40
    n_shots: int = 10
    n_asked: int = 10
    n_tasks: int = 25
    learning_rate: float = 0.001
    n_steps: int = 1500
    n_test_tasks: int = 400
    n_test_points: int = 50
    test_steps: int = 10


def trained_start(
    moves: str, alpha: float, outer: Outer, seed: int, loop: int, of: int
) -> Weights:
    """Train a start for one inner step of that kind. All kinds begin with the same
    weights and see the same tasks. Raises ValueError for an unknown kind."""
    check(moves)
    start, training = streams(seed, 2)
    weights = new_weights((1, outer.width, outer.width, 1), start)
    weights = [part.requires_grad_() for part in weights]
    optimizer = torch.optim.Adam(weights, outer.learning_rate, fused=True)
    n = outer.n_shots
    for _ in steps(outer.n_steps, loop=loop, of=of):
        tasks = sinusoids(outer.n_tasks, training)
        x, y = points(tasks, n + outer.n_asked, training)
        w = [part.expand(len(x), *part.shape) for part in weights]
        w = step(w, MOVES[moves], x[:, :n], y[:, :n], alpha)
        loss = squared_error(w, x[:, n:], y[:, n:]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights


# --8<-- [end:start]


# --8<-- [start:exam]
def errors(
    weights: Weights, moves: str, alpha: float, outer: Outer, seed: int
) -> np.ndarray:
    """Mean error on new tasks after 0, 1, ... steps of that kind, infinite where steps
    run away. Every start is examined on the same tasks."""
    check(moves)
    exam = streams(seed, 3)[2]
    tasks = sinusoids(outer.n_test_tasks, exam)
    seen = points(tasks, outer.n_shots, exam)
    asked = points(tasks, outer.n_test_points, exam)
    w = [part.expand(outer.n_test_tasks, *part.shape) for part in weights]
    found = [squared_error(w, *asked).mean().item()]
    for _ in range(outer.test_steps):
        w = [
            part.detach().requires_grad_()
            for part in step(w, MOVES[moves], *seen, alpha)
        ]
        found.append(squared_error(w, *asked).mean().item())
    return np.nan_to_num(np.array(found), nan=np.inf)


# --8<-- [end:exam]


def check(moves: str) -> None:
    if moves not in MOVES:
        raise ValueError(f"'{moves}' moves: choose {', '.join(MOVES)}")

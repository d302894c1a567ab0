"""MAML, its first-order variant and plain pretraining, trained on sinusoids and examined on
new ones.

Source: finn2017, section 5.1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import (
    Weights,
    adapt,
    errors_after_steps,
    largest_curvatures,
    new_weights,
    points,
    sinusoids,
    squared_error,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    width: int = 40  # of both hidden layers
    n_shots: int = 10  # points that a task shows
    n_asked: int = 10  # further points, to judge the adapted network in training
    alpha: float = 0.01  # inner step size
    n_tasks: int = 25  # in a batch
    learning_rate: float = 0.001  # of Adam, outside
    n_steps: int = 2400  # outer steps
    evaluate_every: int = 150
    n_test_tasks: int = 400
    n_test_points: int = 50
    test_steps: int = 10  # inner steps at test time
    n_curvatures: int = 50  # test tasks whose curvatures and gradients are measured
    step_sizes: tuple[float, ...] = (0.005, 0.01, 0.02, 0.04, 0.08)  # for pretraining


METHODS = ("maml", "first_order", "pretrained")


# --8<-- [start:losses]
def outer_loss(
    weights: Weights,
    method: str,
    config: Config,
    x: Float[Tensor, "task point 1"],
    y: Float[Tensor, "task point 1"],
) -> Float[Tensor, ""]:
    """What the outer loop makes small, on one batch of tasks."""
    if method == "pretrained":  # all points of all tasks together, no inner step
        return squared_error(weights, x, y).mean()
    # --8<-- [start:outer]
    n = config.n_shots
    first_order = method == "first_order"
    w = adapt(weights, x[:, :n], y[:, :n], config.alpha, first_order=first_order)
    return squared_error(w, x[:, n:], y[:, n:]).mean()
    # --8<-- [end:outer]


# --8<-- [end:losses]


# --8<-- [start:train]
def train(config: Config, method: str, seed: int) -> tuple[dict[str, Any], Weights]:
    """Train one start, and examine it. Every method begins with the same weights and sees the same tasks
    and points."""
    start, training, tests = streams(seed, 3)
    weights = new_weights((1, config.width, config.width, 1), start)
    weights = [part.requires_grad_() for part in weights]
    exam = Exam(config, tests)
    optimizer = torch.optim.Adam(weights, config.learning_rate, fused=True)
    history = []
    for step in steps(config.n_steps + 1, loop=METHODS.index(method), of=len(METHODS)):
        if step % config.evaluate_every == 0:
            history.append({"step": step, **exam.progress(weights, method)})
        tasks = sinusoids(config.n_tasks, training)
        x, y = points(tasks, config.n_shots + config.n_asked, training)
        loss = outer_loss(weights, method, config, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    curves = {name: np.array([h[name] for h in history]) for name in history[0]}
    return {**curves, **exam.results(weights, method)}, weights


# --8<-- [end:train]


# --8<-- [start:exam]
class Exam:
    """Tasks that training does not see; the same for every method."""

    def __init__(self, config: Config, generator: Generator):
        self.config = config
        n, shots, asked = config.n_test_tasks, config.n_shots, config.n_test_points
        self.tasks = sinusoids(n, generator)
        self.whole = (
            points(self.tasks, shots, generator),
            points(self.tasks, asked, generator),
        )
        self.halves = (  # points shown on the right, asked on the left
            points(self.tasks, shots, generator, low=0.0),
            points(self.tasks, asked, generator, high=0.0),
        )

    def floor(self) -> float:
        """The error of the best single function for these tasks, their mean."""
        amplitude, phase = self.tasks
        x, y = self.whole[1]
        a, b = (amplitude * phase.cos()).mean(), (amplitude * phase.sin()).mean()
        return (y - (a * x.sin() - b * x.cos())).square().mean().item()

    def progress(self, weights: Weights, method: str) -> dict[str, float]:
        """Error after one step; for MAML, how far the two outer gradients agree."""
        after_one = self.errors(weights, method, self.config.alpha, 1)[1].mean()
        agrees = {"cosine": self.agreement(weights)} if method == "maml" else {}
        return {"after_one": after_one} | agrees

    def results(self, weights: Weights, method: str) -> dict[str, Any]:
        """Errors after 0, 1, ... steps. Pretraining is given a choice of step sizes."""
        n, config = self.config.test_steps, self.config
        tried = config.step_sizes if method == "pretrained" else (config.alpha,)
        whole, halves = (
            [self.errors(weights, method, size, n, data) for size in tried]
            for data in (self.whole, self.halves)
        )
        best = int(np.argmin([by_task[-1].mean() for by_task in whole]))
        last_layer = errors_after_steps(
            weights, *self.whole, tried[best], n, frozen=len(weights) - 2
        )
        return {  # means over tasks; the best size for each number of steps apart
            "errors": np.min([by_task.mean(1) for by_task in whole], 0),
            "halves": np.min([by_task.mean(1) for by_task in halves], 0),
            "last_layer": last_layer.mean(1).numpy(),
            "bend": self.curvatures(weights).median().item(),
            "step_size": tried[best],
        }

    def errors(
        self, weights: Weights, method: str, alpha: float, n_steps: int, data=None
    ) -> np.ndarray:
        """Errors after 0, 1, ... steps: (step, task), infinite where they overflow."""
        seen, asked = data or self.whole
        errors = errors_after_steps(weights, seen, asked, alpha, n_steps)
        errors = errors.double().nan_to_num(torch.inf)
        if method != "pretrained":
            self.check_steps(weights, errors, alpha)
        return errors.numpy()

    def curvatures(self, weights: Weights) -> Float[Tensor, " task"]:
        n = self.config.n_curvatures
        (x, y), _ = self.whole
        return largest_curvatures(weights, x[:n], y[:n])

    def agreement(self, weights: Weights) -> float:
        """Cosine between the outer gradient and the one without second derivatives."""
        n, asked = self.config.n_curvatures, self.config.n_asked
        (x, y), (x_asked, y_asked) = self.whole
        x = torch.cat([x, x_asked[:, :asked]], 1)[:n]
        y = torch.cat([y, y_asked[:, :asked]], 1)[:n]
        full, first = (
            torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)])
            for loss in (
                outer_loss(weights, method, self.config, x, y)
                for method in ("maml", "first_order")
            )
        )
        return torch.cosine_similarity(full, first, dim=0).item()

    # --8<-- [end:exam]

    def check_steps(self, weights: Weights, errors: Tensor, alpha: float) -> None:
        """Raises ValueError where steps diverge on the median task."""
        first, last = errors[0].median().item(), errors[-1].median().item()
        if last > 10 * first:
            bend = self.curvatures(weights).median().item()
            raise ValueError(
                f"inner step size {alpha:g} diverges: {len(errors) - 1} steps take the "
                f"median error from {first:.3g} to {last:.3g}; the largest curvature at "
                f"the start is {bend:.3g}, so it must stay below 2/{bend:.3g} = "
                f"{2 / bend:.2g}"
            )

"""Can a starting point be learned from which one gradient step fits a new task?

Source: finn2017, section 5.1 and figures 2 and 3: sinusoids, ten points, one inner
step of size 0.01, two hidden layers of 40, Adam outside. From the source's published
code: 25 tasks in a batch, Adam at 0.001, 70,000 outer steps, which the `paper` preset
keeps. Here: 3,000 outer steps, and another random start of the weights.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import (
    REACH,
    Weights,
    adapt,
    errors_after_steps,
    largest_curvatures,
    network,
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


PRESETS = {
    "laptop": Config(),
    "paper": Config(n_steps=70_000, evaluate_every=1000),
}

METHODS = ("maml", "first_order", "pretrained")

# The best that one and the same function can do on all tasks is their mean, which is
# -(2/pi) E[A] cos x. What is left is its distance from the tasks, E[y^2] - E[mean^2].
MEAN_SQUARE = (0.1**2 + 0.1 * 5 + 5**2) / 3 / 2  # E[A^2] E[sin^2]
MEAN_COS2 = 0.5 + np.sin(2 * REACH) / (4 * REACH)
FLOOR = MEAN_SQUARE - (2 / np.pi * 2.55) ** 2 * MEAN_COS2  # 3.01


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
    n = config.n_shots
    first_order = method == "first_order"
    w = adapt(weights, x[:, :n], y[:, :n], config.alpha, first_order=first_order)
    return squared_error(w, x[:, n:], y[:, n:]).mean()


# --8<-- [end:losses]


# --8<-- [start:train]
def train(config: Config, method: str, seed: int) -> Measurements:
    """Train one start. Every method begins with the same weights and sees the same tasks
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
    return {**curves, **exam.results(weights, method)}


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

    def results(self, weights: Weights, method: str) -> Measurements:
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
            "drawn": examples(weights, config, tried[best]),
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


GRID = torch.linspace(-REACH, REACH, 81)[:, None]
DRAWN = torch.tensor([[[3.5]]]), torch.tensor([[[1.0]]])  # the task in the figure


def examples(weights: Weights, config: Config, alpha: float) -> np.ndarray:
    """What the network says of one task after 0, 1 and all steps: (2, 3, 81). It was
    shown evenly spaced points of the whole range, and of the right half.
    """
    answers = []
    for low in (-REACH, 0.0):
        x, y = shown(config.n_shots, low)
        adapted = [
            adapt(weights, x, y, alpha, n, first_order=True)
            for n in (1, config.test_steps)
        ]
        said = [network(weights, GRID)] + [network(w, GRID[None])[0] for w in adapted]
        answers.append(torch.stack(said)[..., 0])
    return torch.stack(answers).detach().numpy()


def shown(n_shots: int, low: float) -> tuple[Tensor, Tensor]:
    """Evenly spaced points of the task in the figure."""
    x = torch.linspace(low + 0.25, REACH - 0.25, n_shots)[None, :, None]
    return x, DRAWN[0] * torch.sin(x - DRAWN[1])


def run(config: Config, seed: int) -> Measurements:
    measured: dict = {}
    for method in METHODS:
        result = train(config, method, seed)
        measured |= {f"{method}_{name}": value for name, value in result.items()}
    exam = Exam(config, streams(seed, 3)[2])
    w = config.width
    return measured | {
        "step": measured["maml_step"],
        "n_parameters": 2 * w + (w * w + w) + (w + 1),
        "floor": exam.floor(),  # of the best single function on the same tasks
        "alpha": config.alpha,
    }


def after(m: Measurements, method: str, n_steps: int) -> float:
    """Error on test tasks after so many inner steps."""
    return float(m[f"{method}_errors"][n_steps])


def overtaken(m: Measurements) -> float:
    """The outer step at which MAML after one inner step passes pretraining's end."""
    below = m["maml_after_one"] < after(m, "pretrained", 1)
    return float(m["step"][below][0]) if below.any() else np.inf


def other_half(m: Measurements, method: str) -> float:
    """Error on the left after ten steps on points of the right, relative to none."""
    return float(m[f"{method}_halves"][-1] / m[f"{method}_halves"][0])


def bend(m: Measurements, method: str) -> float:
    """Inner step size times the largest curvature: steps diverge above 2."""
    return float(m["alpha"] * m[f"{method}_bend"])


def share_by_last_layer(m: Measurements) -> float:
    """Of what ten steps take off the error, how much they take with the last layer alone."""
    errors, alone = m["maml_errors"], m["maml_last_layer"]
    return float((alone[0] - alone[-1]) / (errors[0] - errors[-1]))


# fmt: off
CLAIMS = [
    Claim("no-gift", lambda m: after(m, "maml", 0) / m["floor"], between(0.9, 1.2), "of the best single function's",
          "Before any step the learned start is near the best error that one function for all tasks can "
          "have: what it gains, it gains by the step."),
    Claim("one-step", lambda m: after(m, "maml", 1) / after(m, "pretrained", 1), below(0.5), "of pretraining's error",
          "One step from MAML's start leaves less than half of the error that one step of the best size from "
          "the pretrained start leaves.",
          Reported("finn2017", "figure 3",
                   "a loss substantially lower than fine-tuning a pretrained network", SMALLER)),
    Claim("ten-for-one", lambda m: after(m, "maml", 1) / after(m, "pretrained", 10),
          below(0.75), "of pretraining's error after ten",
          "MAML's start is better after one step than the pretrained one after ten."),
    Claim("goes-on", lambda m: after(m, "maml", 10) / after(m, "maml", 1),
          below(2 / 3), "of the error after one step",
          "Trained for one step, it goes on improving: ten steps leave less than two thirds of the error "
          "after one.",
          Reported("finn2017", "section 5.1 and figure 3",
                   "continues to improve with additional gradient steps", SMALLER)),
    Claim("overtakes", overtaken, below(900), "outer steps",
          "It has overtaken the finished pretraining before outer step 900.",
          digits=3),
    Claim("other-half", lambda m: other_half(m, "maml"), below(0.6), "of the error before",
          "Shown points of the right half alone, it loses two fifths or more of its error on the left half.",
          Reported("finn2017", "section 5.1 and figure 2",
                   "infers amplitude and phase in the other half of the range", SMALLER)),
    Claim("not-pretrained", lambda m: other_half(m, "pretrained"), above(0.95), "of the error before",
          "The pretrained start gets no better on the half that it was not shown."),
    Claim("first-order", lambda m: after(m, "first_order", 1) / after(m, "maml", 1), between(1.05, 2), "times MAML's",
          "Trained without second derivatives, it has a larger error after one step, by less than twice.",
          Reported("finn2017", "section 5.2 and table 1",
                   "nearly the same performance, on MiniImagenet", NOT_REPRODUCED)),
    Claim("not-small", lambda m: bend(m, "maml"), between(1, 2), "",
          "At MAML's start the inner step size times the largest curvature is between 1 and 2: not small, "
          "and below the bound."),
    Claim("cosine", lambda m: float(m["maml_cosine"].mean()), between(0.2, 0.85), "",
          "On the way, the outer gradient and its first-order version have a mean cosine below 0.85."),
]
# fmt: on

"""Can a starting point be learned from which one gradient step fits a new task?

Source: finn2017, section 5.1 and figures 2 and 3: sinusoids, ten points, one inner
step of size 0.01, two hidden layers of 40, Adam outside. From the source's published
code: 25 tasks in a batch, Adam at 0.001, 70,000 outer steps, which the `paper` preset
keeps. Here: 2,400 outer steps, and another random start of the weights.
"""

import numpy as np
import torch
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import REACH, Weights, adapt, network
from snippets.icl.training.maml_training import METHODS, Config, Exam, train

PRESETS = {
    "laptop": Config(),
    "paper": Config(n_steps=70_000, evaluate_every=1000),
}


# The best that one and the same function can do on all tasks is their mean, which is
# -(2/pi) E[A] cos x. What is left is its distance from the tasks, E[y^2] - E[mean^2].
MEAN_SQUARE = (0.1**2 + 0.1 * 5 + 5**2) / 3 / 2  # E[A^2] E[sin^2]
MEAN_COS2 = 0.5 + np.sin(2 * REACH) / (4 * REACH)
FLOOR = MEAN_SQUARE - (2 / np.pi * 2.55) ** 2 * MEAN_COS2  # 3.01


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
        result, weights = train(config, method, seed)
        result["drawn"] = examples(weights, config, result.pop("step_size"))
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
    Claim("no-gift", lambda m: after(m, "maml", 0) / m["floor"], between(0.97, 1.1), "of the best single function's",
          "Before any step the learned start is within a tenth of the best error that one function for all "
          "these tasks can have: what it gains, it gains by the step."),
    Claim("one-step", lambda m: after(m, "maml", 1) / after(m, "pretrained", 1), below(0.5), "of pretraining's error",
          "One step from MAML's start leaves less than half of the error that one step of the best size from "
          "the pretrained start leaves.",
          Reported("finn2017", "figure 3",
                   "a loss substantially lower than fine-tuning a pretrained network", SMALLER)),
    Claim("ten-for-one", lambda m: after(m, "maml", 1) / after(m, "pretrained", 10),
          below(0.75), "of pretraining's error after ten",
          "MAML's start is better after one step than the pretrained one after ten."),
    Claim("goes-on", lambda m: after(m, "maml", 10) / after(m, "maml", 1),
          below(0.667), "of the error after one step",
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
          "Trained without second derivatives, it has a larger error after one step, by less than twice."),
    Claim("last-layer", share_by_last_layer, below(0.75), "of what all layers take off",
          "Ten steps on the last layer alone take off less than three quarters of the error that ten steps on "
          "all layers take off."),
    Claim("not-small", lambda m: bend(m, "maml"), between(1, 2), "",
          "At MAML's start the inner step size times the largest curvature is between 1 and 2: not small, "
          "and below the bound."),
    Claim("cosine", lambda m: float(m["maml_cosine"].mean()), between(0.2, 0.85), "",
          "On the way, the outer gradient and its first-order version have a mean cosine below 0.85."),
]
# fmt: on

"""How much sooner do the three numbers reach their edge if part of the first look is given?

The gradient flow of *Why it must be abrupt*, in the average context. A share h of a
label's attention is put on its own item from outside, as in *on_the_plateau*, in
training and in the test. Beside it the wait's formula, which says 1 / sqrt of how many
times as much of its item a label holds at the start.

Source: gopalani2025 (abstract) for the question whether help shortens the plateau. The
flow with help is ours.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.streams import as_numpy, streams
from snippets.icl.theory.head_flow import flow
from snippets.icl.theory.three_exponentials import Phi, first_layer, second_layer


@dataclass(frozen=True)
class Config:
    n_pairs: int = 8
    n_labels: int = 32
    helps: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)  # share given
    start: float = 0.01  # spread of the three numbers before training


PRESETS = {"laptop": Config()}


# --8<-- [start:help]
def helped(h: float, n_pairs: int) -> Phi:
    """What to put in the place of the first layer's exponential, so that a label holds
    the share h + (1 - h) e^beta / (e^beta + N) of its item and not only the latter."""

    def phi(beta: Tensor) -> Tensor:
        return (beta.exp() + h * n_pairs) / (1 - h)

    return phi


# --8<-- [end:help]


# --8<-- [start:wait]
def wait(start: Tensor, h: float, config: Config) -> float:
    """When the log-odds of the right label against another of the context reach 1."""
    n, phis = config.n_pairs, (helped(h, config.n_pairs), torch.exp, torch.exp)
    times = np.arange(0.0, 200.0, 0.05)
    xi, alpha, beta = flow(start, times, n, config.n_labels, phis).unbind(-1)
    z, z_other = second_layer(alpha * first_layer(beta, n, phis[0]), n)
    after = np.flatnonzero((xi * (z - z_other)).numpy() >= 1)
    return float(times[after[0]]) if len(after) else math.inf


# --8<-- [end:wait]


def run(config: Config, seed: int) -> Measurements:
    normal = as_numpy(streams(seed, 1)[0]).normal(size=3)
    start = torch.from_numpy(config.start * np.abs(normal))
    return {
        "helps": np.array(config.helps),
        "waits": np.array([wait(start, h, config) for h in config.helps]),
    }


def shorter(m: Measurements, h: float) -> float:
    """The wait with help h, of the wait without."""
    return float(m["waits"][list(m["helps"]).index(h)] / m["waits"][0])


def by_formula(h: float, n_pairs: int = PRESETS["laptop"].n_pairs) -> float:
    """The same if all that help did were to raise g, by what a label holds at first."""
    own = 1 / (n_pairs + 1)
    return math.sqrt(own / (h + (1 - h) * own))


# fmt: off
CLAIMS = [
    Claim("arrives", lambda m: float(m["waits"].max()), below(200), "",
          "With every share of help the three numbers reach the edge of the cliff."),
    Claim("a-fifth", lambda m: shorter(m, 0.2), below(0.85), "of the wait alone",
          "With a fifth of the first look given they wait less than 0.85 as long."),
    Claim("less", lambda m: shorter(m, 0.2) / by_formula(0.2), above(1.05), "times the formula's",
          "That is more than the formula has it: over 1.05 times."),
    Claim("nearly-all", lambda m: shorter(m, 0.95), below(0.4), "of the wait alone",
          "With nearly all of it given they wait less than two fifths as long."),
]
# fmt: on

"""Does a start need inner steps on all layers, or is the last layer enough?

Source: raghu2020, abstract, for images: MAML's inner steps hardly change the hidden
layers, and ANIL, whose inner steps move the last layer alone, does as well. Here:
sinusoids, as in `maml.py`, with 1,200 outer steps and a tuned inner step size for each.
"""

from dataclasses import dataclass, field

import numpy as np

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.training.some_layers import MOVES, Outer, errors, trained_start


@dataclass(frozen=True)
class Config:
    outer: Outer = field(default_factory=lambda: Outer(n_steps=1200))
    all_alpha: float = 0.02  # inner step sizes, each the best of several for its kind
    last_alpha: float = 0.03
    hidden_alpha: float = 0.02
    tried: tuple[float, ...] = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)  # at test


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    found, starts = {}, {}
    for loop, kind in enumerate(MOVES):
        alpha = getattr(config, f"{kind}_alpha")
        starts[kind] = trained_start(kind, alpha, config.outer, seed, loop, len(MOVES))
        found[kind] = errors(starts[kind], kind, alpha, config.outer, seed)
    # MAML's own start, moved in two ways: the best size for each number of steps
    for moves in ("all", "last"):
        every = [
            errors(starts["all"], moves, alpha, config.outer, seed)
            for alpha in config.tried
        ]
        found[f"maml_by_{moves}"] = np.min(every, 0)
    return found


# --8<-- [end:run]


def ratio(m: Measurements, name: str) -> float:
    """The error after one step over that of MAML after one."""
    return float(m[name][1] / m["all"][1])


def reused(m: Measurements, n_steps: int) -> float:
    """From MAML's start: what the last layer alone leaves, over what all layers do."""
    return float(m["maml_by_last"][n_steps] / m["maml_by_all"][n_steps])


# fmt: off
CLAIMS = [
    Claim("last-enough", lambda m: ratio(m, "last"), between(0.6, 1.6), "of MAML's error",
          "A start trained for a step of the last layer alone leaves, after it, between 0.6 and 1.6 of MAML's error."),
    Claim("hidden-enough", lambda m: ratio(m, "hidden"), between(0.6, 1.6), "of MAML's error",
          "So does one trained for a step of the hidden layers alone."),
    Claim("no-gift", lambda m: float(m["last"][1] / m["last"][0]), below(0.6), "of the error before",
          "The step of the last layer alone leaves less than six tenths of the error before it."),
    Claim("one-step", lambda m: reused(m, 1), above(1.1), "times",
          "From MAML's own start, one step of the last layer alone leaves more than 1.1 times what a step of all "
          "layers does, each of the best of six sizes."),
    Claim("ten-steps", lambda m: reused(m, 10), below(1.5), "times",
          "After ten steps it leaves less than 1.5 times as much, each of the best of six sizes."),
]
# fmt: on

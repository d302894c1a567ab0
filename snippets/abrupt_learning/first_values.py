"""How much of the wait at a saddle is decided by the values that training begins with?

Chapter 19's network with N = L = 2, where SGD does get away: the matrices of its two
attention layers are multiplied by a factor before the first step, and nothing else.

Source: reddy2024, appendix A.4, for L = N as a saddle. The experiment is ours.
"""

import math

import numpy as np

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.training.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)

# --8<-- [start:presets]
PRESETS = {
    "laptop": {
        "x05": Training(new_classes(2, 2), scale=0.5),
        "x07": Training(new_classes(2, 2), scale=0.7),
        "x10": Training(new_classes(2, 2), scale=1.0),
        "x14": Training(new_classes(2, 2), scale=1.4),
        "x20": Training(new_classes(2, 2), scale=2.0),
    },
}
# --8<-- [end:presets]


def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    return {name: values.numpy() for name, values in curves.items()} | {
        "left": first_below(curves, 0.9 * math.log(config.task.n_pairs)),
    }


def left(m: Measurements, cell: str) -> float:
    """The step at which the loss is a tenth under ln N, or infinity."""
    return float(m[cell]["left"])


def share_of_wait(m: Measurements, cell: str) -> float:
    """The wait of a cell in units of the wait with unscaled matrices."""
    return left(m, cell) / left(m, "x10") if math.isfinite(left(m, "x10")) else math.inf


# fmt: off
CLAIMS = [
    Claim("unscaled", lambda m: left(m, "x10"), below(2500), "steps",
          "With the matrices as they are drawn SGD gets away by step 2,500.",
          digits=4),
    Claim("larger", lambda m: share_of_wait(m, "x14"), below(0.8), "of the time",
          "Made 1.4 times larger, they take less than four fifths of that time."),
    Claim("twice", lambda m: share_of_wait(m, "x20"), below(0.8), "of the time",
          "Made twice as large, they take less than four fifths of it too."),
    Claim("half", lambda m: left(m, "x05"), above(2500), "steps",
          "Made half as large, they have not got away by step 2,500."),
    Claim("half-at-guess", lambda m: abs(float(np.median(m["x05"]["loss"][-10:])) - math.log(2)),
          below(0.03), "nats from ln 2",
          "The loss is then within 0.03 nats of ln 2."),
]
# fmt: on

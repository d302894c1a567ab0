"""How much of the wait at a saddle is decided by the values that training begins with?

The network of *The jump* with N = L = 2, where SGD does get away: the matrices of its
two attention layers are multiplied by a factor before the first step, and nothing else.

Source: reddy2024, appendix A.4, for L = N as a saddle. The experiment is ours.
"""

import math

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.training.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)

# --8<-- [start:presets]
SCALES = {"x07": 0.7, "x10": 1.0, "x14": 1.4, "x20": 2.0}
TASK = new_classes(2, 2)
PRESETS = {
    "laptop": {  # each to a tenth under ln N and no further
        "x07": Training(TASK, scale=SCALES["x07"], n_steps=4000, enough=0.9),
        "x10": Training(TASK, scale=SCALES["x10"], n_steps=4000, enough=0.9),
        "x14": Training(TASK, scale=SCALES["x14"], n_steps=4000, enough=0.9),
        "x20": Training(TASK, scale=SCALES["x20"], n_steps=4000, enough=0.9),
    },
}
# --8<-- [end:presets]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    return {
        "left": first_below(curves, 0.9 * math.log(config.task.n_pairs)),
        "last": float(curves["step"][-1]),
    }


# --8<-- [end:run]


def left(m: Measurements, cell: str) -> float:
    """The step at which the loss is a tenth under ln N, or infinity."""
    return float(m[cell]["left"])


def share_of_wait(m: Measurements, cell: str) -> float:
    """The wait of a cell in units of the wait with unscaled matrices."""
    return left(m, cell) / left(m, "x10")


def away(m: Measurements) -> bool:
    return math.isfinite(left(m, "x10"))


# fmt: off
CLAIMS = [
    Claim("unscaled", lambda m: left(m, "x10"), below(4000), "steps",
          "With the matrices as they are drawn SGD gets away by step 4,000.", digits=4),
    Claim("larger", lambda m: share_of_wait(m, "x14"), below(0.8), "of the time",
          "Made 1.4 times larger, they take less than four fifths of that time.", applies=away),
    Claim("twice", lambda m: share_of_wait(m, "x20"), below(0.8), "of the time",
          "Made twice as large, they take less than four fifths of it too.", applies=away),
    Claim("smaller", lambda m: min(left(m, "x07"), 4000) / left(m, "x10"), above(1.25), "times as long, at least",
          "Made 0.7 times as large, they take more than a quarter longer, or have not got away by step 4,000.",
          applies=away),
]
# fmt: on

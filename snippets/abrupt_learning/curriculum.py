"""Does a network learn to find the answer where every label stands in the context?

A context shows N of L labels. While L > N there is an easier lesson, to answer with a
label that is shown. With L = N that lesson is empty. N of 2, 4 and 8 with L = N and
with L = 4 N under SGD; N = 4 also with one absent label, and under Adam.

Source: reddy2024, appendix A.5, N of 2, 4 and 8 against L. What differs: items of 32
dimensions instead of 63, no random shift, a classifier 64 wide and without biases, new
classes alone, batches of 64, SGD at 0.5 instead of 0.01 and without decay, and the
budgets below. Adam is ours.
"""

import math

import numpy as np

from snippets.contract import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
)
from snippets.icl.training.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)


# --8<-- [start:presets]
def paper(n_pairs: int, n_labels: int) -> Training:
    """The source's rate and batch."""
    task = new_classes(n_pairs, n_labels, d_item=63)
    return Training(task, "sgd", 0.01, 200_000, width=128, batch=128)


PRESETS = {
    "laptop": {  # each cell is trained by itself, until it has learned or is out of steps
        "n2-l2": Training(new_classes(2, 2), n_steps=3000),
        "n2-l8": Training(new_classes(2, 8), n_steps=3000),
        # to a tenth under ln N and no further: this wait is the question
        "n4-l4": Training(new_classes(4, 4), n_steps=12_000, enough=0.9),
        "n4-l5": Training(new_classes(4, 5), n_steps=3000),
        "n4-l16": Training(new_classes(4, 16), n_steps=3000),
        "n8-l8": Training(new_classes(8, 8), n_steps=2000),
        "n8-l32": Training(new_classes(8, 32), n_steps=2000),
        "n4-l4-adam": Training(new_classes(4, 4), "adam", 0.003, n_steps=2500),
        "n4-l16-adam": Training(new_classes(4, 16), "adam", 0.003, n_steps=2500),
    },
    "paper": {
        "n2-l2": paper(2, 2),
        "n2-l8": paper(2, 8),
        "n4-l4": paper(4, 4),
        "n4-l16": paper(4, 16),
        "n8-l8": paper(8, 8),
        "n8-l32": paper(8, 32),
    },
}
# --8<-- [end:presets]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    guess = math.log(config.task.n_pairs)  # the loss of guessing among the shown labels
    return {name: values.numpy() for name, values in curves.items()} | {
        "left": first_below(curves, 0.9 * guess),
        "learned": first_below(curves, 0.5 * guess),
    }


# --8<-- [end:run]


def left(m: Measurements, cell: str) -> float:
    """The step at which the loss is a tenth under ln N, or infinity."""
    return float(m[cell]["left"])


def learned(m: Measurements, cell: str) -> float:
    return float(m[cell]["learned"])


def off_the_guess(m: Measurements, cell: str) -> float:
    """How far the loss at the end of a cell is from ln N, in nats."""
    n_pairs = int(cell[1])
    return abs(float(np.median(m[cell]["loss"][-10:])) - math.log(n_pairs))


def times_as_long(m: Measurements, suffix: str = "") -> float:
    """How much longer L = N = 4 waits than L = 4 N."""
    return left(m, "n4-l4" + suffix) / left(m, "n4-l16" + suffix)


def leaves(m: Measurements) -> bool:
    """Whether L = N = 4 gets away within its budget."""
    return math.isfinite(left(m, "n4-l4"))


A5 = ("reddy2024", "appendix A.5", "learning succeeds with L > N and fails with L = N")

# fmt: off
CLAIMS = [
    Claim("two-of-two", lambda m: learned(m, "n2-l2"), below(3000), "steps",
          "With L = N = 2 SGD learns by step 3,000, without an easier lesson.",
          Reported(*A5, NOT_REPRODUCED), digits=4),
    Claim("four-of-four", lambda m: left(m, "n4-l4"), below(12_000), "steps",
          "With L = N = 4 SGD gets away from ln 4 by step 12,000.",
          Reported(*A5, NOT_REPRODUCED), digits=4),
    Claim("longer", lambda m: left(m, "n4-l4") / left(m, "n2-l2"), above(1.5), "times as long",
          "It waits more than 1.5 times as long as with L = N = 2."),
    Claim("eight-of-eight", lambda m: off_the_guess(m, "n8-l8"), below(0.05), "nats from ln N",
          "With L = N = 8 SGD has not learned by step 2,000: the loss is within 0.05 nats of ln 8. To tell a wait from "
          "a failure the run would have to be several times as long as with L = N = 4.",
          Reported(*A5, INCONCLUSIVE)),
    Claim("awake", lambda m: float(np.median(m["n8-l8"]["logit_spread"][-10:])), above(0.001), "nats of spread",
          "The network with L = N = 8 has not fallen silent: its logits still depend on its input."),
    Claim("eight-of-more", lambda m: learned(m, "n8-l32"), below(2000), "steps",
          "With N = 8 and four times as many labels it has learned by step 2,000.",
          Reported(*A5, SMALLER), digits=4),
    Claim("four-of-more", lambda m: learned(m, "n4-l16"), below(2000), "steps",
          "With N = 4 and four times as many labels too.",
          Reported(*A5, SMALLER), digits=4),
    Claim("more-first", lambda m: learned(m, "n4-l16") / left(m, "n4-l4"), below(0.5), "of the time",
          "With N = 4, four times as many labels are learned in less than half of the time that L = N waits.",
          applies=leaves),
    Claim("adam-leaves", lambda m: left(m, "n4-l4-adam"), at_most(2500), "steps",
          "With L = N = 4 Adam gets away from ln 4 by step 2,500.", digits=4),
    Claim("adam-alike", lambda m: times_as_long(m, "-adam") / times_as_long(m), below(0.7), "of SGD's",
          "The factor by which L = N waits longer than L = 4 N is less than seven tenths of SGD's.", applies=leaves),
]
# fmt: on

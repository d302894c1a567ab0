"""Does a network learn to find the answer where every label stands in the context?

A context shows N of L labels. While L > N there is an easier lesson, to answer with a
label that is shown. With L = N that lesson is empty. A grid of N and L, under SGD; and
N = 4 again under Adam.

Source: reddy2024, appendix A.5, N of 2, 4 and 8 against L. What differs: items of 32
dimensions instead of 63, no random shift of positions, a classifier 64 wide and without
biases, new classes alone, batches of 64, SGD at 0.3 instead of 0.01 and without decay,
2,500 steps at most. Adam is ours.

Cost: up to 240 core-seconds instead of 120. The cells with L = N have to be watched to
their last step, and are the question.
"""

import math

import numpy as np

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.training.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)

# --8<-- [start:presets]
PRESETS = {
    "laptop": {  # each cell is trained by itself
        "n2-l2": Training(new_classes(2, 2)),
        "n2-l4": Training(new_classes(2, 4)),
        "n2-l8": Training(new_classes(2, 8)),
        "n4-l4": Training(new_classes(4, 4)),
        "n4-l8": Training(new_classes(4, 8)),
        "n4-l16": Training(new_classes(4, 16)),
        "n8-l8": Training(new_classes(8, 8)),
        "n8-l16": Training(new_classes(8, 16)),
        "n8-l32": Training(new_classes(8, 32)),
        "n4-l4-adam": Training(new_classes(4, 4), "adam", 0.003),
        "n4-l16-adam": Training(new_classes(4, 16), "adam", 0.003),
    },
    "paper": {
        "n2-l2": Training(new_classes(2, 2, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n2-l8": Training(new_classes(2, 8, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n4-l4": Training(new_classes(4, 4, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n4-l16": Training(new_classes(4, 16, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n8-l8": Training(new_classes(8, 8, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n8-l32": Training(new_classes(8, 32, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
    },
}
# --8<-- [end:presets]


def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    guess = math.log(config.task.n_pairs)  # the loss of guessing among the shown labels
    return {name: values.numpy() for name, values in curves.items()} | {
        "left": first_below(curves, 0.9 * guess),
        "learned": first_below(curves, 0.5 * guess),
    }


def learned(m: Measurements, n_pairs: int, n_labels: int, suffix: str = "") -> float:
    return float(m[f"n{n_pairs}-l{n_labels}{suffix}"]["learned"])


def share_of_wait(m: Measurements, n_pairs: int) -> float:
    """When L = 4 N has learned, in units of when L = N has; infinity if it never is."""
    more, equal = learned(m, n_pairs, 4 * n_pairs), learned(m, n_pairs, n_pairs)
    return more / equal if math.isfinite(more) else math.inf


def off_the_guess(m: Measurements, cell: str) -> float:
    """How far the loss at the end of a cell is from ln N, in nats."""
    n_pairs = int(cell[1])
    return abs(float(np.median(m[cell]["loss"][-10:])) - math.log(n_pairs))


def times_as_long(m: Measurements, cell: str, other: str) -> float:
    """When a cell gets away, in units of when the other does; 0 if that never does."""
    left = float(m[other]["left"])
    return float(m[cell]["left"]) / left if math.isfinite(left) else 0.0


# fmt: off
CLAIMS = [
    Claim("eight-of-eight", lambda m: off_the_guess(m, "n8-l8"), below(0.05), "nats from ln N",
          "With L = N = 8 SGD has not learned by step 2,500: the loss is within 0.05 nats of ln 8.",
          Reported("reddy2024", "appendix A.5", "learning succeeds with L > N and fails with L = N", SMALLER)),
    Claim("eight-of-more", lambda m: learned(m, 8, 32), below(2500), "steps",
          "With N = 8 and four times as many labels it has.",
          Reported("reddy2024", "appendix A.5", "learning succeeds with L > N and fails with L = N", SMALLER),
          digits=4),
    Claim("two-of-two", lambda m: learned(m, 2, 2), below(2500), "steps",
          "With L = N = 2 SGD learns by step 2,500, without an easier lesson.",
          Reported("reddy2024", "appendix A.5", "learning succeeds with L > N and fails with L = N", NOT_REPRODUCED),
          digits=4),
    Claim("awake", lambda m: float(np.median(m["n8-l8"]["logit_spread"][-10:])), above(0.002), "nats of spread",
          "The network with L = N = 8 has not fallen silent: its logits still depend on its input."),
    Claim("more-first", lambda m: max(share_of_wait(m, n) for n in (4, 8)), below(0.75), "of the time",
          "With N = 4 and with N = 8, four times as many labels are learned in less than three quarters of "
          "the time that L = N takes; 0: L = N never is."),
    Claim("adam-leaves", lambda m: float(m["n4-l4-adam"]["left"]), below(2000), "steps",
          "With L = N = 4 Adam gets away from ln 4 by step 2,000.",
          digits=4),
    Claim("adam-first", lambda m: times_as_long(m, "n4-l4", "n4-l4-adam"), above(1.5), "times as long",
          "SGD takes more than 1.5 times as long as Adam, or has not got away by step 2,500."),
]
# fmt: on

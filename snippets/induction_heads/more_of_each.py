"""Which part of an induction head do more classes delay, and which more labels?

Source: singh2024, figure 6, by the released runs (50, 100, 200 classes; 5, 10, 15 labels,
one head in the second layer). Here: 12 and 48 classes, 4 and 12 labels, and the parts are
learned alone, with both others clamped. Cell shared: 48 classes in 12 dimensions.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

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
from snippets.icl.tasks.relabelled import Task, sample
from snippets.icl.training.clamped_networks import Training, new_network, train, wait

# all is learned; the match alone; the copy alone
CLAMPS = ((), ("previous", "copy"), ("previous", "match"))
WHOLE, MATCH, COPY = range(3)
FEW = Training(
    Task(3, n_classes=12, n_labels=4), CLAMPS, n_steps=640, evaluate_every=4, n_test=256
)
PRESETS = {
    "laptop": {
        "few": FEW,
        "classes": replace(FEW, task=Task(3, n_classes=48, n_labels=4)),
        "labels": replace(FEW, task=Task(3, n_classes=12, n_labels=12)),
        "shared": replace(FEW, task=Task(3, n_classes=48, n_labels=4, d_item=12)),
    }
}


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)
    vectors = config.task.vectors(fixed)
    network = new_network(config, weights)
    test = sample(config.task, vectors, config.n_test, exam)
    curves = train(network, vectors, config, data, test)
    n, losses = config.task.n_pairs, curves["loss"].T
    return {
        "wait": np.array([wait(curves["step"], loss, n) for loss in losses]),
        "loss": curves["loss"][-1],
    }


# --8<-- [end:run]


def longer(cell: str, part: int) -> Callable[[Measurements], float]:
    """How many times as long a part takes as with few classes and labels."""
    return lambda m: float(m[cell]["wait"][part] / m["few"]["wait"][part])


# fmt: off
CLAIMS = [
    Claim("classes-match", longer("classes", MATCH), above(2), "times as long",
          "With four times the classes the match alone takes more than twice as long.",
          Reported("singh2024", "figure 6", "more classes delay the match", SMALLER)),
    Claim("classes-copy", longer("classes", COPY), between(0.8, 1.25), "times as long",
          "The copy alone takes as long as before."),
    Claim("labels-copy", longer("labels", COPY), above(3), "times as long",
          "With three times the labels the copy alone takes more than three times as long.",
          Reported("singh2024", "figure 6", "more labels delay the copy", SMALLER)),
    Claim("labels-match", longer("labels", MATCH), between(0.9, 2), "times as long",
          "The match alone takes less than twice as long."),
    Claim("classes-whole", longer("classes", WHOLE), above(1.2), "times as long",
          "Where all is learned, four times the classes make the wait longer."),
    Claim("labels-whole", longer("labels", WHOLE), above(1.3), "times as long",
          "Where all is learned, three times the labels make the wait longer."),
    Claim("shared-match", longer("shared", MATCH), between(0.7, 1.5), "times as long",
          "Four times the classes in as many dimensions as before do not delay the match."),
    Claim("shared-whole", longer("shared", WHOLE), below(1.25), "times as long",
          "Nor do they delay the whole."),
]
# fmt: on

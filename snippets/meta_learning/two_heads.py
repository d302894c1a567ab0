"""Do two heads in each layer take the plateaus away?

Source: minegishi2025, section 5.1 and figure 8: with two heads instead of one the
circuits form side by side and accuracy climbs more smoothly. Here: the setting of
`phases` with two heads of half the width, and fewer steps.
"""

import numpy as np

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.tasks.label_maps import Task
from snippets.icl.training.label_map_training import (
    Config,
    first_step,
    longest_rest,
    train,
)

PRESETS = {
    "laptop": Config(n_heads=2, n_steps=5000),
    "paper": Config(
        Task(n_slots=65),
        n_heads=2,
        first_scale=1.0,
        learning_rate=0.01,
        momentum=0.0,
        mastered=2.0,
        batch=128,
        n_steps=400_000,
        evaluate_every=1000,
    ),
}


def run(config: Config, seed: int) -> Measurements:
    m = train(config, seed)
    return {
        **m,
        "rest": longest_rest(m)[0],
        "split": split(m),
        "reader": reader(m),
        "division": division(m),
    }


def stronger(m: Measurements, name: str) -> np.ndarray:
    """The curve of the head that has more of it, at every step."""
    return m[name].max(1)


def split(m: Measurements) -> float:
    """The first step at which moving the labels costs a tenth, or infinity."""
    return first_step(m, m["accuracy"] - m["accuracy_moved"], 0.1)


def reader(m: Measurements) -> float:
    """What the head of layer 2 that looks at labels more gives them when accuracy first
    reaches 0.6, which is on the way to what labels alone can tell; 0 if it never does.
    """
    there = m["step"] >= first_step(m, m["accuracy"], 0.6)
    return float(stronger(m, "label_2")[there][0]) if there.any() else 0.0


def division(m: Measurements) -> float:
    """In layer 2: one head's attention to the query itself or the other's to labels,
    whichever is less; at its height, for the better choice of which head is which."""
    return float(np.minimum(m["bigram_2"], m["label_2"][:, ::-1]).max())


# fmt: off
CLAIMS = [
    Claim("split", split, below(2500), "steps",
          "With two heads moving the labels costs a tenth before step 2,500.",
          Reported("minegishi2025", "section 5.1 and figure 8", "circuits are found sooner", SMALLER),
          digits=3),
    Claim("smooth", lambda m: longest_rest(m)[0], below(600), "steps",
          "With two heads accuracy does not rest within a band of 0.05 for 600 steps.",
          Reported("minegishi2025", "section 5.1 and figure 8",
                   "accuracy climbs more smoothly, without the phases of one head", SMALLER),
          digits=3),
    Claim("division", division, above(0.4), "",
          "One head of layer 2 gives the query itself more than 0.4 while the other gives labels more than "
          "that.",
          Reported("minegishi2025", "section 5.1 and figure 8",
                   "one head is like the first circuit and the other like the third", SMALLER)),
]
# fmt: on

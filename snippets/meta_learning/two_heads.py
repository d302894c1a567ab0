"""Do two heads in each layer take the plateaus away?

Source: minegishi2025, the section on multi-head attention: with more than one head the
circuits form side by side and accuracy climbs smoothly. Here: the setting of `phases`
with two heads of half the width, and fewer steps.
"""

import numpy as np
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.label_map_training import Config, first_step, longest_rest, train
from snippets.icl.label_maps import Task

PRESETS = {
    "laptop": Config(n_heads=2, n_steps=4500),
    "paper": Config(
        Task(n_slots=65),
        n_heads=2,
        first_scale=1.0,
        learning_rate=0.01,
        momentum=0.0,
        batch=128,
        n_steps=400_000,
        evaluate_every=1000,
    ),
}


def run(config: Config, seed: int) -> Measurements:
    return train(config, seed)


# --8<-- [start:derived]
def stronger(m: Measurements, name: str) -> np.ndarray:
    """The curve of the head that has more of it, at every step."""
    return m[name].max(1)


def side_by_side(m: Measurements) -> float:
    """In layer 1, the most that one head gives to the query itself while the other
    gives as much to the labels, before accuracy reaches nine tenths."""
    a, b = m["bigram_1"], m["label_1"]  # (step, head)
    both = np.maximum(np.minimum(a[:, 0], b[:, 1]), np.minimum(a[:, 1], b[:, 0]))
    return float(both[m["step"] < first_step(m, m["accuracy"], 0.9)].max())


def arrival(m: Measurements) -> float:
    return first_step(m, m["accuracy"], 0.9)


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="rest",
        says="With two heads accuracy rests within a band of 0.05 for under 450 steps.",
        value=lambda m: longest_rest(m)[0],
        holds=lambda v: v < 450,
        unit="steps",
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section on multi-head attention",
            "accuracy climbs without plateaus",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="arrival",
        says="With two heads accuracy reaches nine tenths before step 2,750.",
        value=arrival,
        holds=lambda v: v < 2750,
        unit="steps",
        digits=4,
    ),
    Claim(
        id="side-by-side",
        says=(
            "On the way one head of layer 1 gives the query itself, and the other the "
            "labels, more than 0.4 at the same step."
        ),
        value=side_by_side,
        holds=lambda v: v > 0.4,
        reported=Reported(
            "minegishi2025",
            "section on multi-head attention",
            "the circuits form in parallel, not in sequence",
            "reproduced at smaller scale",
        ),
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """Accuracy and its twin for every seed, and how layer 1 divides the work."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    for index, (name, label) in enumerate(
        (("accuracy", "as they are"), ("accuracy_moved", "labels moved"))
    ):
        style.seeds_and_median(top, x, [m[name] for m in runs], index, label)
    for name, text in (("query", "query alone"), ("labels", "query and labels")):
        level = float(np.median([m[f"ceiling_{name}"] for m in runs]))
        style.level(top, level, text, below=True)
    top.set(ylabel="accuracy", ylim=(0, 1.04))
    top.legend(loc="lower right")
    for index, (name, label) in enumerate(
        (("bigram_1", "itself, in one head"), ("label_1", "labels, in one head"))
    ):
        ys = [stronger(m, name) for m in runs]
        style.seeds_and_median(bottom, x, ys, index, label)
    bottom.set(xlabel="training step", ylabel="layer 1: attention", ylim=(-0.02, 1.04))
    bottom.legend(loc="lower right")
    return {"curves": figure}


# --8<-- [end:draw]

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
    m = train(config, seed)
    return {**m, "rest": longest_rest(m)[0], "reader": reader(m)}


# --8<-- [start:derived]
def stronger(m: Measurements, name: str) -> np.ndarray:
    """The curve of the head that has more of it, at every step."""
    return m[name].max(1)


def reader(m: Measurements) -> float:
    """What the head of layer 2 that looks at labels more gives them when accuracy first
    reaches 0.6, and layer 1 has just turned to the labels; 0 if it never does."""
    there = m["step"] >= first_step(m, m["accuracy"], 0.6)
    return float(stronger(m, "label_2")[there][0]) if there.any() else 0.0


def divided(m: Measurements) -> bool:
    """Whether one head of layer 2 reads labels by then."""
    return reader(m) > 0.25


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="smooth",
        says=(
            "With two heads accuracy does not rest within a band of 0.05 for 450 steps."
        ),
        value=lambda m: longest_rest(m)[0],
        holds=lambda v: v < 450,
        unit="steps",
        digits=3,
        quorum=0.6,  # in a third of the seeds tried beforehand it does rest
        reported=Reported(
            "minegishi2025",
            "section on multi-head attention",
            "accuracy climbs without plateaus",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="no-rest",
        says=(
            "Where a head of layer 2 gives labels more than a quarter by the time "
            "accuracy reaches 0.6, there is no such rest."
        ),
        value=lambda m: longest_rest(m)[0] if divided(m) else 0.0,
        holds=lambda v: v < 450,
        unit="steps",
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section on multi-head attention",
            "the circuits form in parallel, not in sequence",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="rest",
        says="Where neither head does, it rests for 450 steps or more.",
        value=lambda m: np.inf if divided(m) else longest_rest(m)[0],
        holds=lambda v: v >= 450,
        unit="steps",
        digits=3,
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """Accuracy and its twin for every seed, and how layer 2 divides the work."""
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
        (("bigram_2", "itself, in one head"), ("label_2", "labels, in one head"))
    ):
        ys = [stronger(m, name) for m in runs]
        style.seeds_and_median(bottom, x, ys, index, label)
    bottom.set(xlabel="training step", ylabel="layer 2: attention", ylim=(-0.02, 1.04))
    bottom.legend(loc="lower right")
    return {"curves": figure}


# --8<-- [end:draw]

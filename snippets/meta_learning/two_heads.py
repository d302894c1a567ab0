"""Do two heads in each layer take the plateaus away?

Source: minegishi2025, section 5.1 and figure 8: with two heads instead of one the
circuits form side by side and accuracy climbs more smoothly. Here: the setting of
`phases` with two heads of half the width, and fewer steps.
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
    return {
        **m,
        "rest": longest_rest(m)[0],
        "split": split(m),
        "reader": reader(m),
        "division": division(m),
    }


# --8<-- [start:derived]
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


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="split",
        says="With two heads moving the labels costs a tenth before step 4,000.",
        value=split,
        holds=lambda v: v < 4000,
        unit="steps",
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section 5.1 and figure 8",
            "circuits are found sooner",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="smooth",
        says=(
            "With two heads accuracy does not rest within a band of 0.05 for 1,100 "
            "steps."
        ),
        value=lambda m: longest_rest(m)[0],
        holds=lambda v: v < 1100,
        unit="steps",
        digits=3,
        reported=Reported(
            "minegishi2025",
            "section 5.1 and figure 8",
            "accuracy climbs more smoothly, without the phases of one head",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="division",
        says=(
            "One head of layer 2 gives the query itself more than 0.4 while the other "
            "gives labels more than that."
        ),
        value=division,
        holds=lambda v: v > 0.4,
        reported=Reported(
            "minegishi2025",
            "section 5.1 and figure 8",
            "one head is like the first circuit and the other like the third",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="early-reader",
        says=(
            "Where a head of layer 2 gives labels more than 0.3 by the time accuracy "
            "reaches 0.6, moving the labels costs a tenth before step 2,500."
        ),
        value=lambda m: split(m) if reader(m) > 0.3 else 0.0,
        holds=lambda v: v < 2500,
        unit="steps",
        digits=3,
    ),
    Claim(
        id="no-reader",
        says="Where neither gives them more than 0.2 by then, it does not.",
        value=lambda m: split(m) if reader(m) < 0.2 else np.inf,
        holds=lambda v: v >= 2500,
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

"""The figures of meta_learning/two_heads."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.two_heads import stronger


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

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
    for number, m in enumerate(runs):
        curves = (
            (top, m["accuracy"], 0, "as they are"),
            (top, m["accuracy_moved"], 1, "labels moved"),
            (bottom, stronger(m, "bigram_2"), 0, "itself, in one head"),
            (bottom, stronger(m, "label_2"), 1, "labels, in one head"),
        )
        for ax, curve, index, text in curves:
            label = text if number == 0 else f"_{text}, seed {number}"
            colour = style.colour(index)
            ax.plot(m["step"], curve, color=colour, linewidth=1, label=label)
    for name, text, x in (
        ("query", "query alone", 0.99),
        ("labels", "query and labels", 0.27),  # where no curve has got so far
    ):
        level = float(np.median([m[f"ceiling_{name}"] for m in runs]))
        style.level(top, level, text, x=x, below=name == "query")
    top.set(ylabel="accuracy", ylim=(0, 1.04))
    top.legend(loc="lower right")
    bottom.set(xlabel="training step", ylabel="layer 2: attention", ylim=(-0.02, 1.04))
    bottom.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return {"curves": figure}

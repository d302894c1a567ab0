"""The figure of induction_heads/more_of_each."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

CELLS = (
    ("few", "12 classes, 4 labels"),
    ("classes", "48 classes"),
    ("shared", "48 classes in\n12 dimensions"),
    ("labels", "12 labels"),
)
PARTS = ("all is learned", "the match alone", "the copy alone")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    for index, part in enumerate(PARTS):
        waits = np.array([[m[cell]["wait"][index] for cell, _ in CELLS] for m in runs])
        at = np.arange(len(CELLS)) + 0.22 * (index - 1)
        ax.plot(at, np.median(waits, 0), "_", color=style.colour(index), markersize=15)
        for seed, wait in enumerate(waits):
            named = part if seed == 0 else f"_{part}, seed {seed}"
            ax.plot(at, wait, "o", color=style.colour(index), markersize=4, label=named)
    ax.set_xticks(range(len(CELLS)), [name for _, name in CELLS], fontsize=8.5)
    ax.set(yscale="log", ylabel="the wait (steps)", ylim=(7, 900))
    ax.set_yticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1)
    return {"waits": figure}

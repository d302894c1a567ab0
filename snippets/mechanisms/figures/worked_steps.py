"""The figures of mechanisms/worked_steps: right answers against hops, in three ways of answering."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

CELLS = (  # name of the cell, colour, label
    ("steps", 0, "steps written out"),
    ("dots", 1, "after dots"),
    ("at-once", 2, "at once, 3× examples"),
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"hops": draw_hops(runs)}


def draw_hops(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4)
    titles = ("12 notes, as in training", "24 notes, twice as many")
    for ax, more, title in zip(axes[:, 0], (False, True), titles):
        x = runs[0]["steps"]["more_hops" if more else "hops"]
        for cell, index, label in CELLS:
            ys = [m[cell]["right_more" if more else "right"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, label, marker="o", markersize=3)
        style.beside(ax, 1 / 3, "1/3")
        ax.axvspan(0.5, 4.5, color=style.ink(), alpha=0.07, linewidth=0)
        ax.set(ylabel="share right", ylim=(-0.03, 1.05), xticks=x)
        ax.set_xlim(0.5, float(np.max(x)) + 0.5)
        ax.set_title(title, fontsize=9.5)
    axes[0, 0].legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.1), ncols=3, fontsize=8.5
    )
    axes[-1, 0].set(xlabel="hops to the treasure")
    return figure

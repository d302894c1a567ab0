"""The figures of meta_learning/meta_state."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"state": draw_state(runs)}


WIDTHS, WINDOWS = ("narrow", "wide"), (6, 12, 24)


def draw_state(runs: list[Measurements]) -> Figure:
    """The same accuracies against the size of the state and against the parameters."""
    figure, axes = style.panels(2, height=2.6, sharey=True)
    top, bottom = axes[:, 0]
    for index, width in enumerate(WIDTHS):
        cells = [f"{width}-{window}" for window in WINDOWS]
        x = np.array([runs[0][cell]["state"] for cell in cells])
        ys = [np.array([m[cell]["accuracy"] for cell in cells]) for m in runs]
        style.seeds_and_median(top, x, ys, index, width, marker="o")
    for index, window in enumerate(WINDOWS, start=2):
        cells = [f"{width}-{window}" for width in WIDTHS]
        x = np.array([runs[0][cell]["n_parameters"] for cell in cells])
        ys = [np.array([m[cell]["accuracy"] for cell in cells]) for m in runs]
        label = f"{window} tokens in sight"
        style.seeds_and_median(bottom, x, ys, index, label, marker="o")
    named = (
        (top, "state", "numbers in the state"),
        (bottom, "n_parameters", "parameters"),
    )
    for ax, key, name in named:
        ticks = sorted({int(cell[key]) for cell in runs[0].values()})
        ax.set(xscale="log", xlabel=name, ylabel="accuracy, unseen tasks")
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.set_xticks([], minor=True)
        style.level(ax, 1 / 5, "chance", x=0.2)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 0.12))
    top.set_ylim(0.1, 0.85)
    return figure

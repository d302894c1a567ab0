"""The figures of meta_learning/versus_digits."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.figures.versus_trials import NAMES
from snippets.meta_learning.versus_digits import ELSEWHERE, WAYS

SHOWN = ("icl", "ridge", "neighbour", "scratch", "maml")
BESIDE = ("icl", "wide", "maml", "anil", "tuned")  # beside the nearest neighbour


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "elsewhere": draw_elsewhere(runs)}


def draw_curves(runs: list[Measurements]) -> Figure:
    """Right answers above; below, how far those who were trained are ahead of the nearest
    neighbour."""
    figure, axes = style.panels(2, height=2.8, sharex=True)
    top, bottom = axes[:, 0]
    shots = runs[0]["shots"]
    right = {way: [m["right"][WAYS.index(way)] for m in runs] for way in WAYS}
    line = {"marker": "o", "markersize": 3.5}
    for index, way in enumerate(SHOWN):
        colour = 2 if way == "maml" else index and index + 2
        style.seeds_and_median(top, shots, right[way], colour, NAMES[way], **line)
    style.level(top, runs[0]["chance"], "chance", below=True)
    top.set(ylabel="share of right answers", ylim=(0.1, 0.85))
    for index, way in enumerate(BESIDE):
        ahead = [a - b for a, b in zip(right[way], right["neighbour"])]
        style.seeds_and_median(bottom, shots, ahead, index, NAMES[way], **line)
    style.beside(bottom, 0, "nearest\nneighbour")
    bottom.set(xlabel="examples shown", ylabel="ahead by")
    for ax in (top, bottom):
        ax.set(xscale="log")
        ax.set_xticks(shots, [str(n) for n in shots])
        ax.minorticks_off()
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=1
        )
    return figure


def draw_elsewhere(runs: list[Measurements]) -> Figure:
    """Twenty examples of data that no way was trained on."""
    figure, axes = style.panels(1, height=3.6)
    ax = axes[0, 0]
    rows = ("icl", "wide", "maml", "scratch", "neighbour", "ridge")
    for index, way in enumerate(rows):
        shift = 0.12 * (index - 2.5)
        values = [m["elsewhere"][:, WAYS.index(way)] for m in runs]
        for number, v in enumerate(values):
            y = np.arange(len(ELSEWHERE)) + shift
            colour = style.colour(index)
            ax.plot(v, y, ".", color=colour, alpha=0.4, label=f"_{way}, seed {number}")
        ax.plot(
            np.median(values, 0), y, "|", color=colour, markersize=8,
            markeredgewidth=2.5, label=NAMES[way],
        )  # fmt: skip
    ax.invert_yaxis()
    names = [name.replace(" ", "\n") for name in ELSEWHERE]
    ax.set_yticks(range(len(ELSEWHERE)), names)
    ax.set(xlabel="share of right answers after 20 examples")
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=1)
    return figure

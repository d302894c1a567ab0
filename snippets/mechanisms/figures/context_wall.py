"""The figure of mechanisms/context_wall."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

EDGES = (2, 3, 4, 5, 6, 7, 9, 13, 17, 25, 33, 49, 65)  # shots, pooled where many


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.7, sharex=True)
    top, bottom = axes[:, 0]
    for index, name in enumerate(("none", "alibi", "rotary", "learned")):
        words = {"none": "no positions", "alibi": "ALiBi"}.get(name, name)
        draw_one(top, runs, name, "accuracy", index, words)
    moved = (
        ("rotary", "accuracy", 2, "rotary", "--"),
        ("rotary", "squeezed", 2, "rotary, squeezed", "-"),
        ("learned", "accuracy", 3, "learned", "--"),
        ("shifted", "accuracy", 3, "learned, shifted", "-"),
    )
    for cell, name, index, words, line in moved:
        draw_one(bottom, runs, cell, name, index, words, linestyle=line)
    for ax in (top, bottom):
        best = np.median([pooled(m["none"]["best"]) for m in runs], 0)
        ax.plot(middles(), best, ":", color=style.ink(), label="exact predictor")
        ax.axvline(6.5, color=style.ink(), linewidth=0.9)
        ax.set(ylabel="share right", ylim=(0.5, 1.0), xscale="log")
        ax.set_xticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
        ax.minorticks_off()
        ax.legend(loc="lower right", fontsize=8)
    top.annotate("trained to here", (6.3, 0.97), fontsize=8.5, ha="right")
    bottom.set_xlabel("number of the shot that is asked")
    return {"curves": figure}


def pooled(curve: np.ndarray) -> np.ndarray:
    """Means over groups of shots: one shot alone is noisy."""
    pairs = pairwise(EDGES)
    return np.array([curve[a - 1 : b - 1].mean() for a, b in pairs])


def middles() -> np.ndarray:
    return np.array([(a + b - 1) / 2 for a, b in pairwise(EDGES)])


def draw_one(
    ax: Axes,
    runs: list[Measurements],
    cell: str,
    name: str,
    index: int,
    words: str,
    **line,
) -> None:
    curves = [pooled(m[cell][name]) for m in runs]
    style.seeds_and_median(ax, middles(), curves, index, words, **line)

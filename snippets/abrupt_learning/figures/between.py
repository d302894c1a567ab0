"""The figure of abrupt_learning/between."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.between import COUNTS, ends, leads, switch
from snippets.contract import Measurements

DASHES = ("-", "--", "-.", ":", (0, (1, 1)))  # a seed each
MARKS = "os^Dv"


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(2, height=2.75)
    for number, m in enumerate(runs):
        draw_seed(axes[0, 0], axes[1, 0], m, number)
    draw_median(axes[0, 0], runs)
    finish(axes[0, 0], axes[1, 0])
    figure.legend(loc="outside upper center", ncols=3)
    return {"switch": figure}


def draw_seed(above: Axes, below: Axes, m: Measurements, number: int) -> None:
    """Its lead against K, where that crosses, and each of its networks as a point."""
    line: dict[str, Any] = {
        "color": style.colour(number),
        "label": f"seed {number}",
        "linewidth": 1,
    }
    look: dict[str, Any] = {
        "linestyle": DASHES[number % 5],
        "marker": MARKS[number % 5],
    }
    above.plot(COUNTS, leads(m), **line, **look, markersize=3)
    if np.isfinite(switch(m)):
        above.plot([switch(m)], [-1.22], "|", color=style.colour(number), markersize=9)
    below.plot(
        *(ends(m, "context"), ends(m, "memory"), MARKS[number % 5]),
        color=style.colour(number),
        markersize=4,
    )


def draw_median(ax: Axes, runs: list[Measurements]) -> None:
    middle = np.median([leads(m) for m in runs], 0)
    ax.plot(COUNTS, middle, color=style.ink(), linewidth=2.4, label="median")


def finish(above: Axes, below: Axes) -> None:
    above.axhline(0, color=style.ink(), linewidth=0.9, linestyle=":")
    above.set(xscale="log", ylim=(-1.35, 1.1), ylabel="context less memory")
    shown = [K for K in COUNTS if K != 448]
    above.set_xticks(shown, [f"{K}" for K in shown])
    above.minorticks_off()
    above.set(xlabel="$K$, number of classes in training")
    below.plot([0, 1], [1, 0], color=style.ink(), linewidth=0.9, linestyle=":")
    below.axvline(0.5, color=style.ink(), linewidth=0.5, alpha=0.5)
    below.axhline(0.5, color=style.ink(), linewidth=0.5, alpha=0.5)
    below.set(xlim=(0, 1.04), ylim=(0, 1.04))
    below.set(xlabel="right from context", ylabel="right from memory")
    below.annotate("both", (0.75, 0.75), ha="center", va="center")

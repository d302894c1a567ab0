"""The figures of algorithms/rank_one."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

KINDS = (
    ("trained", "trained"),
    ("untrained", "untrained"),
    ("nonsense", "trained, y of another prompt"),
)
CHANGES = (
    ("none", "no change"),
    ("other", "another query's"),
    ("own", "the query's own"),
    ("all", "one for all queries"),
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"moved": draw_moved(runs), "kept": draw_kept(runs)}


def draw_moved(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    n = np.arange(1, len(runs[0]["trained_moved"]) + 1)
    for index, (name, label) in enumerate(KINDS):
        curves = [m[f"{name}_moved"] for m in runs]
        style.seeds_and_median(ax, n, curves, index, label)
    line = {"color": style.ink(), "linewidth": 0.9, "linestyle": ":"}
    ax.plot(n, 0.3 / n, label="_1/n", **line)
    ax.annotate(
        "slope of $1/n$",
        (7, 0.3 / 7),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=9,
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="example read",
        ylabel="move of the change, of |W|",
    )
    ax.set_xticks((1, 2, 5, 10, 20), ("1", "2", "5", "10", "20"))
    ax.minorticks_off()
    ax.legend(loc="lower left")
    return figure


def draw_kept(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.2)
    ax = axes[0, 0]
    for row, (name, _) in enumerate(CHANGES):
        losses = [float(m[f"loss_{name}"]) for m in runs]
        bar = {"color": style.colour(0), "alpha": 0.35, "height": 0.6}
        ax.barh(row, np.median(losses), label=f"_{name}, median", **bar)
        dots = {"color": style.colour(0), "markersize": 4}
        ax.plot(losses, [row] * len(losses), "o", label=f"_{name}", **dots)
    ax.set_yticks(range(len(CHANGES)), [label for _, label in CHANGES])
    ax.set(
        xlabel="loss without the context, W changed", ylim=(3.6, -0.6), xlim=(0, None)
    )
    return figure

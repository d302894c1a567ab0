"""The figures of algorithms/staircase."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.staircase import KINDS
from snippets.contract import Measurements

TITLES = {
    "apart": "five heads, one key and query each",
    "full": "one head, four keys and queries",
    "merged": "one head, key and query merged",
}

LABELS = {"apart": "five heads", "full": "four keys and queries", "merged": "merged"}
ABOVE = {"wait": "to half of the first drop", "gap": "from there to half of the second"}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "waits": draw_waits(runs)}


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, height=1.9, sharex=True)
    for ax, kind in zip(axes[:, 0], KINDS):
        for number, m in enumerate(runs):
            line = {"color": style.colour(number), "linewidth": 1.2}
            ax.plot(m["time"], m[kind], label=f"_seed {number}", **line)
            ax.plot(
                m["time"],
                m[f"{kind}_flow"],
                ls="--",
                alpha=0.5,
                label=f"_flow {number}",
                **line,
            )
        for number, level in enumerate(runs[0]["levels"]):
            style.beside(ax, level, str(number), shift=(0, 0, 1, 3, -4)[number])
        ax.set(xscale="log", title=TITLES[kind], ylabel="mean loss", ylim=(0, 4))
    axes[-1, 0].set(xlabel="training time: steps times learning rate", xlim=(0.1, None))
    return figure


def draw_waits(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    sizes = runs[0]["sizes"]
    for ax, what in zip(axes[:, 0], ("wait", "gap")):
        for index, (kind, label) in enumerate(LABELS.items()):
            curves = [np.median(m[f"{what}_{kind}"], 1) for m in runs]
            style.seeds_and_median(ax, sizes, curves, index, label)
        if what == "wait":
            bounds = [np.median(m["bound"], 1) for m in runs]
            style.seeds_and_median(ax, sizes, bounds, 0, "bound, apart", linestyle="--")
        ax.set(xscale="log", yscale="log", title=ABOVE[what], ylabel="training time")
        ax.set_ylim(0.1, 600)  # room for the legend
        ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
        ax.minorticks_off()
    axes[0, 0].legend(loc="upper right")
    axes[-1, 0].set(xlabel="size of the first weights")
    return figure

"""The figures of algorithms/staircase."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.staircase import KINDS, PRESETS
from snippets.contract import Measurements

TITLES = {
    "apart": "five heads, one key and query each",
    "full": "one head, four keys and queries",
    "merged": "one head, key and query merged",
}


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
    figure, axes = style.panels(1, height=3.0)
    ax, sizes = axes[0, 0], np.array(PRESETS["laptop"].sizes)
    for index, (name, label) in enumerate(
        (
            ("apart", "key and query apart"),
            ("merged", "merged"),
            ("bound", "bound, apart"),
        )
    ):
        waits = [np.median(m[f"wait_{name}"], 1) for m in runs]
        line = "--" if name == "bound" else "-"
        style.seeds_and_median(ax, sizes, waits, index, label, linestyle=line)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="size of the first weights",
        ylabel="time to half of the first drop",
    )
    ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return figure

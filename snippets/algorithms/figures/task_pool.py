"""The figures of algorithms/task_pool."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.task_pool import NOISES, SIZES, by_size
from snippets.contract import Measurements

X = np.array(SIZES)
KINDS = {"pool": "tasks of the pool", "new": "new tasks"}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"distance": draw_distance(runs), "weight": draw_weight(runs)}


def draw_distance(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, 2, height=2.3, sharex=True, sharey=True)
    curves = (("memory", 0, "network to memory"), ("ridge", 1, "network to ridge"))
    for row, (noise, size) in enumerate(NOISES.items()):
        for ax, (kind, words) in zip(axes[row], KINDS.items()):
            for name, index, label in curves:
                ys = [by_size(m, noise, f"{kind}_{name}") for m in runs]
                style.seeds_and_median(ax, X, ys, index, label, marker="o", ms=3)
            between = np.median([by_size(m, noise, f"{kind}_apart") for m in runs], 0)
            look = {"color": style.ink(), "linewidth": 1.1, "linestyle": ":"}
            ax.plot(SIZES, between, label="memory to ridge", **look)
            ax.set_title(f"{words}, noise {size:g}", fontsize=9.5)
            ax.set(xscale="log", yscale="log")
            ax.set_xticks(SIZES, [str(M) for M in SIZES])
            ax.minorticks_off()
        axes[row, 0].set(ylabel="distance, over d")
    for ax in axes[1]:
        ax.set(xlabel="tasks in the pool, M")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=8.5)
    return figure


def draw_weight(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.5)
    ax = axes[0, 0]
    for index, (noise, size) in enumerate(NOISES.items()):
        ys = [by_size(m, noise, "new_weight") for m in runs]
        label = f"noise {size:g}"
        style.seeds_and_median(ax, X, ys, index, label, marker="o", ms=3)
    style.level(ax, 0.5, "half and half", x=0.2, below=True)
    ax.set(xscale="log", xlabel="tasks in the pool, M", ylabel="weight on memory")
    ax.set_xticks(SIZES, [str(M) for M in SIZES])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return figure

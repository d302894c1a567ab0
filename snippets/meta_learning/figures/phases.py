"""The figures of meta_learning/phases."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.phases import attention


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "accuracy": draw_accuracy(runs),
        "attention": draw_attention(runs),
    }


def draw_accuracy(runs: list[Measurements]) -> Figure:
    """Accuracy and its twin for every seed, against the three ceilings."""
    figure, axes = style.panels(2, height=2.6, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    for number, m in enumerate(runs):
        top.plot(x, m["accuracy"], linewidth=1.2, label=f"seed {number}")
    for name, text in (("query", "query alone"), ("labels", "query and labels")):
        level = float(np.median([m[f"ceiling_{name}"] for m in runs]))
        style.level(top, level, text)
    top.set(ylabel="accuracy", ylim=(0, 1.04))
    top.legend(loc="lower right", ncols=3, columnspacing=1, fontsize=8.5)
    curves = (("accuracy", "as they are"), ("accuracy_moved", "labels moved"))
    for index, (name, label) in enumerate(curves):
        style.seeds_and_median(bottom, x, [m[name] for m in runs], index, label)
    bottom.set(xlabel="training step", ylabel="accuracy", ylim=(0, 1.04))
    bottom.legend(loc="lower right")
    return figure


TARGETS = ((0, "bigram", "itself"), (1, "label", "labels"))  # colour, name, label


def draw_attention(runs: list[Measurements]) -> Figure:
    """Where the query looks, in both layers, and in layer 1 where a label looks."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    x = runs[0]["step"]
    for layer, ax in enumerate(axes[:, 0], start=1):
        for index, name, label in TARGETS:
            ys = [attention(m, f"{name}_{layer}") for m in runs]
            style.seeds_and_median(ax, x, ys, index, label)
        ax.set(ylabel=f"layer {layer}: attention", ylim=(-0.02, 1.04))
    ys = [attention(m, "chunk") for m in runs]
    text = "a label to its item"
    style.seeds_and_median(axes[0, 0], x, ys, 2, text, linestyle="--")
    axes[0, 0].legend(loc="upper right", ncols=3, fontsize=8, columnspacing=1)
    axes[1, 0].set_xlabel("training step")
    return figure

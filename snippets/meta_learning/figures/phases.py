"""The figures of meta_learning/phases."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.training.circuits import attention


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "accuracy": draw_accuracy(runs),
        "attention": draw_attention(runs),
    }


def draw_accuracy(runs: list[Measurements]) -> Figure:
    """Accuracy and its twin for every seed, against the two ceilings. Runs end apart."""
    figure, axes = style.panels(2, height=2.6, sharex=True)
    top, bottom = axes[:, 0]
    for number, m in enumerate(runs):
        top.plot(m["step"], m["accuracy"], linewidth=1.2, label=f"seed {number}")
        bottom.plot(m["step"], m["accuracy_moved"], linewidth=1.2)
    for ax in (top, bottom):
        for name, text in (("query", "query alone"), ("labels", "query and labels")):
            level = float(np.median([m[f"ceiling_{name}"] for m in runs]))
            style.level(ax, level, text, below=True)
    top.set(ylabel="accuracy", ylim=(0, 1.04))
    top.legend(loc="lower right", ncols=3, columnspacing=1, fontsize=8.5)
    bottom.set(xlabel="training step", ylabel="accuracy, labels moved", ylim=(0, 1.04))
    return figure


TARGETS = ((0, "bigram", "itself"), (1, "label", "labels"))  # colour, name, label


def draw_attention(runs: list[Measurements]) -> Figure:
    """Where the query looks, in both layers, and in layer 1 where a label looks."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    for layer, ax in enumerate(axes[:, 0], start=1):
        curves = [(index, f"{name}_{layer}", text) for index, name, text in TARGETS]
        if layer == 1:
            curves.append((2, "chunk", "a label to its item"))
        for index, name, text in curves:
            for number, m in enumerate(runs):
                ax.plot(
                    m["step"], attention(m, name), color=style.colour(index),
                    linewidth=1, alpha=0.8, label=text if not number else f"_{text}{number}",
                )  # fmt: skip
        ax.set(ylabel=f"layer {layer}: attention", ylim=(-0.02, 1.04))
    axes[0, 0].legend(loc="upper right", ncols=3, fontsize=8, columnspacing=1)
    axes[1, 0].set_xlabel("training step")
    return figure

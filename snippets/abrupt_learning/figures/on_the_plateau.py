"""The figure of abrupt_learning/on_the_plateau."""

import numpy as np
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.style import panels, seeds_and_median

CURVES = {
    "answers": "cosine of answers",
    "repeats": "commonest answer",
    "label_to_item": "layer 1, label to item",
    "target_to_label": "layer 2, to the label",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"wait": draw_wait(runs)}


def draw_wait(runs: list[Measurements]) -> Figure:
    """Above, what the answers do while the loss waits; below, accuracy with and without help."""
    fig, axes = panels(2, 1, height=2.4, sharex=True)
    steps = np.array(runs[0]["alone"]["step"])
    for index, (name, label) in enumerate(CURVES.items()):
        seeds_and_median(
            axes[0, 0], steps, [m["alone"][name] for m in runs], index, label
        )
    for index, (cell, label) in enumerate(
        {"alone": "alone", "helped": "a fifth of layer 1 given"}.items()
    ):
        seeds_and_median(
            axes[1, 0], steps, [m[cell]["accuracy"] for m in runs], index + 4, label
        )
    axes[0, 0].set(ylim=(0, 1), ylabel="share, or cosine")
    axes[1, 0].set(ylim=(0, 1), ylabel="right, new classes", xlabel="training step")
    for ax in axes[:, 0]:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig

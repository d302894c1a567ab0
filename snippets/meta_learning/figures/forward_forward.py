"""The figure of meta_learning/forward_forward."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"cosine": draw_cosine(runs)}


def draw_cosine(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, lengths = axes[0, 0], runs[0]["T"]
    x = np.arange(len(lengths))  # evenly, 0 among them
    for index, (name, label) in enumerate(
        (
            ("first_order", "outer slope, carried back to the end of training alone"),
            ("cosine", "goals of each layer's own"),
        )
    ):
        curves = [m[name] for m in runs]
        style.seeds_and_median(ax, x, curves, index, label, marker="o")
    style.level(ax, 0, "at right angles", x=0.3)
    ax.set(
        ylim=(-0.3, 1.35),
        xlabel="steps of training",
        ylabel="cosine with the\nhypergradient",
        yticks=(0, 0.5, 1),
    )
    ax.set_xticks(x, [str(length) for length in lengths])
    ax.legend(loc="upper left")
    return figure

"""The figures of abrupt_learning/curriculum."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.style import colour, level, panels


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "adam": draw_adam(runs)}


def curves_of(
    ax: Axes, runs: list[Measurements], cell: str, index: int, name: str
) -> None:
    """The loss of each seed: a cell stops at different steps, so there is no median."""
    for number, m in enumerate(runs):
        label = name if not number else f"_{name}, seed {number}"
        x, y = m[cell]["step"], m[cell]["loss"]
        ax.plot(x, y, color=colour(index), linewidth=1.1, alpha=0.8, label=label)


def draw_curves(runs: list[Measurements]) -> Figure:
    fig, axes = panels(3, height=2.0)
    for ax, n in zip(axes[:, 0], (2, 4, 8)):
        curves_of(ax, runs, f"n{n}-l{4 * n}", 0, f"L = {4 * n}")
        if n == 4:
            curves_of(ax, runs, "n4-l5", 2, "L = 5")
        curves_of(ax, runs, f"n{n}-l{n}", 1, f"L = N = {n}")
        free: dict[str, Any] = {"x": 0.08, "below": True} if n == 2 else {}
        level(ax, math.log(n), "$\\ln N$", **free)
        last = max(float(m[f"n{n}-l{n}"]["step"][-1]) for m in runs)
        ax.set(ylabel="loss (nats)", ylim=(0, None), xlim=(0, 1.02 * last))
        ax.set_title(f"N = {n}")
        ax.legend(loc="upper right" if n < 8 else "lower left")
    axes[-1, 0].set(xlabel="training step")
    return fig


def draw_adam(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.1)
    names = (("", "SGD"), ("-adam", "Adam"))
    for ax, n_labels in zip(axes[:, 0], (4, 16)):
        for index, (suffix, name) in enumerate(names):
            curves_of(ax, runs, f"n4-l{n_labels}{suffix}", 2 * index, name)
        level(ax, math.log(4), "$\\ln N$")
        ax.set_title("L = N = 4" if n_labels == 4 else "N = 4, L = 16")
        ax.set(ylabel="loss (nats)", ylim=(0, None), xlim=(0, None))
        ax.legend(loc="lower right" if n_labels == 4 else "upper right")
    axes[-1, 0].set(xlabel="training step")
    return fig

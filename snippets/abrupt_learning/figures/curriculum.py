"""The figures of abrupt_learning/curriculum."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from snippets.abrupt_learning.curriculum import PRESETS, learned
from snippets.contract import Measurements
from snippets.style import colour, level, panels

PAIRS, RATIOS = (2, 4, 8), (1, 2, 4)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "grid": draw_grid(runs),
        "adam": draw_adam(runs),
    }


def curves_of(
    ax: Axes, runs: list[Measurements], cell: str, index: int, name: str
) -> None:
    """The loss of each seed: a cell stops at different steps, so there is no median."""
    for number, m in enumerate(runs):
        label = name if not number else f"_{name}, seed {number}"
        x, y = m[cell]["step"], m[cell]["loss"]
        ax.plot(x, y, color=colour(index), linewidth=1.1, alpha=0.8, label=label)


def draw_curves(runs: list[Measurements]) -> Figure:
    fig, axes = panels(3, height=1.9, sharex=True)
    for ax, n in zip(axes[:, 0], PAIRS):
        curves_of(ax, runs, f"n{n}-l{4 * n}", 0, f"L = {4 * n}")
        curves_of(ax, runs, f"n{n}-l{n}", 1, f"L = N = {n}")
        level(ax, math.log(n), "ln N")
        ax.set(ylabel="loss (nats)", ylim=(0, None))
        ax.set_title(f"N = {n}")
        ax.legend(loc="upper right" if n < 8 else "lower left")
    axes[-1, 0].set(xlabel="training step", xlim=(0, 2500))
    return fig


def draw_grid(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.0)
    ax = axes[0, 0]
    steps = np.array(
        [[[learned(m, n, n * r) for r in RATIOS] for n in PAIRS] for m in runs]
    )
    last = PRESETS["laptop"]["n8-l8"].n_steps
    shown: ndarray = np.median(np.minimum(steps, last), 0)
    ax.imshow(shown, cmap="viridis_r", vmin=0, vmax=last, aspect="auto")
    for row in range(len(PAIRS)):
        for column in range(len(RATIOS)):
            values = steps[:, row, column]
            count = int(np.isfinite(values).sum())
            middle = np.median(values)
            text = f"{middle:,.0f}" if np.isfinite(middle) else f"not by {last:,}"
            dark = shown[row, column] > last / 2
            ax.text(
                column,
                row,
                f"{text}\n{count} of {len(runs)}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=9,
            )
    ax.set_xticks(range(len(RATIOS)), ["L = N", "L = 2N", "L = 4N"])
    ax.set_yticks(range(len(PAIRS)), [f"N = {n}" for n in PAIRS])
    ax.grid(False)
    return fig


def draw_adam(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.1, sharex=True)
    names = (("", "SGD"), ("-adam", "Adam"))
    for ax, n_labels in zip(axes[:, 0], (4, 16)):
        for index, (suffix, name) in enumerate(names):
            curves_of(ax, runs, f"n4-l{n_labels}{suffix}", 2 * index, name)
        level(ax, math.log(4), "ln N")
        ax.set_title("L = N = 4" if n_labels == 4 else "N = 4, L = 16")
        ax.set(ylabel="loss (nats)", ylim=(0, None))
        ax.legend(loc="lower right" if n_labels == 4 else "upper right")
    axes[-1, 0].set(xlabel="training step", xlim=(0, 2500))
    axes[0, 0].set(ylim=(0, 1.7))
    return fig

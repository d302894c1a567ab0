"""The figures of abrupt_learning/cliff_in_network."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from snippets.abrupt_learning.cliff_in_network import PRESETS, has_edge
from snippets.contract import Measurements
from snippets.style import ink, level, panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    learned = [m for m in runs if has_edge(m)]
    return {"numbers": draw_numbers(learned), "loss": draw_loss(learned)}


# steps before and after the edge, so that the cliffs lie on top of each other
AROUND = np.arange(-1000, 801, 25)


def around(runs: list[Measurements], name: str) -> list[ndarray]:
    """Every seed's curve around its own edge, held at its first and last values."""
    return [np.interp(AROUND, m["step"] - m["edge"], m[name]) for m in runs]


def number_around(
    runs: list[Measurements], index: int, name: str = "fitted"
) -> list[ndarray]:
    """The same for number `index` of (xi, alpha, beta)."""
    return [np.interp(AROUND, m["step"] - m["edge"], m[name][:, index]) for m in runs]


def curves(
    ax: Axes, ys: list[ndarray], index: int, label: str, style: str = "-"
) -> None:
    """Every seed's curve and their median; nothing where no seed has an edge."""
    if ys:
        seeds_and_median(ax, AROUND, ys, index, label, linestyle=style)


LETTERS = ("$\\xi$", "$\\alpha$", "$\\beta$")


def mark_edge(ax: Axes) -> None:
    ax.axvline(0, color=ink(), linewidth=0.9, linestyle=":", label="_edge")


def draw_numbers(runs: list[Measurements]) -> Figure:
    n = PRESETS["laptop"].task.n_pairs
    fig, axes = panels(3, height=1.9, sharex=True)
    for ax, index, name in zip(axes[:, 0], range(3), LETTERS):
        label = "read off the contrast" if index == 1 else name
        curves(ax, number_around(runs, index), index + 1, label)
        mark_edge(ax)
        ax.set(ylabel=name)
    by_share = number_around(runs, 1, "fitted_from_share")
    curves(axes[1, 0], by_share, 5, "read off the share", "--")
    axes[1, 0].set_ylim(-1, 12)
    if runs:
        axes[1, 0].legend(loc="upper left")
    # attention to the own item where all logits are 0
    uniform = np.mean([1 / (2 * k) for k in range(1, n + 1)])
    level(axes[2, 0], float(np.log(n * uniform / (1 - uniform))), "uniform attention")
    axes[-1, 0].set(xlabel="steps after the edge")
    return fig


def draw_loss(runs: list[Measurements]) -> Figure:
    task = PRESETS["laptop"].task
    fig, axes = panels(1, height=3.2)
    ax = axes[0, 0]
    by_contrast = around(runs, "predicted_loss")
    by_share = around(runs, "predicted_loss_from_share")
    mass = around(runs, "loss_from_mass")
    curves(ax, around(runs, "loss"), 0, "measured")
    curves(ax, by_contrast, 1, "three numbers, by contrast", "--")
    curves(ax, by_share, 5, "three numbers, by share", ":")
    curves(ax, mass, 4, "even guess among shown labels", "-.")
    level(ax, float(np.log(task.n_labels)), "$\\ln L$")
    level(ax, float(np.log(task.n_pairs)), "$\\ln N$")
    mark_edge(ax)
    ax.set(xlabel="steps after the edge", ylabel="loss on new classes (nats)")
    ax.set(ylim=(0, 3.9))
    if runs:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8.5)
    return fig

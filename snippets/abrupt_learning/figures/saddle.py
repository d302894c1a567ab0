"""The figures of abrupt_learning/saddle."""

import numpy as np
from matplotlib.figure import Figure

from snippets.abrupt_learning.saddle import PRESETS, wait_at_a_saddle, wait_on_a_slope
from snippets.contract import Measurements
from snippets.style import colour, ink, panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "wait": draw_wait(runs),
        "around": draw_around(runs),
        "grid": draw_grid(runs),
    }


NAMES = ("L = N", "L = N + 1", "L = 4 N")


def draw_wait(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.1)
    ax, n = axes[0, 0], PRESETS["laptop"].n_pairs
    for index, name in enumerate(NAMES):
        curves = [m["edges_by_size"][:, index] for m in runs]
        dots = {"linestyle": "none", "marker": "o", "markersize": 5}
        seeds_and_median(ax, runs[0]["sizes"], curves, index, name, **dots)
    sizes = np.geomspace(1e-1, 1e-6, 20)
    total = float(np.median([m["total"] for m in runs]))
    theory = {"color": ink(), "linestyle": ":", "linewidth": 1.3}
    at_saddle = [wait_at_a_saddle(total * size, n) for size in sizes]
    ax.plot(sizes, at_saddle, label="theory", **theory)
    on_slope = np.full(len(sizes), wait_on_a_slope(n, PRESETS["laptop"].n_labels))
    ax.plot(sizes, on_slope, label="_theory, L = 4 N", **theory)
    ax.set(xscale="log", xlabel="size of the start", ylabel="time to the edge")
    ax.set(ylim=(0, None))
    ax.invert_xaxis()
    ax.legend()
    return fig


def draw_around(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.1)
    ax = axes[0, 0]
    for index, name in enumerate(NAMES):
        for number, m in enumerate(runs):
            label = name if not number else f"_{name}, seed {number}"
            dots = {"color": colour(index), "markersize": 3, "label": label}
            ax.plot(np.degrees(m["angles"]), m["edges_by_angle"][:, index], "o", **dots)
    for angle in (135, 315):
        ax.axvline(
            angle, color=ink(), linewidth=0.9, linestyle=":", label="_xi = -alpha"
        )
    ax.annotate(
        "$\\xi = -\\alpha$",
        (135, 60),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=8.5,
    )
    ax.set(xlabel="direction of the start (degrees from $\\xi$ to $\\alpha$)")
    ax.set(ylabel="time to the edge", yscale="log", xticks=range(0, 361, 45))
    ax.set(ylim=(50, 6000))
    ax.legend(loc="upper center", ncols=3, fontsize=8.5)
    return fig


def draw_grid(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.3)
    ax = axes[0, 0]
    for index, pairs in enumerate(PRESETS["laptop"].grid_pairs):
        for number, m in enumerate(runs):
            here = m["grid"][:, 0] == pairs
            absent = (m["grid"][here, 1] - pairs) / pairs
            x = np.where(absent == 0, 0.012, absent)  # a place of its own for L = N
            label = f"N = {pairs}" if not number else f"_N = {pairs}, seed {number}"
            dots = {"color": colour(index), "markersize": 3.5, "label": label}
            ax.plot(x, m["edges"][here], "o", **dots)
            if not number:
                ax.plot(
                    x[1:],
                    m["edges_predicted"][here][1:],
                    color=ink(),
                    linewidth=0.9,
                    linestyle=":",
                    label=f"_predicted, N = {pairs}",
                )
            ax.plot(
                x[0],
                m["edges_predicted"][here][0],
                "_",
                color=ink(),
                label=f"_predicted, N = {pairs}, L = N, seed {number}",
            )
    ax.set(xscale="log", yscale="log", ylabel="time to the edge")
    ax.set_xticks([0.012, 0.1, 1, 10], ["L = N", "0.1", "1", "10"])
    ax.minorticks_off()
    ax.set(xlabel="absent labels for each label shown, (L - N) / N")
    ax.legend(loc="upper right", fontsize=8.5)
    return fig

"""The figures of abrupt_learning/wait_and_size.

A run that never got there has an infinite wait: no point, and it counts in the median.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.abrupt_learning.wait_and_size import (
    BATCHES,
    DIMENSIONS,
    RATES,
    WIDTHS,
    by_dimensions,
    by_width,
    grid,
    times,
)
from snippets.contract import Measurements
from snippets.style import panels, seeds_and_median

MARKS = ("o", "s", "^")
NAMES = ("rate 1/8", "rate 1/4", "rate 1/2")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "batch": draw_batch(runs),
        "noise": draw_noise(runs),
        "size": draw_size(runs),
    }


def draw_batch(runs: list[Measurements]) -> Figure:
    """The wait in steps, and in prompts, against the batch."""
    fig, axes = panels(2, height=2.3, sharex=True)
    for name, ax, words in (
        ("wait", axes[0, 0], "wait (steps)"),
        ("prompts", axes[1, 0], "wait (prompts read)"),
    ):
        for index, label in enumerate(NAMES):
            ys = [grid(m, name)[index] for m in runs]
            dots = {"marker": MARKS[index], "markersize": 4.5}
            seeds_and_median(ax, np.array(BATCHES), ys, index, label, **dots)
        ax.set(xscale="log", yscale="log", ylabel=words)
    ticks = (500, 1000, 2000)
    axes[0, 0].set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    many = (10_000, 20_000, 50_000, 100_000, 200_000)
    axes[1, 0].set_yticks(many, [f"{tick:,}" for tick in many])
    axes[1, 0].set(xlabel="prompts in a batch")
    axes[1, 0].set_xticks(BATCHES, [str(batch) for batch in BATCHES])
    for ax in axes[:, 0]:
        ax.minorticks_off()
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return fig


def draw_noise(runs: list[Measurements]) -> Figure:
    """Rate x steps against rate / batch: do all cells lie on one curve?"""
    fig, axes = panels(1, height=2.9)
    ax = axes[0, 0]
    for index, (label, rate) in enumerate(zip(NAMES, RATES.values())):
        noise = rate / np.array(BATCHES)
        ys = [times(m)[index] for m in runs]
        dots = {"marker": MARKS[index], "markersize": 5}
        seeds_and_median(ax, noise, ys, index, label, **dots)
    ax.set(xscale="log", xlabel="rate / batch", ylabel="rate × steps", ylim=(0, None))
    last = float(np.median([times(m)[-1, 0] for m in runs]))
    if np.isfinite(last):
        ax.annotate(
            "falls back",
            (RATES["half"] / BATCHES[0], last),
            xytext=(-9, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
        )
    marks = (1 / 1024, 1 / 256, 1 / 64)
    ax.set_xticks(marks, ["1/1024", "1/256", "1/64"])
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return fig


def draw_size(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, 2, height=2.6, sharey=True)
    left, right = axes[0]
    one_size(left, WIDTHS, [by_width(m) for m in runs], "classifier's width")
    one_size(
        right, DIMENSIONS, [by_dimensions(m) for m in runs], "dimensions of an item"
    )
    left.set(ylabel="wait (steps)", ylim=(0, None))
    return fig


def one_size(ax: Axes, sizes: tuple[int, ...], ys: list[np.ndarray], name: str) -> None:
    dots = {"marker": "o", "markersize": 4.5}
    seeds_and_median(ax, np.array(sizes), ys, 0, "_median", **dots)
    ax.set(xscale="log", xlabel=name)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()

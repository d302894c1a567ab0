"""The figures of abrupt_learning/data."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.data import (
    COUNTS,
    NAMES,
    PRESETS,
    better,
    clock,
    end,
    switch_measured,
)
from snippets.contract import Measurements

CONFIG = PRESETS["laptop"]
CHANCE = 1 / CONFIG.centre.n_labels
CLAMPED = CONFIG.training.n_steps * 1.5  # where a clock that never rang is drawn


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "grid": draw_grid(runs),
        "progress": draw_progress(runs),
        "clocks": draw_clocks(runs),
        "noise": draw_noise(runs),
    }


def both(
    ax: Axes, x: np.ndarray, runs: list[Measurements], cells: list[str], legend: bool
) -> None:
    """Context and memory at the end, cell by cell; hatched where undecided."""
    shown = "" if legend else "_"
    for index, what, name in ((0, "context", "context"), (1, "memory", "memory")):
        ys = [np.array([end(m, cell, what) for cell in cells]) for m in runs]
        line = {"marker": "o", "markersize": 3.5}
        style.seeds_and_median(ax, x, ys, index, f"{shown}from {name}", **line)
    ax.set(ylim=(-0.04, 1.06))
    hatch(ax, x, [np.median([better(m, cell) for m in runs]) < 0.5 for cell in cells])


def hatch(ax: Axes, x: np.ndarray, undecided: list[bool]) -> None:
    """Mark the cells where neither accuracy came to a half."""
    at = np.log(x)
    edges = np.concatenate([[at[0] - 0.2], (at[1:] + at[:-1]) / 2, [at[-1] + 0.2]])
    for place in np.flatnonzero(undecided):
        low, high = np.exp(edges[place : place + 2])
        bar = ax.axvspan(low, high, hatch="///", linewidth=0, alpha=0.35)
        bar.set(facecolor="none", edgecolor=style.ink())


def draw_grid(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, height=1.65, sharex=True)
    x = np.array(COUNTS)
    titles = (
        "B = 0: contexts drawn by chance",
        "B = 1: the answer is shown once",
        "B = 2: the answer is shown twice",
    )
    for B, ax in zip(CONFIG.copies, axes[:, 0]):
        both(ax, x, runs, [f"k{K}_b{B}" for K in COUNTS], legend=B == 0)
        ax.set_title(titles[B])
        ax.set(xscale="log", ylabel="accuracy")
        style.level(ax, CHANCE, "", x=0.3)
    last = axes[-1, 0]
    last.set_xticks(x, [f"{K:,}" for K in COUNTS])
    last.minorticks_off()
    last.set(xlabel="$K$, number of classes in training")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_noise(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    x = np.array([CONFIG.centre.noise, *CONFIG.noises])
    cells = ["k192_b1", *(f"noise{noise}" for noise in CONFIG.noises)]
    both(ax, x, runs, cells, legend=True)
    for index, what, name in ((0, "context", "reader"), (1, "memory", "memoriser")):
        best = np.median([[end(m, c, f"best_{what}") for c in cells] for m in runs], 0)
        line = {"color": style.colour(index), "linestyle": ":", "linewidth": 1.2}
        ax.plot(x, best, label=f"the best {name}", **line)
    ax.set(xscale="log", ylabel="accuracy")
    ax.set_xticks(x, [f"{noise:g}" for noise in x])
    ax.minorticks_off()
    ax.set(xlabel="$\\epsilon$, spread of items within a class")
    style.level(ax, CHANCE, "$1/L$", x=0.42, below=True)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def draw_clocks(runs: list[Measurements]) -> Figure:
    """Both clocks against the number of classes, and where the switch really is."""
    figure, axes = style.panels(1, height=3.1)
    ax, x = axes[0, 0], np.array(COUNTS)
    memory = [
        np.array([min(clock(m, f"k{K}_b0", "memory"), CLAMPED) for K in x])
        for m in runs
    ]
    style.seeds_and_median(ax, x, memory, 1, "memory alone ($B=0$)", marker="o")
    context = [min(clock(m, "endless", "context"), CLAMPED) for m in runs]
    flat = [np.full(len(x), found) for found in context]
    style.seeds_and_median(ax, x, flat, 0, "context alone (no class comes back)")
    for number, m in enumerate(runs):
        label = "_" if number else "measured switch, $B=1$"
        ax.axvline(
            switch_measured(m), color=style.colour(2), linewidth=1, label=label, ls="--"
        )
    line = {"color": style.ink(), "linestyle": ":", "linewidth": 1}
    batch = CONFIG.training.batch
    ax.plot(x, 35 * x / batch, label="35 times each class", **line)
    ax.set(xscale="log", yscale="log", ylim=(20, 1500))
    ax.set_xticks(x, [f"{K:,}" for K in COUNTS])
    ax.set_yticks(
        [25, 50, 100, 200, 400, 800], ["25", "50", "100", "200", "400", "800"]
    )
    ax.minorticks_off()
    ax.set(xlabel="$K$, number of classes", ylabel="steps until half is right")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


PROGRESS = (
    ("names_a_shown_label", 4, "guess is a shown label", "--"),
    ("label_to_item", 2, "layer 1: label to its item", "-"),
    ("target_to_label", 3, "layer 2: target to its label", "-"),
    ("context", 0, "right from context", "-"),
    ("memory", 1, "right from memory", "-"),
)


def draw_progress(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.1, sharex=True)
    for ax, cell in zip(axes[:, 0], ("k64_b1", "k1024_b1")):
        column, first = NAMES.index(cell), cell == "k64_b1"
        for name, index, label, dash in PROGRESS:
            ys = [m[name][:, column] for m in runs]
            label = label if first else f"_{label}"
            style.seeds_and_median(
                ax, runs[0]["step"], ys, index, label, linestyle=dash
            )
        ax.set(ylim=(-0.03, 1.05), ylabel="share")
        ax.set_title("$K$ = 64" if first else "$K$ = 1,024")
    axes[-1, 0].set(xlabel="training step")
    figure.legend(loc="outside upper center", ncols=2)
    return figure

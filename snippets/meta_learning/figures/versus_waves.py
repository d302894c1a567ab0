"""The figures of meta_learning/versus_waves."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.figures.versus_trials import NAMES as TRIED_NAMES
from snippets.meta_learning.versus_waves import WAYS

NAMES = TRIED_NAMES | {"features": "ridge, sin and cos", "oracle": "exact"}
TRAINED = ("icl", "wide", "maml", "anil", "tuned")
UNTRAINED = ("icl", "fourier", "neighbour", "scratch", "ridge")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "wave": draw_wave(runs[0]),
        "cost": draw_cost(runs),
        "away": draw_away(runs),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    """Error against examples: the trained above, the untrained below."""
    figure, axes = style.panels(2, height=2.9, sharex=True)
    shots = runs[0]["shots"]
    for ax, ways in zip(axes[:, 0], (TRAINED, UNTRAINED)):
        for index, way in enumerate(ways):
            ys = [m["error"][WAYS.index(way)] for m in runs]
            colour = index if index == 0 or ways is TRAINED else index + 2
            style.seeds_and_median(
                ax, shots, ys, colour, NAMES[way], marker="o", markersize=3.5
            )
        one = np.median([m["error"][WAYS.index("oracle"), 0] for m in runs])
        ax.plot(
            [1], [one], "*", color=style.ink(), markersize=9, label="exact: 0 from 2"
        )
        ax.set(xscale="log", yscale="log", ylabel="squared error")
        ax.set_xticks(shots, [str(n) for n in shots])
        ax.minorticks_off()
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=1
        )
    axes[1, 0].set(xlabel="examples shown")
    return figure


def draw_wave(m: Measurements) -> Figure:
    """One wave, five points, and what four ways say of all the rest."""
    figure, axes = style.panels(2, 2, height=1.9, sharex=True, sharey=True)
    names = list(WAYS)
    for ax, way in zip(axes.flat, ("icl", "wide", "scratch", "fourier")):
        ax.plot(
            m["grid"], m["wave"], ":", color=style.ink(), linewidth=1.2, label="_wave"
        )
        ax.plot(
            m["grid"],
            m["said"][names.index(way)],
            color=style.colour(0),
            label=f"_{way}",
        )
        ax.plot(
            *m["shown"].T, "o", color=style.colour(1), markersize=4.5, label="_shown"
        )
        ax.set_title(NAMES[way], fontsize=9.5)
        ax.set(ylim=(-6, 6))
    for ax in axes[1]:
        ax.set(xlabel="$x$")
    for ax in axes[:, 0]:
        ax.set(ylabel="$y$")
    return figure


def draw_cost(runs: list[Measurements]) -> Figure:
    """Error after ten examples against the FLOPs of learning one task."""
    figure, axes = style.panels(1, height=3.4)
    ax, shot = axes[0, 0], int(np.flatnonzero(runs[0]["shots"] == 10)[0])
    for number, way in enumerate(WAYS):
        if way in ("features", "oracle"):
            continue
        errors = [float(m["error"][number, shot]) for m in runs]
        flops = float(runs[0]["task_flops"][number, shot])
        before = float(runs[0]["training_flops"][number])
        colour = style.colour(0 if before > 0 else 1)
        label(ax, flops, errors, way, colour)
    ax.set(
        xscale="log", yscale="log", xlim=(5, 3e8), ylim=(0.01, 12),
        xlabel="FLOPs for one new task, ten examples", ylabel="squared error",
    )  # fmt: skip
    return figure


PLACES = {  # where a name stands beside its dots, in points
    "wide": (0, -14, "center"),
    "first": (-8, 4, "right"),
    "maml": (-8, -5, "right"),
    "anil": (0, -14, "center"),
    "fourier": (-10, -3, "right"),
    "neighbour": (-6, -14, "left"),
    "tuned": (8, -7, "left"),
    "scratch": (8, 0, "left"),
}


def label(ax: Axes, x: float, ys: list[float], way: str, colour: str) -> None:
    ax.plot([x] * len(ys), ys, ".", color=colour, alpha=0.5, label=f"_{way}")
    middle = float(np.median(ys))
    ax.plot([x], [middle], "_", color=colour, markersize=13, markeredgewidth=2.5)
    right, up, side = PLACES.get(way, (8, -3, "left"))
    ax.annotate(
        NAMES[way], (x, middle), xytext=(right, up), textcoords="offset points",
        fontsize=8.5, ha=side,
    )  # fmt: skip


def draw_away(runs: list[Measurements]) -> Figure:
    """Ten examples, in training's range and beyond it."""
    figure, axes = style.panels(1, height=4.0)
    ax, least = axes[0, 0], 1e-3
    kinds = ("as trained", "heights beyond training", "places beyond training")
    for row, way in enumerate(WAYS):
        for index, (kind, shift) in enumerate(zip(kinds, (-0.22, 0.0, 0.22))):
            ys = np.maximum([float(m["away"][index, row]) for m in runs], least)
            name = kind if row == 0 else f"_{kind}, {way}"
            colour = style.colour(index)
            ax.plot(
                ys,
                [row + shift] * len(ys),
                ".",
                color=colour,
                alpha=0.5,
                label=f"_{name}",
            )
            ax.plot(
                np.median(ys), row + shift, "|", color=colour, markersize=9,
                markeredgewidth=2.5, label=name,
            )  # fmt: skip
    ax.axvline(1, color=style.ink(), linewidth=0.9, linestyle=":", label="_nothing")
    ax.set(xscale="log", xlabel="squared error, of that of always saying 0")
    ax.set_yticks(range(len(WAYS)), [NAMES[way] for way in WAYS])
    ax.invert_yaxis()
    ax.set_xticks((1e-3, 1e-2, 0.1, 1), ("≤ 0.001", "0.01", "0.1", "1"))
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.3, 1), ncols=2, columnspacing=1)
    return figure

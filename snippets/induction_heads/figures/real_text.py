"""The figures of induction_heads/real_text."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.real_text import (
    EDGES,
    derivative,
    own_score,
    paths,
    twice_read,
)

COLUMNS = {
    "half shown again": ("device", "one-layer"),
    "text as it is": ("natural", "nudged", "novel"),
}
LOOKS = {  # name, colour and line of each cell
    "device": ("two layers, code", 0, "-"),
    "one-layer": ("one layer, code", 1, "--"),
    "natural": ("two layers, code", 0, "-"),
    "nudged": ("nudged, code", 2, "-."),
    "novel": ("nudged, novel", 4, ":"),
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "bump": draw_bump(runs),
        "places": draw_places(runs),
        "turn": draw_turn(runs),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, 2, height=1.85, sharex="col", sharey="row")
    rows: tuple[tuple[str, Callable], ...] = (
        ("prefix matching", lambda m: m["prefix"]),
        ("second reading\nless first (nats)", twice_read),
        ("ICL score (nats)", own_score),
    )
    for column, (title, cells) in enumerate(COLUMNS.items()):
        axes[0, column].set_title(title, fontsize=9.5)
        for row, (label, curve) in enumerate(rows):
            ax = axes[row, column]
            for cell in cells:
                name, index, dash = LOOKS[cell]
                ys = [curve(m[cell]) for m in runs]
                style.seeds_and_median(
                    ax, runs[0][cell]["step"], ys, index, name, linestyle=dash
                )
            if column == 0:
                ax.set_ylabel(label, fontsize=9)
        axes[2, column].set_xlabel("training step")
    axes[0, 0].set_ylim(-0.03, 1.0)
    legend(figure, list(axes[0]))
    return figure


def legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """The names in some panels, each once, above all of them."""
    named: dict = {}
    for ax in axes:
        named |= dict(zip(*reversed(ax.get_legend_handles_labels())))
    figure.legend(
        named.values(), named.keys(), loc="outside upper center", ncols=2, fontsize=8.5
    )


def draw_bump(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, x = axes[0, 0], runs[0]["device"]["step"][1:]
    curves = (
        ("training, shown again", lambda m: m["device"]["training"][1:, 1], "-"),
        ("training, as it is", lambda m: m["device"]["training"][1:, 0], "--"),
        ("held out", lambda m: m["device"]["validation"][1:], "-."),
    )
    for index, (name, curve, dash) in enumerate(curves):
        ys = [curve(m) for m in runs]
        style.seeds_and_median(ax, x, ys, index, name, linestyle=dash)
    ax.set(xlabel="training step", ylabel="loss (nats)", ylim=(1, 5))
    ax.legend(loc="upper right")
    return figure


WAYS = {
    "device": ("two layers,\nshown again", "o"),
    "one-layer": ("one layer,\nshown again", "s"),
    "natural": ("two layers,\nas it is", "^"),
}


def draw_places(runs: list[Measurements]) -> Figure:
    """Above: slope of the loss over ln(place), by step. Below: its change by step."""
    figure, axes = style.panels(2, 3, height=2.2, sharey=True, sharex="col")
    for column, (cell, (title, _)) in enumerate(WAYS.items()):
        step = runs[0][cell]["step"]
        # without the first edge: what one word more says is another story
        slope = np.median([derivative(m[cell])[:, 1:] for m in runs], 0)
        n = 5  # looks over which the change is taken: 100 steps
        mixed = slope[n:] - slope[:-n]
        top, bottom = axes[:, column]
        top.set_title(title, fontsize=9)
        above = heat(top, step, slope, 0.4)
        below = heat(bottom, (step[n:] + step[:-n]) / 2, mixed, 0.2)
        bottom.set_xlabel("step", fontsize=9)
        bottom.set_xticks((0, 300, 600))
    figure.colorbar(above, ax=axes[0, :], label="slope", ticks=(-0.4, 0, 0.4))
    figure.colorbar(below, ax=axes[1, :], label="its change", ticks=(-0.2, 0, 0.2))
    for ax in axes[:, 0]:
        ax.set_ylabel("place", fontsize=9)
    return figure


def heat(ax: Axes, step: np.ndarray, values: np.ndarray, most: float) -> QuadMesh:
    """A value for each look and each edge between two bins of places."""
    half = (step[1] - step[0]) / 2
    sides = np.append(step - half, step[-1] + half)
    middles = np.sqrt(np.multiply(EDGES[1:-1], EDGES[2:]) + 1.0)  # on the log axis
    drawn = ax.pcolormesh(
        sides, middles, values.T, vmin=-most, vmax=most, cmap="RdBu_r", rasterized=True
    )
    ax.set_yscale("log", base=2)
    ax.set_yticks((4, 16, 64), ("4", "16", "64"))
    ax.minorticks_off()
    ax.grid(False)
    return drawn


def draw_turn(runs: list[Measurements]) -> Figure:
    """Losses word by word as paths, without the first look."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    for index, (cell, path) in enumerate(paths(runs[0], tuple(WAYS)).items()):
        title, marker = WAYS[cell]
        colour, name = style.colour(index), title.replace("\n", " ")
        ax.plot(*path[1:].T, color=colour, marker=marker, markersize=3.5, label=name)
        ax.plot(*path[-1], color=colour, marker=marker, markersize=9, label=f"_{name}")
    ax.legend(loc="best")
    ax.set(xlabel="first component", ylabel="second component")
    return figure

"""The figures of meta_learning/map_in_context."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.tasks.graph_walk import grid
from snippets.meta_learning.map_in_context import Config

WORDS = ["ant", "bee", "cup", "dog", "egg", "fig", "gem", "hat"]
WORDS += ["ink", "jar", "key", "log", "map", "nut", "owl", "pen"]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"planes": draw_planes(runs[0]), "likeness": draw_likeness(runs)}


def draw_planes(m: Measurements) -> Figure:
    """Where the words lie before mixing, and after a short and a long walk."""
    figure, axes = style.panels(2, 2, height=2.5)
    titles = ("no mixing", "after 64 steps", "after 2,048 steps")
    beside = np.argwhere(np.triu(grid(4).numpy()))
    for ax, title, points in zip(axes.flat, titles, m["planes"]):
        for first, second in beside:
            line = points[[first, second]].T
            ax.plot(*line, color=style.ink(), linewidth=0.8, alpha=0.5)
        ax.plot(*points.T, "o", color=style.colour(0), markersize=3.5)
        for word, (x, y) in zip(WORDS, points):
            ax.annotate(
                word, (x, y), xytext=(3, 3), textcoords="offset points", fontsize=8.5
            )
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.margins(0.12)
    last = axes[1, 1]
    last.set_axis_off()
    last.text(0, 0.6, "lines: neighbours\non the board", fontsize=9.5)
    return figure


def draw_likeness(runs: list[Measurements]) -> Figure:
    """The picture's likeness to the board by the walk's length and the dimensions."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    x = runs[0]["lengths"]
    for place, d in enumerate(Config.dimensions):
        ys = [m["likeness"][place] for m in runs]
        style.seeds_and_median(ax, x, ys, place, f"{d:,} dimensions")
        ax.annotate(
            f"d = {d:,}",
            (x[-1], float(np.median([y[-1] for y in ys]))),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=style.colour(place),
        )
    known = [m["known"] for m in runs]
    style.seeds_and_median(ax, x, known, 6, "word seen before", linestyle="--")
    ax.annotate(
        "word seen before",
        (170, 0.92),
        fontsize=8.5,
        color=style.colour(6),
    )
    ax.set_xscale("log", base=2)
    ax.set_xticks(x, [f"{n:,}" for n in x], rotation=45)
    ax.set(
        xlabel="steps of the walk",
        ylabel="correlation; share",
        ylim=(-0.02, 1.04),
        xlim=(14, 5200),
    )
    ax.minorticks_off()
    return figure

"""The figures of algorithms/regression_noise."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.regression_noise import table
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"table": draw_table(runs), "strength": draw_strength(runs)}


HALVES = (("few", "k < d"), ("many", "k > d"))


def draw_table(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, 2, height=2.9)
    levels = runs[0]["strengths"][: len(runs[0]["few"])]
    names = [f"{level:.2g}" for level in levels]
    for ax, (half, title) in zip(axes[0], HALVES):
        t = np.median([table(m, half) for m in runs], 0)
        shade = np.log(t / t.min(0))
        ax.imshow(shade, vmin=0, vmax=3, interpolation="none", aspect="auto")
        for row in range(len(t)):
            for column in range(len(t)):
                dark = shade[row, column] < 1.5  # of viridis: dark where it is small
                ax.text(
                    column,
                    row,
                    f"{t[row, column]:.3f}",
                    ha="center",
                    va="center",
                    color="white" if dark else "black",
                    fontsize=9,
                )
        ax.set_title(title)
        ax.grid(False)
        ax.set_xticks(range(len(t)), names)
        ax.set_yticks(range(len(t)), names)
        ax.set_xlabel("noise variance")
    axes[0, 0].set_ylabel("ridge strength")
    return figure


def draw_strength(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    levels = runs[0]["strengths"][: len(runs[0]["few"])]
    grid = runs[0]["strengths"][len(levels) :]
    for ax, (half, title) in zip(axes[:, 0], HALVES):
        for i, level in enumerate(levels):
            curves = [m[half][i, len(levels) :] for m in runs]
            style.seeds_and_median(ax, grid, curves, i, f"noise variance {level:.2g}")
            if level > 0:
                ax.axvline(level, color=style.colour(i), linewidth=1, linestyle=":")
        ax.set(xscale="log", yscale="log", ylabel="network's difference")
        ax.set_title(title)
    axes[0, 0].set_ylim(top=6)
    axes[0, 0].legend(loc="upper right", fontsize=8.5)
    axes[1, 0].set_xlabel("strength of the ridge it is compared with")
    return figure

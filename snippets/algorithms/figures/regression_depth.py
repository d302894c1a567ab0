"""The figures of algorithms/regression_depth."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.regression_depth import distances
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"depth": draw_depth(runs), "nearest": draw_nearest(runs)}


def layers(depth: int) -> str:
    return "1 layer" if depth == 1 else f"{depth} layers"


def draw_depth(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    k = np.arange(runs[0]["error"].shape[1])
    for i, depth in enumerate(runs[0]["depth"]):
        curves = [m["error"][i] for m in runs]
        style.seeds_and_median(ax, k, curves, i, layers(int(depth)), marker="o", ms=3.5)
    for name, label, line in (
        ("error_one_step", "one step", "-."),
        ("error_least_squares", "least squares", ":"),
    ):
        theirs = np.median([m[name] for m in runs], 0)
        shown = np.maximum(theirs, 1e-9)  # so that 0 has a place below a log axis
        ax.plot(k, shown, linestyle=line, color=style.ink(), linewidth=1.2, label=label)
    ax.set(
        xlabel="examples k",
        ylabel="error / variance of y",
        yscale="log",
        ylim=(5e-3, 1.6),
    )
    ax.legend(loc="lower left", fontsize=8.5)
    return figure


def draw_nearest(runs: list[Measurements]) -> Figure:
    """Each depth against ridges of many strengths; at the ends, least squares and one
    step."""
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    strengths = runs[0]["strengths"]
    ends = strengths[[0, -1]] * np.array([1 / 1.6, 1.6])
    for i, depth in enumerate(runs[0]["depth"]):
        curves = [m["from_ridge"][i, :, 1:].mean(-1) for m in runs]
        style.seeds_and_median(ax, strengths, curves, i, layers(int(depth)))
        step, _, exact = np.median([distances(m)[i] for m in runs], 0)
        ax.plot(ends, [exact, step], "D", color=style.colour(i), markersize=5)
    for end, name in zip(ends, ("least\nsquares", "one\nstep")):
        ax.annotate(
            name,
            (end, 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8.5,
        )
    ax.set(
        xlabel="strength of the ridge it is compared with",
        ylabel="network's difference",
        xscale="log",
        yscale="log",
    )
    ax.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    ax.minorticks_off()
    ax.legend(fontsize=8.5)
    return figure

"""The figures of algorithms/substitutions."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"depth": draw_depth(runs), "repeated": draw_repeated(runs)}


WAYS = (
    ("loss_plain", "equal plain steps", "o"),
    ("loss_free", "plain steps of free sizes", "s"),
    ("loss_bent", "GD++, equal layers", "^"),
)


def draw_depth(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    x = runs[0]["n_layers"]
    for index, (name, label, marker) in enumerate(WAYS):
        share = [m[name] for m in runs]
        style.seeds_and_median(ax, x, share, index, label, marker=marker, ms=4)
    style.level(ax, 1.0, "predict 0", x=0.99)
    ax.set(
        xlabel="layers",
        ylabel="in-context loss / variance of y",
        yscale="log",
        xticks=x,
    )
    ax.legend(loc="lower left")
    return figure


def draw_repeated(runs: list[Measurements]) -> Figure:
    """What one layer, repeated, leaves of the examples' y."""
    figure, axes = style.panels(1, height=2.8)
    ax = axes[0, 0]
    for index, h in enumerate(("relu", "exp")):
        left = [m[f"repeated_{h}"] for m in runs]
        times = np.arange(len(left[0]))[1:]
        curves = [curve[1:] for curve in left]
        style.seeds_and_median(ax, times, curves, index, f"h = {h}")
    style.level(ax, 1.0, "at first", x=0.6)
    ax.set(
        xlabel="repeats of the layer",
        ylabel="left of y (median prompt)",
        xscale="log",
        yscale="log",
    )
    ax.legend(loc="lower left")
    return figure

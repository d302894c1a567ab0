"""The figures of algorithms/layer_by_layer."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.layer_by_layer import PARTS
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "left": draw_left(runs),
        "halved": draw_halved(runs),
        "order": draw_order(runs),
    }


def draw_left(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.6)
    ax = axes[0, 0]
    layers = np.arange(len(runs[0]["shaped"]))
    for name, index, label in (
        ("plain", 6, "plain steps, the least"),
        ("greedy", 3, "shaped steps, greedy"),
        ("shaped", 2, "shaped steps, the least"),
    ):
        median = np.median([m[name] for m in runs], 0)
        line = {"color": style.colour(index), "linestyle": ":", "marker": "."}
        ax.plot(layers, median, label=label, **line)
    for index, kind in enumerate(("looped", "unlooped")):
        curves = [m[f"{kind}_left"] for m in runs]
        style.seeds_and_median(
            ax, layers, curves, index, f"{kind}, trained", marker="o"
        )
    style.level(ax, 1, "the answer 0", x=0.99)
    ax.set(
        yscale="log", xlabel="layers, or steps", ylabel="error left, of the answer 0's"
    )
    ax.set_xticks(layers)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def draw_halved(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    for index, kind in enumerate(("looped", "unlooped")):
        curves = [m[f"{kind}_fine_left"] / m[f"{kind}_fine_left"][0] for m in runs]
        style.seeds_and_median(ax, np.array(PARTS), curves, index, kind, marker="o")
    style.level(ax, 1, "as trained")
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(0.8, None),
        xlabel="small layers in place of one",
        ylabel="error, times that as trained",
    )
    ax.set_xticks(PARTS, [str(k) for k in PARTS])
    ax.minorticks_off()
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


def draw_order(runs: list[Measurements]) -> Figure:
    """The error at the end of the unlooped stack, its layers swapped or repeated."""
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    pairs = ("1, 2", "1, 3", "1, 4", "2, 3", "2, 4", "3, 4")
    names = [f"swap {p}" for p in pairs] + [f"repeat {i}" for i in (1, 2, 3, 4)]
    changed = [
        np.concatenate([m["unlooped_swapped"], m["unlooped_repeated"]]) for m in runs
    ]
    times = np.array(changed) / [[m["unlooped_left"][-1]] for m in runs]
    most = 1e6  # beyond it a mark stands at the edge
    for row, values in enumerate(times.T):
        index = 1 if row < len(pairs) else 0
        shown = np.minimum(values, most)
        dots = {"color": style.colour(index), "alpha": 0.6, "markersize": 4}
        ax.plot(shown, [row] * len(shown), "o", label=f"_{names[row]}", **dots)
        middle = [min(float(np.median(values)), most)]
        bar = {"color": style.colour(index), "markersize": 14}
        ax.plot(middle, [row], "|", label=f"_{names[row]}, median", **bar)
    ax.axvline(1, color=style.ink(), linewidth=0.9, linestyle=":", label="_as trained")
    ax.set(xscale="log", xlabel="error, times that as trained", ylim=(9.6, -0.6))
    ax.set_yticks(range(len(names)), names)
    return figure

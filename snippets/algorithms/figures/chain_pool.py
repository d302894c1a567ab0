"""The figures of algorithms/chain_pool."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from snippets import style
from snippets.algorithms.chain_pool import (
    END,
    FITTED,
    LOOKS,
    SIZES,
    errors,
    nearest,
    points,
)
from snippets.contract import Measurements
from snippets.icl.theory import posterior_average as average

NAMES = (
    "memory, single symbols",
    "memory, pairs",
    "counting, single symbols",
    "counting, pairs",
)
COLOURS = (2, 0, 4, 1)  # of the four predictors


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "phases": draw_phases(runs),
        "weight": draw_weight(runs),
        "law": draw_law(runs),
    }


def votes(runs: list[Measurements], K: int) -> np.ndarray:
    """How many seeds are nearest to each of the four, at each look: (look, 4)."""
    found = np.stack([nearest(m, K) for m in runs])  # (seed, look)
    return (found[..., None] == np.arange(4)).sum(0)


def draw_phases(runs: list[Measurements]) -> Figure:
    """One cell for each pool size and look, coloured by the predictor that is nearest
    on most seeds, the fuller the more of them; up to the last look that all share."""
    shown = [look for look in LOOKS if look <= END]
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    for row, K in enumerate(SIZES):
        for column, count in enumerate(votes(runs, K)[: len(shown)]):
            colour = to_rgb(style.colour(COLOURS[int(count.argmax())]))
            share = count.max() / count.sum()
            cell = {"width": 0.94, "height": 0.94, "color": colour, "alpha": share**1.5}
            ax.bar(column, cell.pop("height"), bottom=row - 0.47, **cell)
    ax.set_xticks(range(len(shown)), [str(step) for step in shown])
    ax.set_yticks(range(len(SIZES)), [str(K) for K in SIZES])
    ax.set(xlabel="training step", ylabel="chains in the pool, K")
    ax.set(xlim=(-0.5, len(shown) - 0.5), ylim=(-0.5, len(SIZES) - 0.5))
    ax.grid(False)
    patches = [
        Patch(color=style.colour(index), label=name)
        for index, name in zip(COLOURS, NAMES)
    ]
    figure.legend(handles=patches, loc="outside upper center", ncols=2, fontsize=8.5)
    return figure


def draw_weight(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    for index, K in enumerate(SIZES):
        x, ys = runs[0][f"k{K}"]["step"], [m[f"k{K}"]["pool_weight"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, f"K = {K}")
        end = (x[-1], float(np.median([y[-1] for y in ys])))
        look = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(f"{K}", end, color=style.colour(index), fontsize=9, **look)
    ax.set(xlabel="training step", ylabel="weight on memory", ylim=(-0.05, 1.05))
    return figure


def draw_law(runs: list[Measurements]) -> Figure:
    """Left: the law's weights against the measured ones, where it was not fitted. Right:
    the errors of the law and of what it competes with."""
    figure, axes = style.panels(1, 2, height=2.9)
    left, right = axes[0]
    for m in runs:
        t, K, saved, weight = points(m)
        inside = np.isin(K, FITTED)
        known = [values[inside] for values in (t, K, saved, weight)]
        guess = average.law(tuple(average.fit("law", *known)), t, K, saved)
        for index, size in enumerate(SIZES):
            if size not in FITTED:
                at, look = size == K, {"color": style.colour(index), "markersize": 3.5}
                label = f"K = {size}" if m is runs[0] else f"_K = {size}"
                left.plot(weight[at], guess[at], "o", alpha=0.7, label=label, **look)
    left.plot((0, 1), (0, 1), color=style.ink(), linewidth=0.9, ls=":", label="_same")
    left.set(xlabel="measured weight", ylabel="the law's weight")
    left.legend(loc="lower right", fontsize=8, handletextpad=0.1)
    names = ("law", "logistic", "logistic in K", "nearest", "constant")
    for row, name in enumerate(names):
        off = [errors(m)[name] for m in runs]
        bar = {"color": style.colour(0), "alpha": 0.35, "height": 0.6}
        right.barh(row, np.median(off), label=f"_{name}, median", **bar)
        dots = {"color": style.colour(0), "markersize": 3.5}
        right.plot(off, [row] * len(off), "o", label=f"_{name}", **dots)
    right.set_yticks(range(len(names)), names, fontsize=8.5)
    right.set(xlabel="error, held out", ylim=(len(names) - 0.5, -0.5))
    return figure

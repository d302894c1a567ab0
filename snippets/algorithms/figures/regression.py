"""The figures of algorithms/regression."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.regression import left, twice
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "examples": draw_examples(runs),
        "kinds": draw_kinds(runs),
        "elbows": draw_elbows(runs),
    }


ALGORITHMS = ("least squares", "ridge", "3 nearest", "averaging")


LINES = ("-", "--", "-.", (0, (1, 1)))


def draw_examples(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.9, sharex=True)
    top, bottom = axes[:, 0]
    k = np.arange(len(runs[0]["error: ridge"]))
    ours = [m["error of as in training"] for m in runs]
    for i, (name, line) in enumerate(zip(ALGORITHMS, LINES), 1):
        theirs = np.median([m[f"error: {name}"] for m in runs], 0)
        shown = np.maximum(theirs, 1e-9)  # so that 0 has a place below a log axis
        top.plot(k, shown, color=style.colour(i), linestyle=line, label=name)
        apart = [m[f"from {name}"] for m in runs]
        style.seeds_and_median(bottom, k[1:], [a[1:] for a in apart], i, name, ls=line)
    style.seeds_and_median(top, k, ours, 0, "network", marker="o", markersize=4)
    top.set(ylabel="error / variance of y", yscale="log", ylim=(1e-3, 6))
    bottom.set(
        xlabel="examples k",
        ylabel="network's difference from it",
        yscale="log",
        ylim=(1e-3, 6),
    )
    for ax in (top, bottom):
        ax.axvline(runs[0]["d"], color=style.ink(), linewidth=0.9, linestyle=":")
    top.annotate("k = d", (runs[0]["d"] + 0.08, 3.2), fontsize=8.5)
    top.legend(loc="lower left", fontsize=8.5)
    return figure


def draw_kinds(runs: list[Measurements]) -> Figure:
    """The error after 2d examples of each kind: a dot for every seed, a bar for their
    median."""
    figure, axes = style.panels(1, height=3.4)
    ax = axes[0, 0]
    kinds = [name.removeprefix("error of ") for name in runs[0] if "error of " in name]
    for row, kind in enumerate(kinds):
        values = [left(kind, twice)(m) for m in runs]
        trained = kind == "as in training"
        shade = style.colour(0 if trained else 1)
        ax.plot(values, [row] * len(values), "o", color=shade, markersize=4, alpha=0.6)
        ax.plot([np.median(values)], [row], "|", color=shade, markersize=16, mew=2.5)
    ax.axvline(
        float(np.median([left("as in training", twice)(m) for m in runs])),
        color=style.ink(),
        linewidth=0.9,
        linestyle=":",
    )
    ax.set_yticks(range(len(kinds)), [kind.replace("*", "×") for kind in kinds])
    ax.invert_yaxis()
    ax.set(xlabel="error after 2d examples / variance of y", xscale="log")
    return figure


def draw_elbows(runs: list[Measurements]) -> Figure:
    """The error against k for kinds on which least squares has its elbow elsewhere."""
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    k = np.arange(len(runs[0]["error of skewed"]))
    kinds = ("as in training", "query repeats", "subspace", "orthogonal", "x * 3")
    for i, (kind, marker) in enumerate(zip(kinds, "os^Dv")):
        curves = [m[f"error of {kind}"] for m in runs]
        label = kind.replace("*", "×")
        style.seeds_and_median(ax, k, curves, i, label, marker=marker, ms=4)
    ax.axvline(runs[0]["d"], color=style.ink(), linewidth=0.9, linestyle=":")
    ax.annotate("k = d", (runs[0]["d"] + 0.08, 1.05), fontsize=8.5)
    ax.set(
        xlabel="examples k",
        ylabel="error / variance of y",
        yscale="log",
        ylim=(1e-3, 1.6),
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3, fontsize=8.5)
    return figure

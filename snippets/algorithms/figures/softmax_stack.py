"""The figures of algorithms/softmax_stack."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.softmax_stack import PRESETS, end
from snippets.contract import Measurements

CONFIG = PRESETS["laptop"]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "layers": draw_layers(runs),
        "changes": draw_changes(runs),
        "alike": draw_alike(runs),
    }


def draw_layers(runs: list[Measurements]) -> Figure:
    """Error after each write by two readings, beside algorithms of as many steps."""
    figure, axes = style.panels(1, height=3.8)
    ax = axes[0, 0]
    n_layers = len(runs[0]["plain"])
    steps, writes = np.arange(1, n_layers + 1), np.arange(2 * n_layers + 1) / 2
    for name, index, label in (
        ("plain", 6, "plain steps, the least"),
        ("scaled", 2, "scaled steps, the least"),
        ("newton", 3, "Newton's kind, the least"),
    ):
        median = np.median([m[name] for m in runs], 0)
        line = {"color": style.colour(index), "linestyle": ":", "marker": "."}
        ax.plot(steps, median, label=label, **line)
    for index, (name, label) in enumerate(
        {"own": "its own last step", "fitted": "a readout fitted there"}.items()
    ):
        curves = [m[name] for m in runs]
        style.seeds_and_median(ax, writes, curves, index, label, marker="o", ms=4)
    curves = [m["untrained"] for m in runs]
    label = "fitted, never trained"
    style.seeds_and_median(ax, writes, curves, 4, label, ls="--", lw=1.2)
    ax.set(
        yscale="log", xlabel="layers, or steps", ylabel="error left, of the answer 0's"
    )
    ax.set_xticks(range(n_layers + 1))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def draw_changes(runs: list[Measurements]) -> Figure:
    """The error at the end, over that as trained, after one change."""
    figure, axes = style.panels(1, height=5.2)
    ax = axes[0, 0]
    layers = range(1, CONFIG.sizes.n_layers + 1)
    pairs = [f"{i}, {j}" for i in layers for j in layers if i < j]
    groups = {
        "without": [f"without layer {i}" for i in layers],
        "without_attention": [f"without attention {i}" for i in layers],
        "without_mlp": [f"without MLP {i}" for i in layers],
        "twice": [f"layer {i} twice" for i in layers],
        "swapped": [f"swap {pair}" for pair in pairs],
        "halved": ["two half steps each"],
    }
    names: list[str] = []
    for index, (name, labels) in enumerate(groups.items()):
        for number, label in enumerate(labels):
            values = [m[name][number] / end(m) for m in runs]
            dots = {"color": style.colour(index), "alpha": 0.6, "markersize": 4}
            ax.plot(values, [len(names)] * len(values), "o", label=f"_{label}", **dots)
            bar = {"color": style.colour(index), "markersize": 12, "mew": 2}
            ax.plot(
                np.median(values), len(names), "|", label=f"_median, {label}", **bar
            )
            names.append(label)
    ax.axvline(1, color=style.ink(), lw=0.9, ls=":")
    ax.set(xscale="log", xlabel="error, times that as trained")
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.invert_yaxis()
    return figure


def draw_alike(runs: list[Measurements]) -> Figure:
    """For each layer, the cosine of its errors with those of the nearest of a family."""
    figure, axes = style.panels(1, height=2.8)
    ax = axes[0, 0]
    layers = np.arange(1, CONFIG.sizes.n_layers + 1)
    first, second = len(CONFIG.steps), len(CONFIG.steps) + len(CONFIG.iterations)
    families = {
        "plain steps, 1 to 32": slice(0, first),
        "Newton's kind, 1 to 5": slice(first, second),
        "ridge, 0.03 to 3": slice(second, None),
    }
    for index, (label, which) in enumerate(families.items()):
        curves = [m["alike"][:, which].max(1) for m in runs]
        style.seeds_and_median(ax, layers, curves, index, label, marker="o")
    style.level(ax, 1, "err alike", below=True)
    ax.set(xlabel="layer", ylabel="cosine of errors", ylim=(-0.05, 1.05))
    ax.set_xticks(layers)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure

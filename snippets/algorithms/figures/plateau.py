"""The figures of algorithms/plateau."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.plateau import PRESETS, STUCK, stuck
from snippets.contract import Measurements

EVERY = PRESETS["laptop"].record_every


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "ends": draw_ends(runs),
        "leave": draw_leave(runs),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    """Every layer of every seed, one way a panel."""
    ways = {
        "one_head": "one head",
        "two_heads": "two heads",
        "one_matrix": "one matrix",
        "noiseless": "one head, no noise",
    }
    figure, axes = style.panels(len(ways), height=1.9, sharex=True)
    levels = runs[0]["levels"]
    for ax, (way, title) in zip(axes[:, 0], ways.items()):
        curves = np.concatenate([m[f"{way}_curves"] for m in runs], 1)
        x = EVERY * (np.arange(len(curves)) + 0.5)
        late = curves[-1] > STUCK * levels[-1]
        lines = ax.plot(x, curves[:, ~late], color=style.colour(0), lw=0.4, alpha=0.25)
        lines += ax.plot(x, curves[:, late], color=style.colour(1), lw=0.5, alpha=0.5)
        for line in lines:
            line.set_rasterized(True)
        title = f"{title}: {late.sum()} of {late.size} stuck"
        ax.set(ylabel="loss", ylim=(0.17, 0.46), title=title)
        for rank in (1, 2) if way == "two_heads" else (1,):
            ax.axhline(levels[rank], color=style.ink(), lw=0.8, ls=":")
        style.level(ax, levels[-1], "optimum", below=True)
    axes[-1, 0].set_xlabel("training step")
    return figure


def draw_ends(runs: list[Measurements]) -> Figure:
    """How much of v reads x against the loss at the end, for every layer."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    ways = (("one_head", "o"), ("two_heads", "x"), ("one_matrix", "+"))
    for index, (way, marker) in enumerate(ways):
        ax.plot(
            np.concatenate([m[f"{way}_mirrored"] for m in runs]),
            np.concatenate([m[f"{way}_loss"] for m in runs]),
            marker,
            color=style.colour(index),
            alpha=0.6,
            markersize=4,
            label=way.replace("_", " "),
        )
    for name, at in zip(("no map", "rank 1", "rank 2", "optimum"), runs[0]["levels"]):
        style.level(ax, at, name, x=0.6, below=name in ("rank 2", "optimum"))
    ax.set(
        xlabel="share of |v|² that reads x",
        ylabel="loss at the end",
        xlim=(-0.03, 1.03),
        ylim=(0.18, 0.44),
    )
    ax.legend(loc="center left", bbox_to_anchor=(0.02, 0.5))
    return figure


def draw_leave(runs: list[Measurements]) -> Figure:
    """Of the layers that are stuck, how many still are, some steps on."""
    figure, axes = style.panels(1, height=2.8)
    ax = axes[0, 0]
    ways = {"more": "go on, batches of 256", "freed": "go on, no noise"}
    for index, (name, label) in enumerate(ways.items()):
        shares = [
            np.r_[1.0, m[name] / max(int(stuck(m, "one_head").sum()), 1)] for m in runs
        ]
        x = EVERY * np.arange(len(shares[0]))
        style.seeds_and_median(ax, x, shares, index, label)
    ax.set(
        xlabel="steps after the layer was found stuck",
        ylabel="share still stuck",
        ylim=(-0.03, 1.05),
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2)
    return figure

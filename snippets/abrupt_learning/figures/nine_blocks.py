"""The figures of abrupt_learning/nine_blocks."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.abrupt_learning.nine_blocks import TREATMENTS
from snippets.contract import Measurements
from snippets.icl.networks.score_blocks import PARTS
from snippets.style import colour, ink, panels


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"shares": draw_shares(runs), "kept": draw_kept(runs)}


def rows(ax: Axes, values: np.ndarray, names: list[str], hand: int) -> None:
    """A dot for each seed, a stroke for the median; what a head by hand uses in orange."""
    for row, name in enumerate(names):
        paint = colour(1 if row == hand else 0)
        dots: dict[str, Any] = {
            "color": paint,
            "markersize": 4,
            "alpha": 0.6,
            "label": f"_{name}",
        }
        ax.plot(values[:, row], [row] * len(values), "o", **dots)
        middle = float(np.median(values[:, row]))
        ax.plot([middle] * 2, [row - 0.35, row + 0.35], color=paint, label=f"_{row}")
    ax.axvline(0, color=ink(), linewidth=0.9, linestyle=":", label="_none")
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.set(ylim=(len(names) - 0.4, -0.6))


def draw_shares(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.9)
    for ax, layer, n, hand in ((axes[0, 0], 1, 2, 0), (axes[1, 0], 2, 3, 5)):
        names = [f"{q} × {k}" for q in PARTS[:n] for k in PARTS[:n]]
        values = np.stack([m[f"layer_{layer}"][-1].flatten() for m in runs])
        rows(ax, values, names, hand)
        ax.set_title(f"layer {layer}: part of the query × part of the key")
    axes[1, 0].set_xlabel("share of the variance of the scores")
    return fig


def draw_kept(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=2.5)
    ax = axes[0, 0]
    rows(ax, np.stack([m["kept"] for m in runs]), list(TREATMENTS), -1)
    ax.axvline(1 / 8, color=ink(), linewidth=0.9, linestyle=":", label="_1/N")
    ax.annotate(
        "$1/N$",
        (1 / 8, -0.55),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=9,
    )
    ax.set(xlim=(-0.02, 1.02), xlabel="accuracy on new classes")
    return fig

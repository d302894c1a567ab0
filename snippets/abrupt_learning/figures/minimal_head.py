"""The figures of abrupt_learning/minimal_head."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.minimal_head import ALPHA, BETA1, head, reading
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"jump": draw_jump(runs), "starts": draw_starts(runs)}


CURVES = (
    ("names_a_shown_label", 4, "guess is a shown label", "--"),
    ("label_to_item", 2, "layer 1: label to its item", "-"),
    ("target_to_label", 3, "layer 2: target to its label", "-"),
    ("context", 0, "right from context", "-"),
    ("memory", 1, "right from memory", "-"),
)


def draw_jump(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.1, sharex=True)
    for ax, direct in zip(axes[:, 0], (True, False)):
        for name, index, label, dash in CURVES:
            ys = [m[name][:, head(512, direct)] for m in runs]
            label = label if direct else f"_{label}"
            x = runs[0]["step"]
            style.seeds_and_median(ax, x, ys, index, label, linestyle=dash)
        ax.set(ylim=(-0.03, 1.05), ylabel="share")
        ax.set_title("three numbers" if direct else "two numbers, without $\\beta_2$")
    axes[-1, 0].set(xlabel="training step")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_starts(runs: list[Measurements]) -> Figure:
    """Paths of seed 0, and each start as a dot: how many seeds read from there."""
    figure, axes = style.panels(2, height=2.9, sharex=True)
    share = np.mean([reading(m) for m in runs], 0)  # (three or two, beta1, alpha)
    paths = runs[0]["grid_numbers"].reshape(-1, 2, len(BETA1), len(ALPHA), 3)
    for kind, ax in enumerate(axes[:, 0]):
        draw_paths(ax, paths[:, kind], reading(runs[0])[kind])
        draw_dots(ax, share[kind])
        ax.set(ylabel="$\\alpha$, layer 2", xlim=(-6.5, 7), ylim=(-6, 9.5))
        ax.set_title("two numbers, without $\\beta_2$" if kind else "three numbers")
    axes[-1, 0].set(xlabel="$\\beta_1$, layer 1")
    axes[0, 0].legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=2, frameon=False
    )
    return figure


def draw_paths(ax: Axes, paths: np.ndarray, reads: np.ndarray) -> None:
    """(time, beta1, alpha, number): a line for each start, its end as a small cross."""
    seen = set()
    for i, j in np.ndindex(*reads.shape):
        beta1, alpha = paths[:, i, j, 0], paths[:, i, j, 1]
        good = bool(reads[i, j])
        name = "comes to read" if good else "does not read"
        label = f"_{name}" if name in seen else name
        seen.add(name)
        line: dict[str, Any] = {
            "color": style.colour(0 if good else 1),
            "linewidth": 0.9,
        }
        ax.plot(beta1, alpha, label=label, alpha=0.8, **line)
        ax.plot(beta1[-1], alpha[-1], "x", color=line["color"], markersize=4)


def draw_dots(ax: Axes, share: np.ndarray) -> None:
    """Blue where every seed reads from there, white where none does."""
    x, y = np.meshgrid(BETA1, ALPHA, indexing="ij")
    ax.scatter(x, y, s=26, facecolor="none", edgecolor=style.ink(), zorder=4, lw=0.7)
    for i, j in np.ndindex(*share.shape):
        colour = style.colour(0)
        spot: dict[str, Any] = {
            "color": colour,
            "zorder": 3,
            "lw": 0,
            "alpha": float(share[i, j]),
        }
        ax.scatter([x[i, j]], [y[i, j]], s=26, **spot)

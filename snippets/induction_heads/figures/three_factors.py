"""The figures of induction_heads/three_factors."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.three_factors import CLAMPS, PRESETS

NAMES = ("nothing clamped", "c clamped", "b and c clamped")
DRAWN = 2  # which start the curves show


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"loss": draw_loss(runs), "waits": draw_waits(runs)}


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    for index, (clamp, name) in enumerate(zip(CLAMPS, NAMES)):
        key = clamp or "none"
        x = runs[0][f"time_{key}"] + runs[0][f"time_{key}"][1] * 0.5
        ys = [m[f"loss_{key}"][DRAWN] for m in runs]
        style.seeds_and_median(ax, x, ys, index, name)
    ax.set(xscale="log", xlabel="rate × steps", ylabel="loss, share of that at zero")
    ax.set_ylim(-0.03, 1.15)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1)
    return figure


def draw_waits(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    starts = np.array(PRESETS["laptop"].starts)
    for index, name in enumerate(NAMES):
        ys = [m["half"][index] for m in runs]
        style.seeds_and_median(ax, starts, ys, index, name, marker="o", markersize=4)
    ax.set(xscale="log", yscale="log", xlabel="size of the start")
    ax.set_ylabel("rate × steps to half the loss")
    ax.set_xticks(starts, [f"{start:g}" for start in starts])
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, columnspacing=1)
    return figure

"""The figures of abrupt_learning/shared_factors."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.shared_factors import ALPHA, MU
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"race": draw_race(runs), "map": draw_map(runs)}


def draw_race(runs: list[Measurements]) -> Figure:
    """Three settings below each other; strengths below 0 are cut off."""
    figure, axes = style.panels(3, height=1.75, sharex=True)
    titles = (
        ("both", "a gap and a cost: it comes and goes"),
        ("no_gap", "no gap: the first stays"),
        ("no_cost", "no cost: both stay"),
    )
    x = runs[0]["step"] / 1000
    for ax, (name, title) in zip(axes[:, 0], titles):
        for index, which in enumerate(("first", "second")):
            starts = [y for m in runs for y in m[f"{name}_{which}"][:1]]
            ys = [np.maximum(y, -0.1) for y in starts]
            dash = "-" if index == 0 else "--"
            label = f"strategy {index + 1}"
            style.seeds_and_median(ax, x, ys, index, label, linestyle=dash)
        ax.set(ylim=(-0.13, 1.08), ylabel="strength")
        ax.set_title(title, fontsize=9.5)
    axes[-1, 0].set_xlabel("step (thousands)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def draw_map(runs: list[Measurements]) -> Figure:
    """In how many starts strategy 1 comes, and in how many it is there at the end."""
    figure, axes = style.panels(1, 2, height=2.9)
    titles = (("map_comes", "1 comes"), ("map_stays", "1 is there at the end"))
    for ax, (name, title) in zip(axes[0], titles):
        values = np.mean(np.stack([m[name] for m in runs]), 0)
        shown = ax.imshow(values, vmin=0, vmax=1, origin="lower", interpolation="none")
        ax.set_title(title)
        ax.grid(False)
        ax.set_xticks(range(len(ALPHA)), [f"{x:g}" for x in ALPHA], rotation=90)
        ax.set_yticks(
            range(len(MU)), [f"{x:g}" for x in MU] if ax is axes[0, 0] else []
        )
        ax.set_xlabel("cost $\\alpha$")
    axes[0, 0].set_ylabel("gap $\\mu_1$")
    figure.colorbar(shown, ax=axes, shrink=0.7, label="share of starts")
    return figure

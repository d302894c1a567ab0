"""The figures of algorithms/preconditioner."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.preconditioner import PRESETS, WORLDS
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "entries": draw_entries(runs),
        "scale": draw_scale(runs),
        "by_n": draw_by_n(runs[0]),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    losses = [m["theorem_losses"][0] for m in runs]
    style.seeds_and_median(top, x, losses, 0, "trained layer")
    m = runs[0]
    levels = (
        ("best", "computed minimum", True),
        ("scalar", "best plain step", False),
        ("inverse", "inverse of Σ", False),
    )
    for name, text, below in levels:
        style.level(top, float(m[f"theorem_{name}_loss"]), text, below=below)
    top.set(ylabel="loss", yscale="log", ylim=(0.55, 3.6))
    top.set_yticks((0.7, 1, 2, 3), ("0.7", "1", "2", "3"))
    top.minorticks_off()
    off = [m["theorem_off"][0] for m in runs]
    style.seeds_and_median(bottom, x, off, 1, "A")
    style.level(bottom, 0.1, "10 %")
    bottom.set(
        xlabel="training step",
        ylabel="error of A, worst direction",
        yscale="log",
    )
    return figure


def draw_entries(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.9)
    for ax, world, title in zip(
        axes[:, 0], WORLDS, ("w ~ N(0, I)", "w ~ N(0, inverse of Σ)")
    ):
        ends = [
            float(f([m[f"{world}_best_A"] for m in runs])) for f in (np.min, np.max)
        ]
        ax.plot(ends, ends, color=style.ink(), linewidth=0.9, linestyle=":")
        for index, m in enumerate(runs):
            for A in m[f"{world}_A"]:
                ax.plot(
                    m[f"{world}_best_A"].ravel(),
                    A.ravel(),
                    "o",
                    markersize=3.5,
                    alpha=0.6,
                    color=style.colour(index),
                )
        ax.set_title(title)
        ax.set(xlabel="entry of A, computed", ylabel="entry of A, trained")
    return figure


def draw_scale(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    sizes = np.geomspace(0.15, 7, 60)
    length = float(np.linalg.norm(runs[0]["theorem_best_A"]))
    ax.plot(sizes, length / sizes, color=style.ink(), linewidth=0.9, linestyle=":")
    starts = ("all small", "$W_V$ large", "$W_Q$, $W_K$ large")
    for start, (label, marker) in enumerate(zip(starts, "osv")):
        ax.plot(
            [abs(m["theorem_v_y"][start]) for m in runs],
            [m["theorem_B_length"][start] for m in runs],
            marker,
            markersize=5,
            color=style.colour(start),
            label=f"start: {label}",
        )
    ax.set(
        xscale="log", yscale="log", xlabel="size of $v_y$", ylabel="length of $W_{xx}$"
    )
    ax.set_xticks((0.2, 0.5, 1, 2, 5), ("0.2", "0.5", "1", "2", "5"))
    ax.set_yticks((1, 2, 5, 10, 20), ("1", "2", "5", "10", "20"))
    ax.minorticks_off()
    ax.legend()
    return figure


def draw_by_n(m: Measurements) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    lines = (
        ("best", "best A", "-"),
        ("scalar", "best plain step", "--"),
        ("inverse", "inverse of Σ", "-."),
    )
    for index, (name, label, dashes) in enumerate(lines):
        ax.plot(
            m["size_by_n"],
            m[f"{name}_by_n"],
            dashes,
            color=style.colour(index),
            label=label,
        )
    style.level(ax, float(m["theorem_zero_loss"]), "predict 0")
    ax.plot(
        [PRESETS["laptop"].n],
        [m["theorem_losses"][0, -1]],
        "o",
        color=style.ink(),
        label="trained layer",
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="examples n",
        ylabel="loss of one step",
        ylim=(0.02, 25),
    )
    ax.legend(loc="lower left")
    return figure

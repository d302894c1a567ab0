"""The figures of meta_learning/general_purpose."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.general_purpose import ELSEWHERE, at_the_end, first, row


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "regimes": draw_regimes(runs),
        "positions": draw_positions(runs),
        "elsewhere": draw_elsewhere(runs),
    }


def draw_regimes(runs: list[Measurements]) -> Figure:
    """First and late accuracy against the number of tasks, seen above, unseen below."""
    figure, axes = style.panels(2, height=2.4, sharex=True)
    ks = runs[0]["n_tasks"]
    x = np.arange(len(ks))
    for ax, kind in zip(axes[:, 0], ("seen", "unseen")):
        for index, (name, value) in enumerate((("end", at_the_end), ("start", first))):
            ys = [np.array([value(m, kind, k) for k in ks]) for m in runs]
            style.seeds_and_median(
                ax, x, ys, index, f"{name} of the sequence", marker="o"
            )
        style.level(ax, runs[0]["chance"], "chance", below=True, x=0.47)
        ax.set(ylabel=f"accuracy, {kind} tasks", ylim=(0, 1.04))
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    axes[1, 0].set(xlabel="tasks to train on")
    axes[1, 0].set_xticks(x, ["new" if np.isinf(k) else str(int(k)) for k in ks])
    return figure


def draw_positions(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    x = np.arange(runs[0]["seen"].shape[1])
    for ax, kind in zip(axes[:, 0], ("seen", "unseen")):
        for index, k in enumerate((1, 8, 64, np.inf)):
            ys = [m[kind][row(m, k)] for m in runs]
            label = {1: "1 task", np.inf: "new tasks"}.get(k, f"{k} tasks")
            style.seeds_and_median(ax, x, ys, index, label)
        ax.set(ylabel=f"accuracy, {kind} tasks", ylim=(0, 1.04))
        ax.axhline(runs[0]["chance"], color=style.ink(), linewidth=0.9, linestyle=":")
        ax.text(23, 0.06, "dotted: chance", ha="right", fontsize=8.5)
    oracle = np.median([m["neighbour"] for m in runs], 0)
    axes[1, 0].plot(
        x[1:], oracle[1:], color=style.ink(), linestyle="--", label="nearest neighbour"
    )
    axes[1, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    axes[1, 0].set(xlabel="examples shown before")
    return figure


def draw_elsewhere(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    y = np.arange(len(ELSEWHERE))
    kinds = (
        ("nearest neighbour", [m["neighbour_elsewhere"] for m in runs], 2, -0.2),
        ("new tasks", [m["elsewhere"][row(m, np.inf)] for m in runs], 0, 0.0),
        ("8 tasks", [m["elsewhere"][row(m, 8)] for m in runs], 1, 0.2),
    )
    for label, values, index, shift in kinds:
        for v in values:
            ax.plot(v, y + shift, ".", color=style.colour(index), alpha=0.5)
        ax.plot(
            np.median(values, 0), y + shift, "|", color=style.colour(index),
            markersize=13, markeredgewidth=2.5, label=label,
        )  # fmt: skip
    for level, height in zip(runs[0]["chance_elsewhere"], y):
        ax.plot([level] * 2, [height - 0.35, height + 0.35], ":", color=style.ink())
    ax.invert_yaxis()
    ax.set_yticks(y, [name.replace(" ", "\n") for name in ELSEWHERE])
    ax.set(xlabel="accuracy at the end of the sequence", xlim=(0, 1.02))
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=1)
    return figure

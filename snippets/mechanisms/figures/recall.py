"""The figures of mechanisms/recall."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.figures.eight import GROUPS, NAMES
from snippets.mechanisms.recall import PRESETS

CHANCE = 1 / PRESETS["laptop"]["decoder"].n_values


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"accuracy": draw_accuracy(runs)}


def any_stored(n: np.ndarray) -> np.ndarray:
    """How often one of the n stored values, picked evenly, is the right one: it is the
    pair asked for, or another with the same value by chance."""
    return 1 / n + (1 - 1 / n) * CHANCE


def draw_accuracy(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.6, sharex=True)
    for ax, (title, cells) in zip(axes[:, 0], GROUPS.items()):
        for index, cell in enumerate(cells):
            x = runs[0][cell]["size"]
            ys = [m[cell]["accuracy"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[cell])
            if cell == "lstm":
                few = runs[0]["lstm-long"]["size"]
                long = [m["lstm-long"]["accuracy"] for m in runs]
                label = "LSTM, seven times the steps"
                style.seeds_and_median(
                    ax, few, long, index, label, linestyle="--", marker="o"
                )
        n = np.arange(2, 33)
        ax.plot(n, any_stored(n), color=style.ink(), linewidth=0.9, ls=":")
        style.level(ax, CHANCE, "chance", below=True)
        ax.set(ylabel="accuracy", ylim=(-0.05, 1.04))
        ax.set_title(title)
    axes[0, 0].legend(loc="center right", bbox_to_anchor=(1, 0.62))
    axes[1, 0].legend(loc="center right", bbox_to_anchor=(1, 0.4))
    for ax in axes[:, 0]:
        ax.annotate("any stored value", (1.85, 0.24), fontsize=8.5)
    axes[-1, 0].set_xscale("log", base=2)
    ticks = (2, 4, 8, 16, 32)
    axes[-1, 0].set_xticks(ticks, [str(n) for n in ticks])
    axes[-1, 0].set(xlabel="pairs stored")
    return figure

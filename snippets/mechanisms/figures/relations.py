"""The figures of mechanisms/relations."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.relations import KNOWN, NEW, SHOWN, expected

CELLS = {
    "k6": "trained on 6 lasting relations",
    "k384": "trained on 384 lasting relations",
    "new": "trained on new relations only",
}
LAW_NAMES = ("mutual", "one-way", "lawless")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"laws": draw_laws(runs), "against": draw_against(runs)}


def draw_laws(runs: list[Measurements]) -> Figure:
    """The chance of the partner against pairs shown, for a relation never met."""
    figure, axes = style.panels(3, height=1.9, sharex=True)
    x, bayes = np.array(SHOWN), expected()
    for ax, (cell, title) in zip(axes[:, 0], CELLS.items()):
        for law, name in enumerate(LAW_NAMES):
            ys = [m[cell]["partner"][NEW, law] for m in runs]
            style.seeds_and_median(ax, x, ys, law, name)
            line = {"linestyle": "--", "linewidth": 1.0, "color": style.ink()}
            ax.plot(x, bayes[law], label="_" if law else "Bayes' rule", **line)
        ax.set_title(title)
        ax.set(ylim=(-0.03, 1.03), ylabel="chance of\nthe partner")
        ax.set_xticks(x)
    axes[2, 0].set_xlabel("pairs shown both ways")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=4)
    return figure


def draw_against(runs: list[Measurements]) -> Figure:
    """A mutual relation, known from training, shown as it is and as one-way."""
    figure, axes = style.panels(1, height=2.9)
    ax, x = axes[0, 0], np.array(SHOWN)
    names = {
        "k6": "6 lasting",
        "both": "24 lasting, and new ones",
        "k384": "384 lasting",
    }
    for index, (cell, name) in enumerate(names.items()):
        shown = [m[cell]["against"][0] for m in runs]
        style.seeds_and_median(ax, x, shown, index, name)
        agreeing = np.median([m[cell]["partner"][KNOWN, 0] for m in runs], 0)
        line = {"linestyle": ":", "linewidth": 1.3, "color": style.colour(index)}
        ax.plot(x, agreeing, label=f"_{name}, shown as mutual", **line)
    ax.set_xticks(x)
    ax.set(ylim=(-0.03, 1.03), ylabel="chance of the partner")
    ax.set_xlabel("pairs that show the known mutual relation as one-way")
    figure.legend(loc="outside upper center", ncols=3)
    return figure

"""The figure of mechanisms/reversal."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.reversal import PRESETS

ROWS = {
    "memory_as_told": "from the weights,\nas trained",
    "memory_other_way": "from the weights,\nthe other way",
    "remembered_other_way": "kept one way, told in the\nprompt, the other way",
    "prompt_as_told": "strangers in the\nprompt, as told",
    "prompt_other_way": "strangers in the prompt,\nthe other way",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"two-ways": draw_two_ways(runs)}


def draw_two_ways(runs: list[Measurements]) -> Figure:
    """For each kind of question a bar a network: the share of right answers."""
    figure, axes = style.panels(1, height=4.3)
    ax, rows = axes[0, 0], np.arange(len(ROWS))
    for index, (cell, config) in enumerate(PRESETS["laptop"].items()):
        values = np.array([[m[cell][row] for row in ROWS] for m in runs])
        at = rows + 0.26 * (index - 1)
        bar = {"height": 0.22, "color": style.colour(index), "alpha": 0.5}
        ax.barh(at, np.median(values, 0), label=str(config.n_both), **bar)
        for one in values:
            ax.plot(one, at, "o", color=style.colour(index), markersize=2.5)
    ax.set_yticks(rows, list(ROWS.values()))
    ax.set(xlim=(-0.01, 1.03), xlabel="share of answers that are right")
    ax.grid(axis="y", visible=False)
    ax.invert_yaxis()
    title = "pairs that training asked both ways, beside 64 asked one way"
    figure.legend(loc="outside upper center", ncols=3, title=title)
    return figure

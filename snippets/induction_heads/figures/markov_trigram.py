"""The figures of induction_heads/markov_trigram."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.markov_trigram import FURTHEST, STRATEGIES, nearest


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"stairs": draw_stairs(runs), "heads": draw_heads(runs)}


def draw_stairs(runs: list[Measurements]) -> Figure:
    """Loss above each seed's own trigram line, and the nearest strategy."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    style.seeds_and_median(top, x, [m["loss"] for m in runs], 0, "network")
    for index, name in enumerate((*STRATEGIES, "oracle")):
        level = float(np.median([m["lines"][index] for m in runs]))
        shift = {"uniform": 2.5, "unigram": -2.5}.get(name, 0)
        style.beside(top, level, name, shift=shift)
    top.set(ylabel="loss (nats)", ylim=(0.79, 1.16))
    strips(bottom, runs)
    bottom.set(xlabel="training step", xlim=(0, x[-1]))
    return figure


def strips(ax: Axes, runs: list[Measurements]) -> None:
    """A row for each seed, coloured by the nearest strategy."""
    named: set[int] = set()
    for row, m in enumerate(runs):
        seen, step = nearest(m), m["step"]
        half = (step[1] - step[0]) / 2
        cuts = [0, *(np.flatnonzero(np.diff(seen)) + 1), len(seen)]
        for a, b in pairwise(cuts):
            index = int(seen[a])
            label = STRATEGIES[index] if index not in named else "_again"
            named.add(index)
            left, width = step[a] - half, step[b - 1] - step[a] + 2 * half
            colour = style.colour(index)
            ax.barh(row, width, left=left, height=0.7, color=colour, label=label)
    ax.set_yticks(range(len(runs)), [f"seed {row}" for row in range(len(runs))])
    ax.set_ylim(len(runs) - 0.5, -0.5)
    ax.grid(False)
    ax.set_title("nearest strategy")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.22), ncols=4)


def draw_heads(runs: list[Measurements]) -> Figure:
    """Attention by distance; in each seed the head that looks one back comes first."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    x = np.arange(FURTHEST)
    ordered = [m["back"][np.argsort(-m["back"][:, 1])] for m in runs]
    names = ("head that looks one back more", "the other head")
    for index, label in enumerate(names):
        ys = [back[index] for back in ordered]
        style.seeds_and_median(ax, x, ys, index, label, marker="o")
    ax.set(xlabel="tokens back", ylabel="mean attention", ylim=(0, 1))
    ax.legend(loc="upper right")
    return figure

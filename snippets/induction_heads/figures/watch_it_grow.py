"""The figure of induction_heads/watch_it_grow."""

import numpy as np
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.induction_heads.watch_it_grow import SECOND, in_the_probe
from snippets.style import panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"word": draw_word(runs)}


def draw_word(runs: list[Measurements]) -> Figure:
    """What both heads do in a word that stands twice, and the guesses."""
    fig, axes = panels(1, height=3.0)
    ax, x = axes[0, 0], runs[0]["step"]
    of_heads = [
        in_the_probe(m["maps"], [int(head) for head in m["heads"]]) for m in runs
    ]
    guesses = [m["right"][:, SECOND].mean(1) / 255 for m in runs]
    curves = (
        ("layer 1: to the letter before", [back for back, _ in of_heads]),
        ("layer 2: to what followed", [follows for _, follows in of_heads]),
        ("probability of the right letter", guesses),
    )
    for index, (name, ys) in enumerate(curves):
        style = ("-", "--", "-.")[index]
        seeds_and_median(ax, x, ys, index, name, linestyle=style)
    ax.set(xlabel="training step", ylabel="share", ylim=(-0.02, 1.4))
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.legend(loc="upper left")
    return fig

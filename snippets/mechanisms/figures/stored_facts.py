"""The figure of mechanisms/stored_facts."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.figures.who_does_what import dots

ASKED = {"remembers": "usual label, not shown", "reads": "one wrong pair, shown"}
ROWS = {  # which network, and what is off in it
    "the whole network": ("whole", ""),
    "attention off": ("whole", "_attention"),
    "first MLP off": ("whole", "_mlp_1"),
    "second MLP off": ("whole", "_mlp_2"),
    "both MLPs off": ("whole", "_mlp"),
    "never had MLPs": ("no-mlp", ""),
    "never had attention": ("no-attention", ""),
}
GAP = 0.6  # between what was switched off and what never was


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """A panel for what it remembers, one for what it reads; a dot for each seed."""
    figure, axes = style.panels(1, 2, height=2.6, sharex=True, sharey=True)
    places = [row + GAP * (row > 4) for row in range(len(ROWS))]
    for index, (ax, (answer, title)) in enumerate(zip(axes.flat, ASKED.items())):
        for place, (network, off) in zip(places, ROWS.values()):
            dots(ax, np.array([m[network][answer + off] for m in runs]), place, index)
        ax.set_title(title)
        ax.set_xlim(-0.04, 1.04)
        ax.set_ylim(places[-1] + 0.5, -0.5)
        ax.set_yticks(places, ROWS)
        ax.set_xlabel("share of answers")
        ax.axhline(4.5 + GAP / 2, color=style.ink(), linewidth=0.6, linestyle=":")
    return {"parts": figure}

"""The figures of mechanisms/layers_exact."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """One channel of a state space that reads eight tokens, the first and the fifth of
    them with a long step; and the same tokens with one step for all."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    t = np.arange(1, len(runs[0]["chosen"]) + 1)
    for index, (name, label) in enumerate(
        {"chosen": "steps chosen by token", "even": "one step for all"}.items()
    ):
        ys = [m[name] for m in runs]
        style.seeds_and_median(ax, t, ys, index, label, marker="o")
    ax.axhline(0, color=style.ink(), linewidth=0.7)
    for place in (1, 5):
        ax.axvline(place, color=style.ink(), linewidth=0.9, ls=":")
    ax.set(xlabel="token", ylabel="state h")
    figure.legend(loc="outside lower center", ncol=2)
    return {"selection": figure}

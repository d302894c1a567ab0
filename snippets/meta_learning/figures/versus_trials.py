"""The figure of meta_learning/versus_trials."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.training.contenders_tried import TRIED, WINNER

NAMES = {
    "icl": "in context",
    "maml": "MAML",
    "wide": "MAML, as large",
    "first": "first-order MAML",
    "anil": "ANIL",
    "tuned": "fine-tuned",
    "scratch": "from scratch",
    "neighbour": "nearest neighbour",
    "ridge": "ridge, raw",
    "fourier": "ridge, waves",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """Each trial's score, the median over seeds, and which of the six was chosen."""
    figure, axes = style.panels(2, height=2.9)
    words = {
        "waves": "squared error, waves",
        "digits": "share of wrong answers, digits",
    }
    for ax, (setting, ways) in zip(axes[:, 0], TRIED.items()):
        for row, name in enumerate(ways):
            scores = np.median([m[setting][name] for m in runs], 0)
            there = scores[np.isfinite(scores)]
            ax.plot(there, [row] * len(there), "o", color=style.colour(0), alpha=0.5,
                    markersize=4, label=None if row else "a trial")  # fmt: skip
            ax.plot(scores[WINNER[setting][name]], row, "o", color=style.colour(1),
                    markersize=9, markerfacecolor="none", markeredgewidth=1.8,
                    label=None if row else "chosen")  # fmt: skip
        ax.set_yticks(range(len(ways)), [NAMES[name] for name in ways])
        ax.set(xlabel=words[setting])
        ax.invert_yaxis()
    axes[0, 0].set(xscale="log")
    axes[0, 0].set_xticks((0.5, 1, 2, 5), ("0.5", "1", "2", "5"))
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)
    return {"trials": figure}

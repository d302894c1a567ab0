"""The figures of algorithms/wind_tunnel."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

READERS = (("transformer", "transformer"), ("lstm", "LSTM"), ("mlp", "MLP"))


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"bits": draw_bits(runs), "apart": draw_apart(runs)}


def draw_bits(runs: list[Measurements]) -> Figure:
    """Above: how unsure the posterior itself is. Below: how far each reader is from it."""
    figure, axes = style.panels(2, height=2.2, sharex=True, height_ratios=(1, 1.5))
    top, bottom = axes[:, 0]
    asked = np.arange(1, len(runs[0]["mlp"]["by_question"]) + 1)
    doubt = [m["mlp"]["doubt"] for m in runs]
    style.seeds_and_median(top, asked, doubt, 6, "entropy of the posterior", ls="--")
    top.set(ylabel="bits", ylim=(0, 2.8))
    top.legend(loc="upper right")
    for index, (cell, label) in enumerate(READERS):
        far = [m[cell]["by_question"] for m in runs]
        style.seeds_and_median(bottom, asked, far, index, label, marker="o", ms=3.5)
    bottom.set(xlabel="question", ylabel="bits from the posterior", yscale="log")
    bottom.set_xticks(asked)
    bottom.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure


ROWS = (
    ("no letter twice", "-once", "bits"),
    ("letters may return: new", "", "new"),
    ("letters may return: known", "", "known"),
    ("spread over orders", "", "order"),
)


def draw_apart(runs: list[Measurements]) -> Figure:
    """A dot for every seed, a bar for their median."""
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    for index, (reader, label) in enumerate(READERS):
        for row, (_, ending, name) in enumerate(ROWS):
            cell = reader + ending
            if cell not in runs[0]:
                continue
            values, height = [m[cell][name] for m in runs], row + 0.22 * (index - 1)
            shade = style.colour(index)
            told = label if row == 1 else f"_{label} {row}"
            ax.plot(
                values,
                [height] * len(values),
                "o",
                color=shade,
                ms=4,
                alpha=0.6,
                label=told,
            )
            middle = [np.median(values)]
            ax.plot(middle, [height], "|", color=shade, ms=13, mew=2.5, label="_median")
    ax.set_yticks(range(len(ROWS)), [name for name, _, _ in ROWS])
    ax.set(xlabel="bits", xscale="log", ylim=(len(ROWS) - 0.5, -0.5))
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    return figure

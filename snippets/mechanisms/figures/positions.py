"""The figures of mechanisms/positions."""

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.positions import ENCODINGS


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "patterns": draw_patterns(runs[0])}


SEEN = PowerNorm(0.5, vmin=0, vmax=1)  # of a mean pattern most weights are small
NAMES = {
    "none": "none",
    "learned": "learned",
    "sinusoidal": "sinusoidal",
    "rotary": "rotary",
    "alibi": "ALiBi",
}


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.9, sharex=True)
    x, length = runs[0]["none-1"]["position"], runs[0]["none-1"]["trained"]
    some = (x <= length + 4) | (x % 3 == 1)  # fewer points where curves are flat
    x = x[some]
    for ax, layers in zip(axes[:, 0], (1, 2)):
        for index, name in enumerate(ENCODINGS):
            curves = [m[f"{name}-{layers}"]["accuracy"][some] for m in runs]
            line = "--" if name == "none" else "-"
            style.seeds_and_median(ax, x, curves, index, NAMES[name], linestyle=line)
        heap = np.median([m["none-1"]["heap"][some] for m in runs], 0)
        ax.plot(x, heap, color=style.ink(), linestyle=":", label="best without order")
        ax.axvline(length + 0.5, color=style.ink(), linewidth=0.9)
        ax.annotate("trained to here", (length + 1, 1.05), fontsize=8)
        ax.set(ylabel="share of right answers", ylim=(0, 1.15), xlim=(3, x[-1]))
        ax.set_title(("one layer", "two layers")[layers - 1])
    curves = [m["slow-rotary-1"]["accuracy"][some] for m in runs]
    style.seeds_and_median(
        axes[0, 0], x, curves, 3, "rotary, base $10^6$", linestyle="-."
    )
    axes[1, 0].set_xlabel("position of the token that asks")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=3)
    return figure


def draw_patterns(m: Measurements) -> Figure:
    """Mean pattern of the head that attends most to the token before."""
    figure, axes = style.panels(3, 2, height=2.1)
    cells = [*(f"{name}-1" for name in ENCODINGS), "none-2"]
    titles = [*NAMES.values(), "none, layer 2"]
    for ax, cell, title in zip(axes.flat, cells, titles):
        length = m[cell]["trained"]
        ax.imshow(m[cell]["pattern"] / 255, norm=SEEN, interpolation="none")
        ax.plot(
            [-0.5, length - 0.5, length - 0.5],
            [length - 0.5, length - 0.5, -0.5],
            color="white",
            linewidth=0.9,
        )
        ax.set_title(title)
        ax.set_xticks((0, 15, 31, 63), (1, 16, 32, 64), fontsize=8)
        ax.set_yticks((0, 15, 31, 63), (1, 16, 32, 64), fontsize=8)
        ax.grid(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("query")
    for ax in axes[-1]:
        ax.set_xlabel("key")
    return figure

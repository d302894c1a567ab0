"""The figures of mechanisms/cipher."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.cipher import ORDERED, PRESETS

NAMES = {
    "encoder-decoder": "encoder-decoder",
    "prefix-lm": "prefix-LM",
    "decoder": "decoder-only, code first",
    "decoder-text-first": "decoder-only, text first",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.4)
    ax = axes[0, 0]
    for index, (cell, name) in enumerate(NAMES.items()):
        x = runs[0][cell]["step"]
        ys = [m[cell]["accuracy"] for m in runs]
        line = "--" if cell == "decoder-text-first" else "-"
        style.seeds_and_median(ax, x, ys, index, name, linestyle=line)
        if cell in ORDERED:  # beside its end: what is left in the other order
            turned = [m[cell]["other_order"] for m in runs]
            look = {"color": style.colour(index), "linestyle": "none"}
            beside = x[-1] + (22 if cell == "decoder" else 40)
            ax.plot([beside] * len(turned), turned, marker=".", alpha=0.5, **look)
            ax.plot(beside, np.median(turned), marker="D", markersize=6, **look)
    style.level(ax, 1 / PRESETS["laptop"]["decoder"].n_symbols, "chance", below=True)
    ax.set(xlabel="training step", ylabel="symbols right", ylim=(0, 1.05))
    figure.legend(loc="outside lower center", ncol=2)
    return {"accuracy": figure}

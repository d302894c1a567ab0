"""The figures of mechanisms/compression."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.compression import PRESETS

SHOWN = (2, 4, 8)  # pairs stored


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    cells = PRESETS["laptop"]
    m = np.array([config.m for config in cells.values()])
    for index, n in enumerate(SHOWN):
        place = list(runs[0]["m1"]["size"]).index(n)
        ys = [np.array([run[c]["accuracy"][place] for c in cells]) for run in runs]
        style.seeds_and_median(ax, m, ys, index, f"{n} pairs", marker="o")
    style.level(ax, 1 / cells["m1"].words.n_values, "chance", below=True)
    ax.set_xscale("log", base=2)
    ax.set_xticks(m, [str(tick) for tick in m])
    ax.set(xlabel="summary tokens, m", ylabel="accuracy", ylim=(-0.02, 1.05))
    figure.legend(loc="outside lower center", ncol=3)
    return {"accuracy": figure}

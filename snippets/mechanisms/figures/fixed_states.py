"""The figures of mechanisms/fixed_states."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.figures.recall import any_stored

NAMES = {
    "hybrid": "hybrid",
    "state-space": "state space",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.6)
    ax = axes[0, 0]
    for index, (cell, name) in enumerate(NAMES.items()):
        x = runs[0][cell]["size"]
        ys = [m[cell]["accuracy"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, name)
    few = runs[0]["gated-convolution"]["size"]
    ys = [m["gated-convolution"]["accuracy"] for m in runs]
    label = "gated convolution, few pairs"
    style.seeds_and_median(ax, few, ys, 2, label, linestyle="--", marker="o")
    n = np.arange(2, 33)
    ax.plot(n, any_stored(n), color=style.ink(), linewidth=0.9, ls=":", label="_any")
    ax.annotate("any stored value", (1.85, 0.24), fontsize=8.5)
    ax.set_xscale("log", base=2)
    ticks = (2, 4, 8, 16, 32)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set(xlabel="pairs stored", ylabel="accuracy", ylim=(-0.02, 1.05))
    figure.legend(loc="outside lower center", ncol=2)
    return {"accuracy": figure}

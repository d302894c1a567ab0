"""The figure of mechanisms/permutations."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"sharpness": draw_sharpness(runs)}


def draw_sharpness(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, x = axes[0, 0], runs[0]["sharpness"]
    for index, (name, marker) in enumerate((("random", "o"), ("matched", "s"))):
        curves = [m[name] for m in runs]
        style.seeds_and_median(ax, x, curves, index, name, marker=marker)
    fine = np.geomspace(x[0], x[-1], 200)
    formula = 1 - 1 / (1 + 7 * np.exp(-fine))
    ax.plot(
        fine, formula, color=style.ink(), linewidth=0.9, linestyle=":", label="_formula"
    )
    ax.annotate("random queries", (20, 0.44), fontsize=9, color=style.colour(0))
    matched = "each query asks for\na key of its own"
    ax.annotate(matched, (8, 0.06), fontsize=9, color=style.colour(1))
    style.level(ax, 7 / 8, "all even: 7/8")
    ax.set(
        xscale="log",
        ylim=(-0.03, 1),
        xlabel="sharpness, what scores are multiplied by",
        ylabel="attention off the\nbest permutation",
    )
    ax.set_xticks((0.25, 1, 4, 16, 64), ("1/4", "1", "4", "16", "64"))
    ax.minorticks_off()
    return figure

"""The figure of meta_learning/neumann."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.neumann import PRESETS

CONFIG = PRESETS["laptop"]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=2.8)
    ax = axes[0, 0]
    k = np.unique(np.geomspace(1, CONFIG.n_terms, 80).astype(int))
    for index, condition in enumerate(CONFIG.conditions):
        ys = [np.maximum(m["left"][index][k - 1], 1e-8) for m in runs]
        style.seeds_and_median(ax, k, ys, index, f"curvatures 1 : {condition:g}")
    style.level(ax, CONFIG.enough, "one part in 100", x=0.4, below=True)
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(1e-6, 2),
        xlabel="terms k",
        ylabel="missing, of the inverse",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return {"left": figure}

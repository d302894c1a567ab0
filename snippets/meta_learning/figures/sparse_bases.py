"""The figure of meta_learning/sparse_bases."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

LINES = (
    ("network", 0, "network", "-"),
    ("ridge", 1, "ridge on all coordinates", "--"),
    ("bayes", 2, "weighs all bases", "--"),
    ("told", 6, "is told the basis", ":"),
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    x = np.arange(1, len(runs[0]["error_network"]) + 1)
    for name, index, label, dash in LINES:
        ys = [m[f"error_{name}"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, label, linestyle=dash)
    ax.set(xlabel="examples", ylabel="mean squared error", yscale="log")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8.5)
    return {"errors": figure}

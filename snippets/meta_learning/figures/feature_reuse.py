"""The figure of meta_learning/feature_reuse."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    rows = {
        "all": "trained and moved: all",
        "last": "trained and moved: last",
        "hidden": "trained and moved: hidden",
        "maml_by_last": "trained: all, moved: last",
    }
    for row, name in enumerate(rows):
        for n_steps, index in ((0, 6), (1, 0), (10, 1)):
            values = [m[name][n_steps] for m in runs]
            dots = {"color": style.colour(index), "alpha": 0.6, "markersize": 4}
            ax.plot(values, [row] * len(values), "o", label=f"_{name}{n_steps}", **dots)
            label = {0: "before", 1: "after 1 step", 10: "after 10"}[n_steps]
            bar = {"color": style.colour(index), "markersize": 14, "mew": 2}
            shown = label if row == 0 else f"_{label}{row}"
            ax.plot(np.median(values), row, "|", label=shown, **bar)
    ax.set_yticks(range(len(rows)), list(rows.values()), fontsize=9)
    ax.invert_yaxis()
    ax.set(xlabel="error on new tasks", xscale="log", xlim=(0.3, 4))
    ax.set_xticks((0.3, 0.5, 1, 2, 3), ("0.3", "0.5", "1", "2", "3"))
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.25, 1), ncols=3)
    return {"moves": figure}

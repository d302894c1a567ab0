"""The figure of algorithms/bayes_exact."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"announced": draw_announced(runs)}


def draw_announced(runs: list[Measurements]) -> Figure:
    """What the rule announces and what happens, with the right noise and a wrong one."""
    figure, axes = style.panels(2, height=2.4, sharex=True)
    top, bottom = axes[:, 0]
    k = runs[0]["examples"]
    names = (("right", 0, "right prior"), ("wrong", 1, "noise assumed too large"))
    for name, index, label in names:
        errors = [m[f"{name}_error"] for m in runs]
        style.seeds_and_median(top, k, errors, index, f"error, {label}")
        told = np.median([m[f"{name}_announced"] for m in runs], 0)
        look = {"color": style.colour(index), "linestyle": ":", "linewidth": 2.4}
        top.plot(k, told, label=f"announced, {label}", **look)
        inside = [m[f"{name}_inside"] for m in runs]
        style.seeds_and_median(bottom, k, inside, index, label)
    style.level(bottom, 0.95, "0.95", below=True)
    top.set(ylabel="squared error, variance", yscale="log")
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2, fontsize=8.5)
    bottom.set(xlabel="examples", ylabel="share in the 95 % band", ylim=(0.925, 1.005))
    bottom.set_xticks(range(0, len(k), 5))
    return figure

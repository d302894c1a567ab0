"""The figure of algorithms/kernel_steps."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.kernel_steps import PRESETS
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """How far built layers are from the posterior mean, by their number."""
    figure, axes = style.panels(1, height=3.0)
    ax = axes[0, 0]
    layers = np.array(PRESETS["laptop"].layers)
    names = (("linear", "linear"), ("rbf", "RBF"), ("exp", "exp"), ("arccos", "arccos"))
    for index, (name, label) in enumerate(names):
        curves = [m[f"{name}_far"] for m in runs]
        style.seeds_and_median(
            ax, layers, curves, index, f"h = K = {label}", marker="."
        )
    ax.set(xscale="log", yscale="log", ylim=(1e-9, 2))
    ax.set(xlabel="layers, each one step", ylabel="distance$^2$ / variance")
    ax.legend(loc="lower left")
    return {"far": figure}

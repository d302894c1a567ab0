"""The figures of mechanisms/mesa_trained."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

NAMES = {"mesa": "mesa-layer", "deltanet": "DeltaNet", "attention": "attention"}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    for index, (cell, name) in enumerate(NAMES.items()):
        x = runs[0][cell]["size"]
        style.seeds_and_median(ax, x, [m[cell]["error"] for m in runs], index, name)
    fitted = np.median([m["mesa"]["least_squares"] for m in runs], 0)
    exact = np.maximum(fitted, 1e-4)  # 0 from n = d on: far below the picture
    ax.plot(x, exact, color=style.ink(), linewidth=1.2, ls=":", label="_ols")
    ax.annotate("least squares", (2.65, 0.0072), fontsize=8.5)
    ax.set(xlabel="examples, n", ylabel="error, relative to answer 0")
    ax.set(yscale="log", ylim=(0.006, 1.2))
    ax.legend(loc="upper right")
    return {"error": figure}

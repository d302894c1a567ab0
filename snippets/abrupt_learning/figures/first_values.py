"""The figures of abrupt_learning/first_values."""

import numpy as np
from matplotlib.figure import Figure

from snippets.abrupt_learning.first_values import PRESETS, SCALES, left
from snippets.contract import Measurements
from snippets.style import colour, level, panels


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    fig, axes = panels(1, height=2.8)
    ax, never = axes[0, 0], PRESETS["laptop"]["x10"].n_steps
    scales = list(SCALES.values())
    for number, m in enumerate(runs):
        steps = np.array([left(m, cell) for cell in SCALES])
        steps = np.where(np.isfinite(steps), steps, never * 1.25)  # above the line
        label = "one seed" if not number else f"_seed {number}"
        dots = {"color": colour(0), "linewidth": 0.7, "alpha": 0.7}
        ax.plot(scales, steps, "o-", markersize=5, label=label, **dots)
    level(ax, never, "above: not away by the last step", below=True)
    ax.set(xscale="log", yscale="log", ylim=(100, 8000))
    ax.set_xticks(scales, [f"{scale:g}" for scale in scales])
    ax.set_yticks(
        [200, 500, 1000, 2000, 4000], ["200", "500", "1,000", "2,000", "4,000"]
    )
    ax.minorticks_off()
    ax.set(xlabel="factor on the attention matrices at the start")
    ax.set(ylabel="steps until it gets away")
    return {"scale": fig}

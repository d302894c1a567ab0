"""The figure of abrupt_learning/helped_flow."""

import numpy as np
from matplotlib.figure import Figure

from snippets.abrupt_learning.helped_flow import by_formula
from snippets.contract import Measurements
from snippets.style import panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """The wait against the share of the first look that is given."""
    fig, axes = panels(1, 1, height=2.6)
    ax = axes[0, 0]
    helps = np.array(runs[0]["helps"])
    shares = [m["waits"] / m["waits"][0] for m in runs]
    seeds_and_median(ax, helps, shares, 0, "three numbers, integrated")
    fine = np.linspace(0, 0.95, 60)
    ax.plot(
        fine, [by_formula(h) for h in fine], "--", color="C1", label="by the formula"
    )
    ax.set(
        ylim=(0, 1.05),
        xlabel="share of the first look given",
        ylabel="wait, of that alone",
    )
    ax.legend(loc="upper right")
    return {"help": fig}

"""The figure of abrupt_learning/two_starts."""

import numpy as np
from matplotlib.figure import Figure

from snippets.abrupt_learning.two_starts import PRESETS, at_the_end
from snippets.contract import Measurements
from snippets.style import level, panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"starts": draw_starts(runs)}


def draw_starts(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=2.9)
    ax, decays = axes[0, 0], np.array(PRESETS["laptop"].decays)
    for index, (curve, marker, name) in enumerate(
        (
            ("head_attention", "^", "from a network that has its head"),
            ("fresh_attention", "v", "from first weights"),
        )
    ):
        ends = [at_the_end(m, curve) for m in runs]
        dots = {"marker": marker, "markersize": 5}
        seeds_and_median(ax, decays, ends, index, name, **dots)
    level(ax, 1 / 9, "even", x=0.12)
    for name, place in (("plateau", (0.0029, 0.22)), ("dead", (0.016, 0.11))):
        near = {"xytext": (0, 8), "textcoords": "offset points"}
        ax.annotate(name, place, ha="center", fontsize=9, **near)
    ax.set(xscale="log", ylim=(0, 1), xlabel="weight decay")
    ax.set_xticks(decays, [f"{decay:g}" for decay in decays])
    ax.minorticks_off()
    ax.set(ylabel="attention on the right label")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1))
    return fig

"""The figures of abrupt_learning/wait."""

import numpy as np
from matplotlib.figure import Figure

from snippets.abrupt_learning.wait import PAIRS, waits
from snippets.contract import Measurements
from snippets.style import colour, ink, panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "power": draw_power(runs)}


def draw_curves(runs: list[Measurements]) -> Figure:
    """Accuracy against step with batches of 32; a run ends soon after its jump."""
    fig, axes = panels(1, height=2.9)
    ax = axes[0, 0]
    for index, n in enumerate(PAIRS[32]):
        cells = [m[f"b32-n{n}"] for m in runs]
        last = max(float(one["step"][-1]) for one in cells)
        x = np.arange(0, last + 1, 20)
        # np.interp holds the last value where a run has ended
        ys = [np.interp(x, one["step"], one["accuracy"]) for one in cells]
        seeds_and_median(ax, x, ys, index, f"N = {n}")
    ax.axhline(0.5, color=ink(), linewidth=0.9, linestyle=":", label="_one half")
    ax.set(xlabel="training step", ylabel="right, new classes", ylim=(0, 1))
    ax.set(xlim=(0, None))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4)
    return fig


def draw_power(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.4)
    ax = axes[0, 0]
    for index, (batch, pairs) in enumerate(PAIRS.items()):
        ys = [waits(m, batch) for m in runs]
        dots = {"marker": "o", "markersize": 4.5}
        seeds_and_median(
            ax, np.array(pairs), ys, index, f"network, batches of {batch}", **dots
        )
    # one shift for both lines of theory: their median meets the network's at N = 4
    at_four = float(np.median([waits(m, 128)[0] for m in runs]))
    for name, style, label in (
        ("edge", ":", "three numbers"),
        ("true_edge", "--", "three numbers, true contexts"),
    ):
        edges = np.median([waits(m, 32, name) for m in runs], 0)
        y = edges * at_four / edges[0]
        ax.plot(PAIRS[32], y, color=ink(), linestyle=style, linewidth=1.1, label=label)
    ends = np.array([4, 12])
    square = at_four * (ends / 4) ** 2
    line = {"color": colour(6), "linestyle": "-.", "linewidth": 1.0}
    ax.plot(ends, square, label="as the square of N", **line)
    ax.set(xscale="log", yscale="log", xlabel="N, pairs in a prompt")
    ax.set(ylabel="wait (steps)")
    ax.set_xticks(PAIRS[32], [str(n) for n in PAIRS[32]])
    ticks = (500, 1000, 2000, 4000)
    ax.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig

"""The figure of algorithms/drag_the_points."""

import numpy as np
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.style import panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"errors": draw_errors(runs)}


PLACES = {
    "inside": "x as in training",
    "far": "asked beyond training's x",
    "steep": "lines three times as steep",
}
NAMES = ("the network", "ridge", "least squares")


def draw_errors(runs: list[Measurements]) -> Figure:
    """Error after k points, for prompts as in training and two other kinds."""
    fig, axes = panels(len(PLACES), height=1.9, sharex=True)
    k = np.arange(1, runs[0]["error_inside"].shape[1])
    for ax, (place, title) in zip(axes[:, 0], PLACES.items()):
        for index, name in enumerate(NAMES):
            errors = [m[f"error_{place}"][index, 1:] for m in runs]
            style = ("-", "--", ":")[index]
            seeds_and_median(ax, k, errors, index, name, linestyle=style)
        ax.set_title(title)
        ax.set(yscale="log", ylim=(0.1, 10), ylabel="error")
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    axes[-1, 0].set_xlabel("points put down")
    axes[0, 0].legend(loc="upper right")
    return fig

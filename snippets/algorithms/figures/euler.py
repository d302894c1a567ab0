"""The figure of algorithms/euler."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.euler import LAYERS
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1, height=3.0)
    ax, layers = axes[0, 0], np.array(LAYERS)
    style.seeds_and_median(
        ax, layers, [m["off"] for m in runs], 0, "constructed layers"
    )
    last = np.median([m["off"][-1] / m["of_first_order"][-1] for m in runs])
    line = {"color": style.ink(), "linewidth": 0.9, "linestyle": ":"}
    ax.plot(
        layers[3:], last * layers[-1] / layers[3:], label="predicted, as 1/L", **line
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="layers L that share the time T",
        ylabel="distance to the flow",
    )
    ax.set_xticks(LAYERS[::2], [str(k) for k in LAYERS[::2]])
    ax.minorticks_off()
    ax.legend(loc="upper right")
    return {"off": figure}

"""The figures of meta_learning/equal_layers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.equal_layers import looks


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """Where the query looks at the end, seed by seed."""
    figure, axes = style.panels(1, 2, height=2.4, sharey=True)
    for layer, ax in enumerate(axes[0], start=1):
        draw_bars(ax, runs, layer)
        ax.set(title=f"layer {layer}", xlim=(0, 1), xlabel="attention")
    axes[0, 0].set_yticks(range(len(runs)), [f"seed {s}" for s in range(len(runs))])
    axes[0, 0].invert_yaxis()
    figure.legend(
        *axes[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=3
    )
    return {"endings": figure}


def draw_bars(ax: Axes, runs: list[Measurements], layer: int) -> None:
    seeds, left = np.arange(len(runs)), np.zeros(len(runs))
    for index, name, label in ((0, "bigram", "itself"), (1, "label", "labels")):
        part = np.array([looks(m, f"{name}_{layer}") for m in runs])
        ax.barh(seeds, part, left=left, color=style.colour(index), label=label)
        left += part
    ax.barh(seeds, 1 - left, left=left, color=style.colour(6), label="items", alpha=0.5)

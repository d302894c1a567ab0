"""The figures of mechanisms/in_context_regression."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.training.comparison import OTHERS
from snippets.mechanisms.figures.eight import GROUPS, NAMES


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"error": draw_error(runs)}


def draw_error(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.8, sharex=True)
    fitted = np.median([m["decoder"]["least_squares"] for m in runs], 0)
    for ax, (title, cells) in zip(axes[:, 0], GROUPS.items()):
        for index, cell in enumerate(cells):
            x = runs[0][cell]["size"]
            ys = [m[cell]["error"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[cell])
            if cell in OTHERS:
                longer = [m[f"{cell}-longer"]["error"] for m in runs]
                label = f"_{cell}, longer"
                style.seeds_and_median(ax, x, longer, index, label, linestyle="--")
        exact = np.maximum(fitted, 1e-4)  # 0 from n = d on: far below the picture
        ax.plot(x, exact, color=style.ink(), linewidth=1.2, ls=":", label="_ols")
        ax.set(ylabel="error, relative to answer 0", yscale="log", ylim=(0.012, 1.3))
        ax.set_title(title)
    axes[0, 0].legend(loc="lower right", ncols=2)
    axes[1, 0].legend(loc="upper right", ncols=2)
    axes[1, 0].annotate("least squares", (2.5, 0.018), fontsize=8.5)
    axes[-1, 0].set(xlabel="examples, n")
    return figure

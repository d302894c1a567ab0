"""The figures of mechanisms/programs: hops against layers, sharpness, the scale of a product."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "hops": draw_hops(runs),
        "sharpness": draw_sharpness(runs),
        "product": draw_product(runs),
    }


def draw_hops(runs: list[Measurements]) -> Figure:
    """Which hops each depth gets right, on the seed that gets least."""
    figure, axes = style.panels(2, height=1.9, sharex=True)
    titles = ("one hop a layer", "doubling: each jump twice as long as the last")
    for ax, name, title in zip(axes[:, 0], ("one_by_one", "doubling"), titles):
        right = np.min([m[name] for m in runs], 0)
        layers, hops = right.shape
        for row in range(layers):
            for column in range(hops):
                full = right[row, column] == 1
                ax.plot(
                    column + 1,
                    row + 1,
                    "s",
                    markersize=5 if full else 2,
                    color=style.colour(0 if full else 1),
                    label="_cell",
                )
        ax.set(ylabel="layers", ylim=(0.4, layers + 0.6), yticks=range(1, layers + 1))
        ax.set_title(title, fontsize=9.5)
        ax.grid(False)
    axes[-1, 0].set(xlabel="hops asked for", xticks=(1, 3, 7, 15, 31, 40))
    return figure


def draw_sharpness(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, beta = axes[0, 0], runs[0]["beta"]
    for row, n in enumerate((4, 16, 64)):
        for number, m in enumerate(runs):
            label = f"{n} keys" if number == 0 else f"_{n} keys, seed {number}"
            ax.plot(
                beta, m["look_up"][row], "o", color=style.colour(row), markersize=3.5,
                label=label,
            )  # fmt: skip
        bound = runs[0]["look_up_bound"][row]
        ax.plot(
            beta, bound, color=style.colour(row), linewidth=1.2, label=f"_bound, {n}"
        )
    ax.set(
        yscale="log",
        xlabel="sharpness β",
        ylabel="largest error of a look-up",
    )
    ax.legend(title="dots: measured; lines: bound")
    return figure


def draw_product(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, scale = axes[0, 0], runs[0]["scale"]
    for index, bits in enumerate((64, 32)):
        ys = [m[f"product_error_{bits}"] for m in runs]
        style.seeds_and_median(ax, scale, ys, index, f"{bits}-bit numbers")
    below_one = scale <= 0.03
    series = np.median([m["product_series"] for m in runs], 0)
    ax.plot(
        scale[below_one], series[below_one], ":", color=style.ink(), linewidth=1.2,
        label="next term of the series",
    )  # fmt: skip
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="scale s",
        ylabel="largest error of a product",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8.5)
    return figure

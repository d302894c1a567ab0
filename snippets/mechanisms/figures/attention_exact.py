"""The figures of mechanisms/attention_exact."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

SEEN = ListedColormap(colormaps["viridis"](np.linspace(0.2, 1, 256)))  # on either theme


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "scale": draw_scale(runs),
        "reach": draw_reach(runs[0]),
    }


def draw_scale(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["size"]
    style.seeds_and_median(
        top, x, [m["variance"] for m in runs], 0, "measured", marker="o"
    )
    top.plot(x, x, color=style.ink(), linewidth=0.9, linestyle=":", label="$d_k$")
    top.set(xscale="log", yscale="log", ylabel="variance of a score $q \\cdot k$")
    top.legend()
    for index, (name, label) in enumerate(
        (("plain", "plain"), ("scaled", "divided by $\\sqrt{d_k}$"))
    ):
        curves = [m[f"largest_{name}"] for m in runs]
        style.seeds_and_median(bottom, x, curves, index, label, marker="o")
    style.level(bottom, 1 / 32, "even: 1/32")
    bottom.set(
        xlabel="$d_k$, the size of queries and keys",
        ylabel="largest of 32 weights",
        ylim=(0, 1.02),
    )
    bottom.set_xticks(x, [str(size) for size in x])
    bottom.minorticks_off()
    bottom.legend(loc="center right", bbox_to_anchor=(1, 0.4))
    return figure


def draw_reach(m: Measurements) -> Figure:
    figure, axes = style.panels(1, 2, height=2.9)
    largest = max(m["reach_open"].max(), m["reach_causal"].max())
    for ax, name, title in (
        (axes[0, 0], "reach_open", "without a mask"),
        (axes[0, 1], "reach_causal", "with the causal mask"),
    ):
        moved = np.ma.masked_equal(m[name].T, 0.0)  # (output, changed input)
        image = ax.imshow(
            moved, vmin=0, vmax=largest, cmap=SEEN, interpolation="none", zorder=2
        )
        ax.patch.set(hatch="////", edgecolor=style.ink(), linewidth=0)  # the masked
        ax.set_title(title)
        ax.set(xlabel="token that is changed", xticks=(0, 5, 11), yticks=(0, 5, 11))
        ax.set_xticklabels((1, 6, 12))
        ax.set_yticklabels((1, 6, 12))
        ax.grid(False)
    axes[0, 0].set_ylabel("token whose output moves")
    figure.colorbar(image, ax=axes[0], shrink=0.7, label="how far", pad=0.02)
    return figure

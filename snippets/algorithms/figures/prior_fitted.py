"""The figures of algorithms/prior_fitted."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.prior_fitted import LEVELS, POINTS, SHOWN
from snippets.contract import Measurements

MOST = 10  # points in training


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "bands": draw_bands(runs),
        "distance": draw_distance(runs),
        "calibration": draw_calibration(runs),
    }


def draw_bands(runs: list[Measurements]) -> Figure:
    """Mean and 95 % band for the same points: the posterior shaded, networks as lines."""
    figure, axes = style.panels(3, height=1.9, sharex=True, sharey=True)
    x = np.linspace(0, 1, runs[0]["picture"].shape[-1])
    for row, n in enumerate(SHOWN):
        ax = axes[row, 0]
        mean, sd = runs[0]["picture_exact"][row]
        band = {"color": style.ink(), "alpha": 0.15, "linewidth": 0}
        ax.fill_between(x, mean - 1.96 * sd, mean + 1.96 * sd, label="_band", **band)
        dashed = {"color": style.ink(), "linestyle": "--", "linewidth": 1.4}
        ax.plot(x, mean, label="posterior, 95 % band", **dashed)
        for sign, label in ((0, "networks: mean"), (1, "networks: band")):
            for number, m in enumerate(runs):
                ours, spread = m["picture"][row]
                look = {"color": style.colour(sign), "linewidth": 0.9, "alpha": 0.8}
                for side in (-1, 1) if sign else (0,):
                    told = (
                        label
                        if number == 0 and side <= 0
                        else f"_{label} {number}{side}"
                    )
                    ax.plot(x, ours + side * 1.96 * spread, label=told, **look)
        dots = np.array(POINTS[:n]).reshape(-1, 2)
        ax.plot(*dots.T, "o", color=style.ink(), markersize=5, label="_points")
        ax.set(ylabel="y", ylim=(-2.9, 2.9), xlim=(0, 1))
        ax.set_title(f"{n} points" if n else "no point: the prior", fontsize=9.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=8.5)
    axes[-1, 0].set(xlabel="x")
    return figure


def draw_distance(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    top, bottom = axes[:, 0]
    n = runs[0]["points"]
    style.seeds_and_median(
        top, n, [m["loss"] for m in runs], 0, "network", marker="o", ms=3
    )
    best = [m["exact_loss"] for m in runs]
    style.seeds_and_median(top, n, best, 1, "posterior", ls="--")
    style.level(top, float(best[0][0]), "no points", x=0.99)
    far = [m["distance"] for m in runs]
    style.seeds_and_median(bottom, n, far, 0, "network", marker="o", ms=3)
    top.set(ylabel="loss (nats)")
    top.legend(loc="center right")
    bottom.set(xlabel="points", ylabel="distance (nats)", yscale="log")
    for ax in (top, bottom):
        ax.axvline(MOST, color=style.ink(), linewidth=0.9, linestyle=":")
    bottom.annotate(
        "most in training",
        (MOST, 0.03),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8.5,
    )
    return figure


def draw_calibration(runs: list[Measurements]) -> Figure:
    """How much more often than announced the answer lies below each quantile."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    for index, (name, line) in enumerate((("network", "-"), ("posterior", "--"))):
        off = [100 * (m[f"below_{name}"] - LEVELS) for m in runs]
        style.seeds_and_median(ax, 100 * LEVELS, off, index, name, ls=line)
    style.level(ax, 0, "")
    ax.set(
        xlabel="announced: answers below this quantile (%)",
        ylabel="measured - announced (%)",
        ylim=(-4, 4),
    )
    ax.legend(loc="upper left", ncols=2)
    return figure

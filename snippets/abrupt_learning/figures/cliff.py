"""The figures of abrupt_learning/cliff."""

import math
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy import ndarray
from torch import Tensor

from snippets.abrupt_learning.cliff import (
    PRESETS,
    VARIANTS,
    beta_on_the_flow,
    time_at,
)
from snippets.contract import Measurements
from snippets.icl.theory.three_exponentials import loss
from snippets.style import colour, ink, level, panels, seeds_and_median


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "landscape": draw_landscape(runs),
        "surface": draw_surface(runs),
        "slices": draw_slices(runs),
        "flow": draw_flow(runs),
        "softening": draw_softening(runs),
        "edge": draw_edge(runs),
    }


# times at which the figure marks where the flow is
MOMENTS = (20, 50, 70, 90, 95, 100, 150)


# black on white shows on every colour of the map
HALO: dict[str, Any] = {
    "color": "black",
    "path_effects": [withStroke(linewidth=2.5, foreground="white")],
}


BESIDE: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8.5}


# the landscape: alpha to the right, xi upwards
ALPHA = torch.linspace(0, 7, 57, dtype=torch.float64)
XI = torch.linspace(0, 10, 51, dtype=torch.float64)
SLICES = (0.0, 1.5, 3.0)  # beta at which it is cut


def height(beta: Tensor) -> ndarray:
    """The loss over alpha and xi, with the beta that goes with each alpha."""
    config = PRESETS["laptop"]
    numbers = torch.broadcast_tensors(XI[:, None], ALPHA, beta)  # each (xi, alpha)
    return loss(torch.stack(numbers, -1), config.n_pairs, config.n_labels).numpy()


def surface() -> ndarray:
    n = PRESETS["laptop"].n_pairs
    return height(torch.tensor([beta_on_the_flow(float(a), n) for a in ALPHA]).double())


def on_map(ax: Axes, values: ndarray, step: float) -> ContourSet:
    """The loss over alpha and xi as filled contours, `step` nats apart."""
    levels = np.arange(0, 3.51, step)
    drawn = ax.contourf(
        ALPHA.numpy(), XI.numpy(), values, levels=levels, cmap="viridis"
    )
    ax.set(xlabel="$\\alpha$", ylabel="$\\xi$")
    ax.grid(False)
    return drawn


def draw_landscape(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.6)
    ax, m = axes[0, 0], runs[0]
    drawn = on_map(ax, surface(), 0.25)
    for number, run in enumerate(runs):
        xi, alpha, _ = run["path"].T
        ax.plot(alpha, xi, linewidth=1.2, label=f"_flow, seed {number}", **HALO)
    for moment in MOMENTS:
        name = f"t = {moment}"
        xi, alpha = (np.interp(moment, m["time"], m["path"][:, i]) for i in (0, 1))
        ax.plot(alpha, xi, "o", markersize=4, label=f"_{name}", **HALO)
        beside = (
            {"xytext": (7, -11)} if alpha < 5 else {"xytext": (-8, 4), "ha": "right"}
        )
        ax.annotate(name, (alpha, xi), **beside, **BESIDE, **HALO)
    ax.set(xlim=(0, 7), ylim=(0, 10))
    fig.colorbar(drawn, ax=ax, label="loss (nats)", ticks=[0, 1, 2, 3])
    return fig


def draw_surface(runs: list[Measurements]) -> Figure:
    fig, _ = panels(1, height=3.9)
    fig.clear()
    ax, m = fig.add_subplot(projection="3d", computed_zorder=False), runs[0]
    grid = np.meshgrid(ALPHA.numpy(), XI.numpy())
    smooth = {"rstride": 1, "cstride": 1, "linewidth": 0, "antialiased": False}
    ax.plot_surface(*grid, surface(), cmap="viridis", vmin=0, vmax=3.5, **smooth)
    inside = m["path"][:, 0] < 10
    xi, alpha, _ = m["path"][inside].T
    above = m["losses"][0][inside] + 0.03
    ax.plot(alpha, xi, above, linewidth=1.6, label="_flow, seed 0", **HALO)
    ax.set(xlabel="$\\alpha$", ylabel="$\\xi$", zlabel="loss (nats)")
    ax.view_init(elev=32, azim=24)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
    return fig


def draw_slices(runs: list[Measurements]) -> Figure:
    n = PRESETS["laptop"].n_pairs
    fig, axes = panels(len(SLICES), height=2.1, sharex=True)
    for ax, beta in zip(axes[:, 0], SLICES):
        drawn = on_map(ax, height(torch.full_like(ALPHA, beta)), 0.5)
        y = math.exp(beta) / (math.exp(beta) + n)
        ax.set_title(f"$\\beta$ = {beta:g}: $y$ = {y:.2f}")
        ax.label_outer()
    fig.colorbar(drawn, ax=list(axes[:, 0]), label="loss (nats)", ticks=[0, 1, 2, 3])
    return fig


def draw_flow(runs: list[Measurements]) -> Figure:
    config = PRESETS["laptop"]
    n, n_labels = config.n_pairs, config.n_labels
    fig, axes = panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    shown = slice(0, int(np.searchsorted(runs[0]["time"], 150)))
    times = runs[0]["time"][shown]
    seeds_and_median(top, times, [m["losses"][0][shown] for m in runs], 0, "loss")
    for index, name in enumerate(("$\\xi$", "$\\alpha$", "$\\beta$")):
        values = [m["path"][shown, index] for m in runs]
        seeds_and_median(bottom, times, values, index + 1, name)

    # the first phase in closed form, as if alpha stayed 0
    s = np.linspace(0, 0.45, 50)
    first = np.array([time_at(value, n, n_labels) for value in s])
    kept = first < 150
    first_xi = s * (2 * n + 1)
    first_loss = np.log(n + (n_labels - n) * np.exp(-s))
    dashed = {"color": ink(), "linestyle": "--", "linewidth": 1.1}
    name = "first phase, closed form"
    top.plot(first[kept], first_loss[kept], label=name, **dashed)
    bottom.plot(first[kept], first_xi[kept], label=f"_xi in the {name}", **dashed)

    true_edge = float(np.median([m["true_edge"] for m in runs]))
    predicted = float(runs[0]["edge_predicted"])
    dotted = {"color": ink(), "linestyle": ":", "linewidth": 0.9}
    for ax in (top, bottom):
        ax.axvline(predicted, label="_predicted edge", **dotted)
        ax.axvline(true_edge, label="_edge, true contexts", **dotted | {"alpha": 0.6})
    top.annotate("predicted edge", (predicted, 1.1), xytext=(5, 0), **BESIDE)
    top.annotate(
        "edge, true contexts", (true_edge, 2.5), xytext=(-4, 0), ha="right", **BESIDE
    )
    level(top, math.log(n_labels), "$\\ln L$")
    level(top, math.log(n), "$\\ln N$")
    top.set(ylabel="loss (nats)", ylim=(0, 3.9))
    bottom.set(xlabel="time", ylabel="value", xlim=(0, 150))
    top.legend(loc="lower left")
    bottom.legend(loc="upper left")
    return fig


def draw_softening(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.6)
    top, bottom = axes[:, 0]
    times = runs[0]["time"]
    for index, name in enumerate(VARIANTS):
        losses = [m["losses"][index] for m in runs]
        seeds_and_median(top, times, losses, index, name)
    level(top, math.log(PRESETS["laptop"].n_labels), "$\\ln L$")
    level(top, math.log(PRESETS["laptop"].n_pairs), "$\\ln N$")
    top.set(xscale="log", xlabel="time", xlim=(10, 1000))
    top.set(ylabel="loss (nats)", ylim=(0, 3.9))

    for index, name in enumerate(VARIANTS):
        values = [float(m["steepest"][index]) for m in runs]
        dots = {"color": colour(index), "alpha": 0.6, "label": f"_{name}, seeds"}
        bottom.plot(values, [index] * len(values), "o", **dots)
        bottom.annotate(
            f"{np.median(values):.3g}",
            (max(values), index),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
    bottom.set(xscale="log", xlabel="steepest fall (nats per e-fold of time)")
    bottom.set(xlim=(1, 300), ylim=(4.6, -0.6))
    bottom.set_yticks(range(len(VARIANTS)), list(VARIANTS))
    return fig


def draw_edge(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.6)
    ax = axes[0, 0]
    predictions = (
        ("edges", "edges_predicted", "o", "$\\beta$ follows $\\alpha$"),
        ("edges", "edges_if_beta_stays", "s", "$\\beta$ stays at 0"),
        ("true_edges", "true_edges_predicted", "^", "$\\beta$ follows, true contexts"),
    )
    for number, m in enumerate(runs):
        for index, (measured, predicted, marker, name) in enumerate(predictions):
            label = name if not number else f"_{name}, seed {number}"
            dots = {"color": colour(index), "markersize": 4, "alpha": 0.6}
            ax.plot(m[measured], m[predicted], marker, label=label, **dots)
    ax.axline((20, 20), (200, 200), color=ink(), linewidth=0.9, linestyle=":")
    ax.annotate("dotted: predicted = measured", (140, 30), xytext=(0, 0), **BESIDE)
    ax.set(xscale="log", yscale="log", xlim=(10, 1000), ylim=(10, 5000))
    ax.set(xlabel="measured time to the edge", ylabel="predicted time to the edge")
    ax.legend()
    return fig

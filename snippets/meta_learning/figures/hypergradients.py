"""The figures of meta_learning/hypergradients."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"errors": draw_errors(runs), "system": draw_system(runs)}


def draw_errors(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.3)
    ax, T, q = axes[0, 0], runs[0]["T"], runs[0]["q"]
    for index, name in enumerate(("unrolled", "implicit")):
        style.seeds_and_median(ax, T, [m[name] for m in runs], index, name)
    for line, style_, label in (
        (q**T, "--", r"$(1-\eta\mu)^T$"),
        (T * q ** (T - 1), ":", r"$T(1-\eta\mu)^{T-1}$"),
    ):
        ax.plot(T, line, style_, color=style.ink(), linewidth=1, label=label)
    ax.set(
        xlabel="inner steps T",
        ylabel="relative error of the hypergradient",
        yscale="log",
    )
    ax.legend()
    return figure


def draw_system(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.6)
    ax, q = axes[0, 0], runs[0]["q"]
    for index, (name, label) in enumerate(
        (("neumann", "plain sum"), ("cg", "conjugate gradients"))
    ):
        ys = [np.maximum(m[name], 1e-16) for m in runs]
        style.seeds_and_median(ax, 1 + np.arange(len(ys[0])), ys, index, label)
    k = 1 + np.arange(len(runs[0]["neumann"]))
    ax.plot(k, q**k, "--", color=style.ink(), linewidth=1, label=r"$(1-\eta\mu)^k$")
    ax.set(
        xlabel="steps k that solve the linear system",
        ylabel="relative error",
        yscale="log",
        ylim=(1e-17, 30),
    )
    ax.legend(loc="center right")
    return figure

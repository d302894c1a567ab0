"""The figures of meta_learning/maml_gradient."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.maml_gradient import SET


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"limits": draw_limits(runs)}


def draw_limits(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.6, sharex=True)
    top, bottom = axes[:, 0]
    T = runs[0]["T"]
    names = (
        ("many", "points enough"),
        ("few", "too few points"),
        ("proximal", "too few, proximal term"),
    )
    for index, (name, label) in enumerate(names):
        line = "--" if name == "proximal" else "-"
        for ax, what in ((top, "size"), (bottom, "off")):
            ys = [np.maximum(m[f"{name}_{what}"], 1e-16) for m in runs]
            style.seeds_and_median(ax, T, ys, index, label, linestyle=line)
    for curvature, text in (
        (SET.lowest, r"$(1-\eta\mu)^T$"),
        (SET.lowest + SET.proximal, r"$(1-\eta(\mu+\lambda))^T$"),
    ):
        y = (1 - SET.eta * curvature) ** T
        bottom.plot(T, y, ":", color=style.ink(), linewidth=1.2)
        bottom.annotate(text, (T[-7], y[-7]), xytext=(4, 3), textcoords="offset points")
    top.set(ylabel="size of outer gradient", ylim=(-0.03, 1.6))
    top.legend(loc="upper right", fontsize=8)
    bottom.set(xlabel="inner steps T", ylabel="distance from its limit", yscale="log")
    return figure

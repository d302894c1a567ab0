"""The figures of algorithms/three_layers."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "dist": draw_dist(runs),
        "loss": draw_loss(runs),
        "sizes": draw_sizes(runs),
    }


def draw_dist(runs: list[Measurements]) -> Figure:
    n_layers = runs[0]["size"].shape[1]
    figure, axes = style.panels(n_layers, height=1.9, sharex=True)
    x = runs[0]["step"]
    for layer, ax in enumerate(axes[:, 0]):
        for index, (name, label) in enumerate(
            (("dist_white", "Dist(Σ½ A Σ½, I)"), ("dist_plain", "Dist(A, I)"))
        ):
            curves = [m[name][:, layer] for m in runs]
            style.seeds_and_median(ax, x, curves, index, label)
        style.level(ax, float(runs[0]["inverse_dist"]), "Dist(inverse of Σ, I)")
        ax.set(ylim=(-0.03, 1.08), ylabel=f"layer {layer + 1}")
    axes[0, 0].legend(loc="center right", bbox_to_anchor=(1, 0.45))
    axes[-1, 0].set(xlabel="training step")
    return figure


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    style.seeds_and_median(ax, runs[0]["step"], [m["loss"] for m in runs], 0, "trained")
    style.level(ax, float(runs[0]["best_loss"]), "best a Σ⁻¹, computed", below=True)
    plain = float(np.median([m["plain_loss"] for m in runs]))
    style.level(ax, plain, "no three plain steps below")
    style.level(ax, float(runs[0]["zero_loss"]), "predict 0")
    ax.set(xlabel="training step", ylabel="loss", yscale="log", ylim=(0.08, 9))
    return figure


def draw_sizes(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    x = runs[0]["step"]
    for layer in range(runs[0]["size"].shape[1]):
        curves = [m["size"][:, layer] for m in runs]
        style.seeds_and_median(ax, x, curves, layer, f"layer {layer + 1}")
    for size in runs[0]["best_sizes"]:
        style.level(ax, float(size), f"{size:.3f}, computed")
    ax.set(xlabel="training step", ylabel="multiple of the identity", ylim=(-0.05, 2.1))
    ax.legend(loc="upper left", ncols=3)
    return figure

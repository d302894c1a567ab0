"""The figures of algorithms/gradient_step."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "training": draw_training(runs),
        "weights": draw_weights(runs[0]),
        "beyond": draw_beyond(runs),
    }


def draw_training(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, height=2.1, sharex=True)
    x = runs[0]["step"]
    rows = (
        ("loss", "loss"),
        ("cosine", "cosine of sensitivities"),
        ("difference", "prediction difference"),
    )
    for ax, (name, label) in zip(axes[:, 0], rows):
        for m in runs:
            ax.plot(x, m[name], color=style.colour(0), lw=0.5, alpha=0.3)
        everything = np.concatenate([m[name] for m in runs], 1)
        ax.plot(x, np.median(everything, 1), color=style.colour(1), label="median")
        ax.set(ylabel=label)
    top, middle, bottom = axes[:, 0]
    d_v = runs[0]["lowest"]
    style.level(top, d_v, "computed optimum", below=True)
    top.set(ylim=(0.15, 0.47))
    middle.set(ylim=(-0.2, 1.04))
    bottom.set(ylim=(0, None), xlabel="training step")
    middle.legend(loc="lower right", bbox_to_anchor=(1, 0.35))
    return figure


def draw_weights(m: Measurements) -> Figure:
    """The median layer of one seed, rescaled so that v ends in -1."""
    figure, axes = style.panels(1, 2, height=2.8, width_ratios=(12, 2))
    left, right = axes[0]
    scale = -m["v"][-1]
    W, v = m["W"] * scale, m["v"] / scale
    top = m["rate"]
    size = len(v)
    image = left.imshow(W, vmin=-top, vmax=top, cmap="RdBu_r", interpolation="none")
    right.imshow(v[:, None], vmin=-1, vmax=1, cmap="RdBu_r", interpolation="none")
    names = [f"x{i + 1}" for i in range(size - 1)] + ["y"]
    for ax in (left, right):
        ax.grid(False)
        ax.set_yticks(range(size), names, fontsize=7.5)
    left.set_xticks(range(size), names, fontsize=7.5)
    right.set_xticks([])
    left.set(title="W", xlabel="query", ylabel="example")
    right.set(title="v")
    figure.colorbar(image, ax=left, label="W, with v's last entry -1")
    return figure


def draw_beyond(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5)
    again, scaled = axes[:, 0]
    draw_again(again, runs)
    for which, line in ((0, "-"), (1, "--")):
        style.seeds_and_median(
            scaled,
            runs[0]["scales"],
            [m["loss_scaled"][:, which] for m in runs],
            which,
            ("trained", "constructed")[which],
            linestyle=line,
        )
    scaled.set(yscale="log", xlabel="width of x / width in training", ylabel="loss")
    scaled.legend()
    return figure


def draw_again(ax: Axes, runs: list[Measurements]) -> None:
    """The loss when one layer is applied again and again."""
    x = np.arange(1, runs[0]["loss_repeated"].shape[-1] + 1)
    for index, (damping, label) in enumerate(((0, "damping 0.75"), (1, "none"))):
        for which, line in ((0, "-"), (1, "--")):
            losses = [m["loss_repeated"][damping, which].clip(0, 1e6) for m in runs]
            name = f"{label}, {('trained', 'constructed')[which]}"
            style.seeds_and_median(
                ax, x, losses, 2 * index + which, name, linestyle=line
            )
    ax.set(
        yscale="log",
        ylim=(0.03, 10),
        xlabel="times that the layer is applied",
        ylabel="loss",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2, fontsize=8.5)

"""The figures of induction_heads/markov."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.markov import STRATEGIES, nearest, way_down


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "loss": draw_loss(runs),
        "stages": draw_stages(runs),
        "position": draw_position(runs),
        "prior": draw_prior(runs),
    }


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.7, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    one = [m["one_layer_loss"] for m in runs]
    style.seeds_and_median(top, x, [m["loss"] for m in runs], 0, "two layers")
    style.seeds_and_median(top, x, one, 1, "one layer", linestyle="--")
    for name in ("uniform", "unigram", "bigram", "oracle"):
        level = float(np.median([m[name] for m in runs]))
        style.beside(top, level, name)
    top.set(ylabel="loss (nats)", ylim=(0.79, 1.22))
    top.legend(loc="upper right")
    for index, name, label in (
        (2, "previous", "layer 1: to the token before"),
        (3, "followers", "layer 2: to followers"),
    ):
        style.seeds_and_median(bottom, x, [m[name] for m in runs], index, label)
        even = float(np.median([m[f"uniform_{name}"] for m in runs]))
        style.beside(bottom, even, "even share")
    bottom.set(xlabel="training step", ylabel="attention", ylim=(0, 1.32))
    bottom.set_yticks(np.linspace(0, 1, 6))
    bottom.legend(loc="upper left")
    return figure


def draw_stages(runs: list[Measurements]) -> Figure:
    """Above, one seed's distance to each strategy, shaded by the nearest; below, which
    strategy is nearest, for every seed."""
    figure, axes = style.panels(2, height=2.3, sharex=True)
    top, bottom = axes[:, 0]
    m = runs[0]
    for index, name in enumerate(STRATEGIES):
        line = m["divergence"][:, index]
        top.plot(m["step"], line, color=style.colour(index), label=name)
    for left, right, index in segments(m):
        top.axvspan(left, right, color=style.colour(index), alpha=0.14, linewidth=0)
    top.set(ylabel="KL to the network (nats)", ylim=(0, 0.31))
    top.set_title("seed 0")
    top.legend(loc="upper right", ncols=3)
    strips(bottom, runs)
    bottom.set(xlabel="training step", xlim=(0, m["step"][-1]))
    return figure


def segments(m: Measurements) -> list[tuple[float, float, int]]:
    """Stretches of training, each with the strategy that is nearest in it."""
    seen, step = nearest(m["divergence"]), m["step"]
    half = (step[1] - step[0]) / 2
    cuts = [0, *(np.flatnonzero(np.diff(seen)) + 1), len(seen)]
    return [
        (step[a] - half, step[b - 1] + half, int(seen[a])) for a, b in pairwise(cuts)
    ]


def strips(ax: Axes, runs: list[Measurements]) -> None:
    for row, m in enumerate(runs):
        for left, right, index in segments(m):
            width = right - left
            ax.barh(row, width, left=left, height=0.7, color=style.colour(index))
    ax.set_yticks(range(len(runs)), [f"seed {row}" for row in range(len(runs))])
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_title("nearest strategy")


def draw_position(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    position = np.arange(1, runs[0]["excess"].shape[1] + 1)
    k = len(STRATEGIES)
    for row, index, label in ((0, 1, "unigram"), (1, 2, "bigram"), (2, 0, "network")):
        style.seeds_and_median(
            ax, position, [m["excess"][row] for m in runs], index, label
        )
    ax.plot(position, k * (k - 1) / 2 / position, ":", color=style.ink(), label="3 / t")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="position t",
        ylabel="loss above the oracle (nats)",
        ylim=(0.015, 0.6),
    )
    ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    ax.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    ax.minorticks_off()
    ax.legend(loc="lower left")
    return figure


def draw_prior(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    for index, kind, label, line in (
        (0, "", "Dirichlet chains", "-"),
        (1, "doubly_", "doubly stochastic chains", "--"),
    ):
        curves = [way_down(m, kind) for m in runs]
        x = runs[0][f"{kind}step"]
        style.seeds_and_median(ax, x, curves, index, label, linestyle=line)
    style.level(ax, 0, "plateau", below=True)
    style.level(ax, 1, "bigram")
    ax.set(xlabel="training step", ylabel="share of the way down", ylim=(-0.3, 1.12))
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.45))
    return figure

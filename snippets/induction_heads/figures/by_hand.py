"""The figures of induction_heads/by_hand."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.contract import Measurements
from snippets.induction_heads.by_hand import (
    PRESETS,
    N,
    attention_on_answer,
    attention_with_leaks,
    held_by_label,
)
from snippets.style import colour, ink, level, panels


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "maps": draw_maps(runs[0]),
        "attention": draw_attention(runs),
        "strength": draw_strength(runs),
        "tokens": draw_tokens(runs[0]),
    }


def attention_map(ax: Axes, weights: np.ndarray, names: list[str]) -> None:
    """A row for each token that attends, a column for each that is attended to."""
    later = np.triu(np.ones_like(weights, dtype=bool), 1)
    shown = np.ma.masked_array(weights, later)
    drawn = ax.pcolormesh(shown, vmin=0, vmax=1, label="_attention", rasterized=True)
    centres = np.arange(len(names)) + 0.5
    ax.set_xticks(centres, names, fontsize=9)
    ax.set_yticks(centres, names, fontsize=9)
    ax.set(xlabel="attended to", ylabel="attends")
    ax.grid(False)
    ax.invert_yaxis()
    ax.figure.colorbar(drawn, ax=ax, ticks=[0, 0.5, 1], shrink=0.8)


def draw_maps(m: Measurements) -> Figure:
    fig, axes = panels(2, height=2.9)
    names = ["start", *(f"{kind}{k}" for k in range(1, 5) for kind in "xl"), "x?"]
    titles = ("layer 1: each looks back by one", "layer 2: who holds what I am?")
    for ax, weights, title in zip(axes[:, 0], m["pairs_attention"], titles):
        attention_map(ax, weights, names)
        ax.set_title(title)
    return fig


def draw_tokens(m: Measurements) -> Figure:
    fig, axes = panels(1, height=3.6)
    names = ["start", *("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i] for i in m["text"])]
    attention_map(axes[0, 0], m["text_attention"], names)
    return fig


def draw_attention(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.6)
    ax, n, k = axes[0, 0], N, N // 2
    alphas = runs[0]["curve_alpha"]
    fine = np.linspace(alphas[0], alphas[-1], 200)
    for index, beta in enumerate(runs[0]["curve_beta"]):
        y = held_by_label(beta, k)
        short = [attention_on_answer(a, y, n) for a in fine]
        ax.plot(fine, short, color=colour(index), label=f"β = {beta:g}")
        leaky = [attention_with_leaks(a, beta, k, n) for a in fine]
        dashes = {
            "linestyle": "--",
            "linewidth": 1.1,
            "label": f"_leaks, beta {beta:g}",
        }
        ax.plot(fine, leaky, color=colour(index), **dashes)
        for rest, marker in ((0, "o"), (1, "x")):
            z = np.median([m["curve_z"][rest, index] for m in runs], 0)
            label = f"_measured, beta {beta:g}, rest {('start', 'spread')[rest]}"
            ax.plot(alphas, z, marker, color=colour(index), markersize=4, label=label)
    black = {"color": ink(), "markersize": 4}
    ax.plot([], [], "-o", **black, label="rest on the start token")
    ax.plot([], [], "--x", **black, label="rest on all tokens", linewidth=1.1)
    level(ax, 1 / (2 * n + 1), "1 / (2N + 1)")
    ax.set(xlabel="α", ylabel="attention on the answer, z", ylim=(0, 1.03))
    ax.legend(loc="lower right", bbox_to_anchor=(1, 0.1), fontsize=8.5)
    return fig


def draw_strength(runs: list[Measurements]) -> Figure:
    config = PRESETS["laptop"]
    fig, axes = panels(2, 2, height=2.6, sharex=True, sharey=True)
    mean = np.mean([m["maps"] for m in runs], 0)
    for row, rest in enumerate(("start token", "all tokens")):
        for column, kind in enumerate(("orthogonal", "overlapping")):
            ax = axes[row, column]
            mesh = {"vmin": 0, "vmax": 1, "rasterized": True}
            drawn = ax.pcolormesh(mean[row, column], label=f"_{kind}, {rest}", **mesh)
            ax.set_title(f"{kind},\nrest on {rest}", fontsize=9)
            ax.set_xticks(
                np.arange(len(config.alphas)) + 0.5, [f"{a:g}" for a in config.alphas]
            )
            ax.set_yticks(
                np.arange(len(config.betas)) + 0.5, [f"{b:g}" for b in config.betas]
            )
            ax.grid(False)
    for ax in axes[1]:
        ax.set_xlabel("α")
    for ax in axes[:, 0]:
        ax.set_ylabel("β")
    fig.colorbar(drawn, ax=axes, ticks=[0, 0.5, 1], shrink=0.6, label="accuracy")
    return fig

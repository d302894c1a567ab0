"""The figures of induction_heads/causal_graph."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.causal_graph import (
    PRESETS,
    best_adam,
    children,
    gaps,
    on_parents,
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "graph": draw_graph(runs[:2]),
        "asks": draw_asks(runs),
        "loss": draw_loss(runs),
    }


def draw_graph(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(len(runs), 4, height=1.5)
    for row, m in zip(axes, runs):
        n = len(m["parent"])
        adjacency = np.zeros((n, n))
        adjacency[children(m), m["parent"][children(m)]] = 1
        push = np.tril(m["gradient"][:n, :n]).clip(min=0)
        push[m["parent"] < 0] = 0  # rows without a parent have nothing to look for
        push = push / push.max(1, keepdims=True).clip(min=1e-12)  # rows on one scale
        layers = m["first_layer"][:, :n, :n]
        for ax, values in zip(row, (adjacency, push, layers[0], layers[best_adam(m)])):
            ax.imshow(values, vmin=0, vmax=1, interpolation="none")
            ax.grid(False)
            ax.set_xticks([0, 5, 10], ["1", "6", "11"])
            ax.set_yticks([0, 5, 10], ["1", "6", "11"])
    titles = ("the graph", "gradient", "SGD", "Adam, best")
    for ax, title in zip(axes[0], titles):
        ax.set_title(title, fontsize=9)
    for index, row in enumerate(axes):
        row[0].set_ylabel(f"seed {index}: child")
    axes[-1, 1].set_xlabel("token attended to, or parent")
    return figure


def draw_asks(runs: list[Measurements]) -> Figure:
    """Every network of every seed: what it gives to parents, and what it has lost."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    names = ["SGD", *(f"Adam, {rate:g}" for rate in PRESETS["laptop"].adam_rates)]
    for network, (name, marker) in enumerate(zip(names, "osD^vX")):
        x = [on_parents(m, network) for m in runs]
        y = [gaps(m)[network] for m in runs]
        ax.plot(x, y, marker, color=style.colour(network), label=name, alpha=0.8)
    even = float(np.median([m["even_on_parents"] for m in runs]))
    ax.axvline(even, color=style.ink(), linestyle=":", linewidth=0.9, label="even look")
    ax.set(xlabel="a child's mean attention to its parent", xlim=(0, 1))
    ax.set(ylabel="loss above Bayes, share of the way", ylim=(0, None))
    ax.legend(loc="upper right")
    return figure


def draw_loss(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    sgd = [m["losses"][0] - m["bayes"] for m in runs]
    adam = [m["losses"][best_adam(m)] - m["bayes"] for m in runs]
    style.seeds_and_median(top, x, sgd, 0, "SGD", linestyle="-")
    style.seeds_and_median(top, x, adam, 1, "Adam, best rate", linestyle="--")
    style.level(top, 0, "Bayes", below=True)
    top.set(xlabel="training step", ylabel="loss above Bayes", ylim=(-0.06, 0.7))
    top.legend(loc="upper right")
    for index, label in ((2, "W"), (1, "A2"), (0, "A1")):
        shares = [m["sizes"][1:, index] / m["sizes"][-1, index] for m in runs]
        shown = np.unique(np.geomspace(1, len(shares[0]), 120).astype(int)) - 1
        ys = [share[shown] for share in shares]
        style.seeds_and_median(bottom, shown + 1, ys, index + 2, label)
    bottom.set(xscale="log", xlabel="training step", ylabel="size, share of the last")
    bottom.set_xticks([1, 10, 100], ["1", "10", "100"])
    bottom.legend(loc="upper left")
    return figure

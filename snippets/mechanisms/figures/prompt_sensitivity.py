"""The figures of mechanisms/prompt_sensitivity."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "order": draw_order(runs[0]),
        "phrasing": draw_phrasing(runs),
        "yeses": draw_yeses(runs),
        "calibration": draw_calibration(runs),
    }


def draw_order(m: Measurements) -> Figure:
    """Each prompt of one seed: its 24 orders, from the worst to the best."""
    figure, axes = style.panels(1, height=2.7)
    ax, found = axes[0, 0], m["order_network"]
    ranked = np.argsort(np.ptp(found, 1))
    x = np.arange(len(ranked))
    lines = {"color": style.colour(0), "linewidth": 2, "alpha": 0.35}
    ax.vlines(x, found[ranked].min(1), found[ranked].max(1), **lines)
    for column in found[ranked].T:
        ax.plot(x, column, "o", color=style.colour(0), markersize=2.5)
    ax.plot(
        [],
        [],
        "o-",
        color=style.colour(0),
        markersize=3,
        label="the network, 24 orders",
    )
    exact = m["order_exact"][ranked, 0]
    mark = {"color": style.colour(1), "markersize": 5, "markerfacecolor": "none"}
    ax.plot(x, exact, "D", label="exact predictor, all orders alike", **mark)
    ax.set(xlabel="prompt, by how much its order matters", ylabel="share right")
    ax.set(ylim=(0.48, 1.04), xticks=[])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def draw_phrasing(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.4)
    ax = axes[0, 0]
    found = np.stack([m["phrasing"].mean(0) for m in runs])  # (seed, phrasing)
    x = np.arange(found.shape[1])
    for index, some in enumerate((x < 8, x >= 8)):
        name = ("read in training", "never read")[index]
        colour = style.colour(index)
        for row in found:
            ax.plot(x[some], row[some], "o", color=colour, markersize=3, alpha=0.6)
        ax.plot(x[some], np.median(found[:, some], 0), "_", color=colour, markersize=14)
        ax.plot([], [], "o", color=colour, markersize=4, label=name)
    ax.set(ylabel="share right", xlabel="phrasing, the commonest first")
    ax.set_xticks(x, [str(1 + k) for k in x])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def draw_yeses(runs: list[Measurements]) -> Figure:
    """P(yes) where the answer is no, and for the thing of which nothing is known."""
    figure, axes = style.panels(2, height=2.5)
    top, bottom = axes[:, 0]
    shots = np.arange(0, 11, 2)
    for index, (name, words) in enumerate(
        (("yeses", "all shots are yes"), ("halves", "half are yes"))
    ):
        curves = [m[f"{name}_network"] for m in runs]
        style.seeds_and_median(top, shots, curves, index, words)
        exact = np.median([m[f"{name}_exact"] for m in runs], 0)
        top.plot(shots, exact, ":", color=style.colour(index), label=f"{words}, exact")
    top.set(ylabel="P(yes), the answer is no", xlabel="shots", ylim=(0, 1))
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    count = np.arange(5)
    curves = [m["majority_network"] for m in runs]
    style.seeds_and_median(bottom, count, curves, 0, "network")
    exact = np.median([m["majority_exact"] for m in runs], 0)
    bottom.plot(count, exact, ":", color=style.ink(), label="exact")
    bottom.set(ylabel="P(yes) for $it$", xlabel="shots of yes, of four", ylim=(0, 1))
    bottom.set_xticks(count)
    bottom.legend(loc="upper left")
    return figure


def draw_calibration(runs: list[Measurements]) -> Figure:
    """What calibration adds, by how one-sided the prompt is."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    for index, name in enumerate(("network", "exact")):
        found = np.stack([np.r_[m[f"gain_{name}"], m[f"usual_{name}"]] for m in runs])
        x = np.array([0, 1, 2, 3, 4, 5.5]) + (-0.12, 0.12)[index]
        colour = style.colour(index)
        errors = np.stack(
            [np.r_[m["gain_error"], m["usual_network_error"]] for m in runs]
        )
        for row, error in zip(found, errors):
            ax.plot(x, row, "o", color=colour, markersize=3, alpha=0.6)
            if name == "network":
                ax.errorbar(x, row, 2 * error, fmt="none", color=colour, alpha=0.35)
        ax.plot(x, np.median(found, 0), "_", color=colour, markersize=14)
        ax.plot(
            [],
            [],
            "o",
            color=colour,
            markersize=4,
            label=("the network", "exact predictor")[index],
        )
    ax.axhline(0, color=style.ink(), linewidth=0.9, linestyle=":")
    ax.set_xticks([0, 1, 2, 3, 4, 5.5], ["0", "1", "2", "3", "4", "as in\ntraining"])
    ax.set(
        ylabel="accuracy gained",
        xlabel="shots of yes, of four; the rule asks for a trait",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure

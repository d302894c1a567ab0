"""The figures of meta_learning/task_vectors."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "inserted": draw_inserted(runs),
        "training": draw_training(runs),
        "heads": draw_heads(runs),
    }


def curves(ax: Axes, runs: list[Measurements], lines, x: np.ndarray) -> None:
    for name, index, label, dash in lines:
        ys = [m[name] for m in runs]
        style.seeds_and_median(ax, x, ys, index, label, linestyle=dash, marker=".")


def legend_above(ax: Axes, ncols: int) -> None:
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=ncols, fontsize=8.5)


def draw_inserted(runs: list[Measurements]) -> Figure:
    """How often the answer is that of the vector's task, by the layer of insertion."""
    figure, axes = style.panels(2, height=2.7, sharex=True)
    top, bottom = axes[:, 0]
    x = np.arange(len(runs[0]["added"]))
    curves(
        top,
        runs,
        (
            ("added", 0, "function vector, added", "-"),
            ("replaced", 1, "mean state, put in its place", "-"),
            ("added_mean", 6, "mean over all tasks, added", "--"),
        ),
        x,
    )
    style.beside(top, float(runs[0]["best_without"]), "best\nwithout")
    top.set(ylabel="right, no example", ylim=(-0.02, 1.04))
    curves(
        bottom,
        runs,
        (
            ("added_other", 0, "vector's task, added", "-"),
            ("added_own", 2, "prompt's own task, added", "-"),
            ("replaced_other", 1, "vector's task, put in place", "-"),
            ("added_random", 6, "own task, random vector added", "--"),
        ),
        x,
    )
    names = ["0: words", *(f"after {n}" for n in x[1:])]
    bottom.set_xticks(x, names)
    bottom.set(
        xlabel="put in at which layer",
        ylabel="answers, 5 other examples",
        ylim=(-0.02, 1.04),
    )
    for ax in (top, bottom):
        legend_above(ax, ncols=2)
    return figure


def draw_training(runs: list[Measurements]) -> Figure:
    """Accuracy with examples, with a vector, and how well states tell tasks apart."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    for name, index, label in (
        ("few_shot", 0, "five examples"),
        ("with_vector", 1, "no example, vector added"),
        ("zero_shot", 6, "no example"),
    ):
        style.seeds_and_median(top, x, [m[name] for m in runs], index, label)
    top.set(ylabel="right", ylim=(-0.02, 1.04))
    n_states = runs[0]["decodable"].shape[1]
    for place in range(1, n_states):
        ys = [m["decodable"][:, place] for m in runs]
        style.seeds_and_median(bottom, x, ys, 1 + place, f"after layer {place}")
    style.level(bottom, 1 / 6, "chance", x=0.2, below=True)
    bottom.set(xlabel="training step", ylabel="tasks told apart", ylim=(-0.02, 1.04))
    for ax in (top, bottom):
        legend_above(ax, ncols=3)
    return figure


def draw_heads(runs: list[Measurements]) -> Figure:
    """Both scores of every head, and what is left without the best of either."""
    figure, axes = style.panels(2, height=2.6)
    top, bottom = axes[:, 0]
    for layer in range(runs[0]["effects"].shape[1]):
        both = [
            np.concatenate([m[name][-1][layer] for m in runs])
            for name in ("matches", "effects")
        ]
        marks = {"color": style.colour(2 + layer), "markersize": 5, "linestyle": ""}
        top.plot(*both, "o^s"[layer % 3], label=f"layer {layer + 1}", **marks)
    top.set(xlabel="attention to a matching answer", ylabel="indirect effect")
    legend_above(top, ncols=3)
    x = np.arange(5)
    curves(
        bottom,
        runs,
        (
            ("without_effects_new", 0, "by effect", "-"),
            ("without_matches_new", 1, "by attention to a match", "-"),
            ("without_any_new", 6, "in random order", "--"),
        ),
        x,
    )
    style.beside(bottom, float(runs[0]["best_without"]), "best\nwithout")
    bottom.set_xticks(x)
    bottom.set(xlabel="heads switched off, best first", ylabel="right", ylim=(0, 1.04))
    legend_above(bottom, ncols=3)
    return figure

"""The figures of mechanisms/recognise_or_learn."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.recognise_or_learn import PRESETS, learner


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"probes": draw_probes(runs), "shots": draw_shots(runs)}


NETWORKS = {"t4": "4 tasks", "t16": "16 tasks", "t64": "64 tasks", "new": "always new"}


def draw_probes(runs: list[Measurements]) -> Figure:
    """The two questions, and the lie, for each network."""
    figure, axes = style.panels(2, height=2.5, sharex=True)
    x = np.arange(len(NETWORKS))
    panels = (
        (
            ("known_hidden", "known task, item not shown:\nonly recognition answers"),
            ("new_shown", "new task, item shown:\nonly learning answers"),
        ),
        (
            ("lie_task", "one wrong pair:\nanswers as the task has it"),
            ("lie_prompt", "one wrong pair:\nrepeats the wrong label"),
        ),
    )
    for ax, curves in zip(axes[:, 0], panels):
        for index, (name, label) in enumerate(curves):
            ys = [np.array([m[network][name] for network in NETWORKS]) for m in runs]
            style.seeds_and_median(ax, x, ys, index, label, marker="o", markersize=4)
        style.level(ax, 1 / 32, "chance, 1/32", x=0.5, below=True)
        ax.set(ylim=(-0.1, 1.05), ylabel="share of answers")
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, fontsize=8.5)
    axes[1, 0].set_xticks(x, list(NETWORKS.values()))
    axes[1, 0].set_xlabel("trained on")
    return figure


def draw_shots(runs: list[Measurements]) -> Figure:
    """Accuracy against the number of pairs, beside the two formulas."""
    figure, axes = style.panels(1, height=3.6)
    ax = axes[0, 0]
    x, config = runs[0]["t4"]["shots"], PRESETS["laptop"]["t4"]
    curves = (
        ("t4", "known", "4 tasks, a known one"),
        ("new", "new", "always new, a new one"),
        ("t4", "new", "4 tasks, a new one"),
    )
    for index, (network, curve, label) in enumerate(curves):
        style.seeds_and_median(
            ax,
            x,
            [m[network][curve] for m in runs],
            index,
            label,
            marker="o",
            markersize=4,
        )
    exact = np.median([m["t4"]["exact"] for m in runs], 0)
    ax.plot(x, exact, ":", color=style.ink(), linewidth=1.2, label="exact recogniser")
    line = learner(x, config.n_items, config.n_labels)
    ax.plot(x, line, "--", color=style.ink(), linewidth=1.2, label="exact learner")
    style.level(ax, 1 / 32, "chance, 1/32", below=True)
    ax.set(
        xlabel="pairs in the prompt",
        ylabel="accuracy, any item",
        ylim=(-0.06, 1.05),
        xticks=x,
    )
    figure.legend(loc="outside upper center", ncols=2)
    return figure

"""The figures of mechanisms/who_does_what."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.who_does_what import QUESTIONS, WRITERS, lift_by_writer


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"writes": draw_writes(runs), "ablations": draw_ablations(runs)}


def draw_writes(runs: list[Measurements]) -> Figure:
    """A panel for each question: what each writer adds, a dot for each seed."""
    figure, axes = style.panels(2, 2, height=2.1, sharex=True, sharey=True)
    lifts = np.stack([lift_by_writer(m["whole"]) for m in runs])
    for index, (ax, question) in enumerate(zip(axes.flat, QUESTIONS)):
        for row, _ in enumerate(WRITERS):
            dots(ax, lifts[:, row, index], float(row), index)
        ax.axvline(0, color=style.ink(), linewidth=0.8)
        ax.set_title(question)
        ax.set_yticks(range(len(WRITERS)), WRITERS)
        ax.set_ylim(len(WRITERS) - 0.5, -0.5)
    for ax in axes[1]:
        ax.set_xlabel("adds to the right logit")
    return figure


def dots(ax, values: np.ndarray, row: float, index: int, marker="o", label="_") -> None:
    """A dot for each seed and a stroke at their median."""
    ax.plot(
        values,
        np.full(len(values), row),
        marker,
        color=style.colour(index),
        markersize=5,
        alpha=0.7,
        label=label,
    )
    median = float(np.median(values))
    ax.plot([median, median], [row - 0.1, row + 0.1], color=style.ink(), linewidth=1.6)


def draw_ablations(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.7, sharex=True)
    settings = (
        ("whole", "accuracy", "o", "the whole network"),
        ("without attention", "attention", "s", "without attention"),
        ("without MLP", "mlp", "D", "without the MLP"),
    )
    titles = ("switched off after training", "absent from the first step on")
    for ax, title in zip(axes[:, 0], titles):
        for index, (_, name, marker, label) in enumerate(settings):
            after = title == titles[0] or name == "accuracy"
            cell = "whole" if after else f"no-{name}"
            key = "accuracy"
            if after and name != "accuracy":
                key = f"accuracy_no_{name}"
            values = np.stack([m[cell][key] for m in runs])  # (seed, question)
            for question in range(len(QUESTIONS)):
                row = question + 0.26 * (index - 1)
                text = label if question == 0 else "_"
                dots(ax, values[:, question], row, index, marker, text)
        ax.axvline(1 / 7, color=style.ink(), linewidth=0.9, linestyle=":")
        ax.set_title(title)
        ax.set_yticks(range(len(QUESTIONS)), QUESTIONS)
        ax.set(ylim=(len(QUESTIONS) - 0.4, -0.6), xlim=(0, 1.03))
    axes[0, 0].annotate("chance", (0.155, -0.5), fontsize=8.5, va="center")
    axes[1, 0].set_xlabel("share of right answers")
    axes[0, 0].legend(loc="lower left", bbox_to_anchor=(0.2, 0.0), fontsize=8)
    return figure

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


AFTER = {  # training: which measurement of the whole network
    "the whole network": "accuracy",
    "without attention": "accuracy_no_attention",
    "without the MLP": "accuracy_no_mlp",
}
BEFORE = {  # which network
    "the whole network": "whole",
    "without attention": "no-attention",
    "without the MLP": "no-mlp",
    "without either": "neither",
}
MARKERS = "osD^"


def draw_ablations(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.9, sharex=True)
    above, below = axes[:, 0]
    above.set_title("switched off after training")
    for index, key in enumerate(AFTER.values()):
        by_question(above, [m["whole"][key] for m in runs], index)
    below.set_title("absent from the first step on")
    for index, (label, cell) in enumerate(BEFORE.items()):
        by_question(below, [m[cell]["accuracy"] for m in runs], index, label)
    for ax in (above, below):
        ax.axvline(1 / 7, color=style.ink(), linewidth=0.9, linestyle=":")
        ax.set_yticks(range(len(QUESTIONS)), QUESTIONS)
        ax.set(ylim=(len(QUESTIONS) - 0.4, -0.6), xlim=(0, 1.03))
    above.annotate("chance", (0.155, -0.5), fontsize=8.5, va="center")
    below.set_xlabel("share of right answers")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8.5, handlelength=1)
    return figure


def by_question(ax, runs: list[np.ndarray], index: int, label: str = "_") -> None:
    """A row of dots for each question."""
    for question, values in enumerate(np.stack(runs).T):
        row = question + 0.2 * (index - 1)
        dots(ax, values, row, index, MARKERS[index], label if question == 0 else "_")

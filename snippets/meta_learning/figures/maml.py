"""The figures of meta_learning/maml."""

import numpy as np
import torch
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.tasks.few_shot import (
    REACH,
)
from snippets.icl.training.maml_training import METHODS
from snippets.meta_learning.maml import DRAWN, FLOOR, GRID, shown


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "functions": draw_functions(runs[0]),
        "steps": draw_steps(runs),
        "training": draw_training(runs),
    }


NAMES = {"maml": "MAML", "first_order": "first order", "pretrained": "pretrained"}


def draw_functions(m: Measurements) -> Figure:
    figure, axes = style.panels(2, 2, height=2.3, sharex=True, sharey=True)
    x = GRID[:, 0].numpy()
    truth = (DRAWN[0] * torch.sin(GRID - DRAWN[1])).flatten().numpy()
    for row, method in zip(axes, ("maml", "pretrained")):
        for ax, said, low in zip(row, m[f"{method}_drawn"], (-REACH, 0.0)):
            ax.plot(x, truth, color=style.ink(), linestyle=":", label="the task")
            for index, (y, name) in enumerate(
                zip(said, ("before", "1 step", "10 steps"))
            ):
                ax.plot(x, y, color=style.colour(index), label=name, linewidth=1.4)
            points_x, points_y = (t.flatten().numpy() for t in shown(10, low))
            ax.plot(points_x, points_y, "o", color=style.ink(), markersize=3)
            where = "whole range" if low < 0 else "right half"
            ax.set_title(f"{NAMES[method]}, {where} shown", fontsize=9)
        row[0].set_ylabel("y")
    for ax in axes[1]:
        ax.set_xlabel("x")
    axes[0, 0].set_ylim(-4.9, 4.9)
    lines = axes[0, 0].get_legend_handles_labels()
    figure.legend(*lines, ncol=4, loc="outside upper center")
    return figure


def draw_steps(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    x = np.arange(len(runs[0]["maml_errors"]))
    panels = (("errors", "points anywhere"), ("halves", "shown right, asked left"))
    for ax, (name, title) in zip(axes[:, 0], panels):
        for index, method in enumerate(METHODS):
            ys = [m[f"{method}_{name}"] for m in runs]
            style.seeds_and_median(ax, x, ys, index, NAMES[method])
        ax.set_title(title)
        ax.set(ylabel="squared error", ylim=(0, 5.2 if name == "halves" else 3.8))
    style.level(axes[0, 0], FLOOR, "best single function")
    lines = axes[1, 0].get_legend_handles_labels()
    figure.legend(*lines, ncol=3, loc="outside upper center")
    axes[1, 0].set_xlabel("inner steps on a new task")
    return figure


def draw_training(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.8)
    ax = axes[0, 0]
    for index, method in enumerate(METHODS):
        ys = [m[f"{method}_after_one"] for m in runs]
        style.seeds_and_median(ax, runs[0]["step"], ys, index, NAMES[method])
    style.level(ax, FLOOR, "best single function")
    ax.set(xlabel="outer step", ylabel="error after one inner step", ylim=(0, 4.3))
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.42))
    return figure

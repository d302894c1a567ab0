"""The figures of abrupt_learning/zipf."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.zipf import (
    BINS,
    EARLY,
    EXPONENTS,
    NAMES,
    PRESETS,
    at_end,
    balance,
    curves,
)
from snippets.contract import Measurements
from snippets.icl.tasks.item_label_data import commonest_label

CONFIG = PRESETS["laptop"]
KINDS = ((0, "from context"), (1, "from memory"))


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "exponents": draw_exponents(runs),
        "ranks": draw_ranks(runs),
        "race": draw_race(runs),
    }


def draw_exponents(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.3, sharex=True)
    x, c = np.array(EXPONENTS), CONFIG.centre
    guess = [commonest_label(c.n_classes, c.n_labels, a) for a in x]
    early = [curves(m, EARLY) for m in runs]
    late = [at_end(m) for m in runs]
    for ax, found, step in zip(
        axes[:, 0], (early, late), (EARLY, CONFIG.training.n_steps)
    ):
        first = found is early
        for index, name in KINDS:
            ys = [pair[index] for pair in found]
            label = name if first else f"_{name}"
            style.seeds_and_median(ax, x, ys, index, label, marker="o", markersize=3.5)
        dots = {"color": style.ink(), "linestyle": ":", "linewidth": 1.1}
        name = "always the commonest class's label"
        ax.plot(x, guess, label=name if first else f"_{name}", **dots)
        for number, pair in enumerate(found):
            mark = {"color": style.colour(2), "clip_on": False, "linestyle": "none"}
            label = "_" if number or not first else "equally often right, a seed"
            ax.plot([balance(*pair)], [-0.02], marker="^", label=label, **mark)
        ax.set(ylim=(-0.04, 1.06), ylabel="accuracy")
        ax.set_title(f"after {step:,} steps")
    axes[-1, 0].set(xlabel="$\\alpha$, how unevenly classes occur")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_ranks(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.9)
    ax, x = axes[0, 0], np.arange(len(BINS))
    for index, exponent in enumerate((1.0, 1.25, 1.5, 2.0)):
        row = NAMES.index(f"a{exponent}")
        ys = [m["end_memory_by_rank"][row] for m in runs]
        label = f"$\\alpha$ = {exponent:g}"
        style.seeds_and_median(ax, x, ys, index, label, marker="o", markersize=3.5)
    style.level(ax, 1 / CONFIG.centre.n_labels, "$1/L$", x=0.09)
    ax.set_xticks(x, [f"{bin.start + 1:,}\nto {bin.stop:,}" for bin in BINS])
    ax.set(ylim=(-0.02, 1.05), ylabel="accuracy from memory")
    ax.set(xlabel="rank of the class, 1 = commonest")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4)
    return figure


def draw_race(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.0, sharex=True)
    panels = (
        ("a1.0", "$\\alpha$ = 1, every sequence bursty"),
        ("burst0.75", "$\\alpha$ = 0, a quarter of the sequences not bursty"),
    )
    for ax, (cell, title) in zip(axes[:, 0], panels):
        column, first = NAMES.index(cell), cell == "a1.0"
        for index, name in KINDS:
            ys = [m[name.removeprefix("from ")][:, column] for m in runs]
            label = name if first else f"_{name}"
            style.seeds_and_median(ax, runs[0]["step"], ys, index, label)
        ax.set(ylim=(-0.03, 1.05), ylabel="accuracy")
        ax.set_title(title)
        c = CONFIG.centre
        guess = commonest_label(c.n_classes, c.n_labels, 1.0 if first else 0.0)
        words = "always the commonest class's label" if first else "_"
        ax.axhline(guess, color=style.ink(), linewidth=1.1, ls=":", label=words)
    axes[-1, 0].set(xlabel="training step")
    figure.legend(loc="outside upper center", ncols=2)
    return figure

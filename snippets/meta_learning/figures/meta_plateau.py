"""The figures of meta_learning/meta_plateau."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.meta_plateau import names, plateau


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"curves": draw_curves(runs), "lengths": draw_lengths(runs)}


def draw_curves(runs: list[Measurements]) -> Figure:
    """Loss on new tasks until the plateau ends, for four recipes."""
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    x = runs[0]["step"]
    shown = ("batch 8", "batch 32", "batch 8, two classes first", "four tasks first")
    for index, name in enumerate(shown):
        for number, m in enumerate(runs):
            curve = m["loss"][names(m).index(name)]
            kept = np.isfinite(curve)
            ax.plot(
                x[kept], curve[kept], color=style.colour(index), linewidth=1.1,
                alpha=0.8, label=name if number == 0 else f"_{name}, seed {number}",
            )  # fmt: skip
    ax.axhline(float(np.log(5)), color=style.ink(), linewidth=0.9, linestyle=":")
    ax.text(495, 1.645, "even guess: ln 5", ha="right", fontsize=8.5)  # clear of them
    style.level(ax, float(runs[0]["end"]), "the plateau has ended", below=True)
    ax.set(xlabel="training step", ylabel="loss on new tasks (nats)", ylim=(1.2, 1.9))
    ax.legend(loc="upper right", fontsize=8.5)
    return figure


def draw_lengths(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=4.2)
    ax = axes[0, 0]
    shown = names(runs[0])
    end = runs[0]["step"][-1]
    never = 1.3 * end
    y = np.arange(len(shown))[::-1]
    for name, height in zip(shown, y):
        lengths = np.array([plateau(m, name) for m in runs])
        x = np.where(np.isfinite(lengths), lengths, never)
        spread = height + np.linspace(-0.22, 0.22, len(x))
        ax.plot(x, spread, ".", color=style.colour(0), markersize=6)
        ax.plot(
            [np.median(x)] * 2, [height - 0.35, height + 0.35], color=style.colour(1)
        )
    ax.axvline(1.13 * end, color=style.ink(), linewidth=0.9, linestyle=":")
    ax.set_xscale("log")
    ax.set_xticks([50, 100, 200, 400, never], ["50", "100", "200", "400", "never"])
    ax.set_xticks([], minor=True)
    ax.set_yticks(y, shown)
    ax.set(xlabel="steps on the plateau")
    return figure

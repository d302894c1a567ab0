"""The figures of algorithms/patience."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.algorithms.patience import CONFIG, late
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"survival": draw_survival(runs), "ways": draw_ways(runs)}


def share_left(arrived: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return (arrived[None] > steps[:, None]).mean(1)


def draw_survival(runs: list[Measurements]) -> Figure:
    """Of all layers, how many have not arrived."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    ends = {"arrived": CONFIG.n_steps, "two_heads": CONFIG.stuck_at}
    labels = {"arrived": "one head", "two_heads": "two heads, until step 800"}
    for index, (name, end) in enumerate(ends.items()):
        x = np.unique(np.geomspace(50, end, 120).astype(int))
        ys = [share_left(m[name], x) for m in runs]
        style.seeds_and_median(ax, x, ys, index, labels[name])
    for step, text in ((CONFIG.give_up_at, "restart"), (CONFIG.stuck_at, "“stuck”")):
        ax.axvline(step, color=style.ink(), lw=0.9, ls=":")
        ax.annotate(
            text, (step, 0.97), xytext=(3, 0), textcoords="offset points", fontsize=8.5
        )
    ticks = (50, 100, 300, 800, 2000, 5000, 16_000)
    ax.set(
        xscale="log",
        xlabel="training step",
        ylabel="share that has not arrived",
        ylim=(-0.03, 1.05),
    )
    ax.set_xticks(ticks, [f"{t:,}" for t in ticks])
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2)
    return figure


def draw_ways(runs: list[Measurements]) -> Figure:
    """Of the stuck, how many still are, each time from the same weights."""
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    x = np.arange(0, CONFIG.n_other_steps + 1, CONFIG.record_every)
    ways = {
        "waiting": "wait: batches of 256",
        "large": "batches of 1,024",
        "its_scale": "no noise, but its scale",
        "no_noise": "no noise",
        "descent": "no noise, plain descent",
    }
    for index, (name, label) in enumerate(ways.items()):
        ys = [
            share_left(late(m) - CONFIG.stuck_at if name == "waiting" else m[name], x)
            for m in runs
            if len(late(m))
        ]
        line = {"ls": "--"} if name == "its_scale" else {}
        style.seeds_and_median(ax, x, ys, index, label, **line)
    ax.set(
        xlabel="steps after the layer was found stuck",
        ylabel="share still stuck",
        ylim=(-0.03, 1.05),
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2)
    return figure

"""The figures of mechanisms/scaling."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.theory.power_law import power_law
from snippets.mechanisms.scaling import SIZES, TEXTS, of


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"size": draw_size(runs), "text": draw_text(runs)}


def draw_size(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    top, bottom = axes[:, 0]
    x = of(runs[0], SIZES, "n_parameters")
    losses = [of(m, SIZES, "loss") for m in runs]
    style.seeds_and_median(top, x, losses, 0, "held-out loss", marker="o")
    law = power_law(x, np.median(losses, 0))
    top.plot(x, law.a * x**-law.b, ":", color=style.ink(), linewidth=1, label="_line")
    top.set(xscale="log", yscale="log", ylabel="loss (nats)")
    top.set_yticks([3.8, 4, 4.4, 4.8, 5.2], ["3.8", "4", "4.4", "4.8", "5.2"])
    top.minorticks_off()
    scores = [of(m, SIZES, "score") for m in runs]
    style.seeds_and_median(bottom, x, scores, 1, "ICL score", marker="o")
    bottom.axhline(0, color=style.ink(), linewidth=0.9)
    bottom.set(xlabel="weights", ylabel="ICL score (nats)", ylim=(-0.1, 0.1))
    return figure


def draw_text(runs: list[Measurements]) -> Figure:
    """Held-out loss through training, for four amounts of text."""
    figure, axes = style.panels(1, height=3.3)
    ax = axes[0, 0]
    x = runs[0]["d64"]["step"]
    for index, cell in enumerate(TEXTS):
        n = runs[0][cell]["n_text"]
        ys = [m[cell]["kept"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, f"{n:,} tokens of text")
    few = [m["t64"]["seen"] for m in runs]
    label = "the fewest, on what was trained on"
    style.seeds_and_median(ax, x, few, 0, label, linestyle="--")
    ax.set(xlabel="training step", ylabel="loss (nats)")
    ax.legend(loc="lower left", fontsize=8.5)
    return figure

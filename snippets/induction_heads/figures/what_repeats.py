"""The figures of induction_heads/what_repeats."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.what_repeats import EDGES

NAMES = {"novel": "novel", "speeches": "speeches", "code": "source code"}
DASHES = {"novel": "-.", "speeches": "--", "code": "-"}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"worth": draw_worth(runs), "reliable": draw_reliable(runs)}


def places(context: int) -> np.ndarray:
    """The middle of each bin, as the number of words before the guessed one."""
    edges = np.array([e for e in EDGES if e <= context], float)
    return np.sqrt((edges[:-1] + 1) * edges[1:])


def draw_worth(runs: list[Measurements]) -> Figure:
    """What the rule takes off the loss of the table, place by place."""
    figure, axes = style.panels(1, height=3.0)
    ax, x = axes[0, 0], places(512)
    for index, name in enumerate(NAMES):
        key = f"{name}_512"
        ys = [m[f"{key}_by_place"] - m[f"{key}_table_by_place"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, name, linestyle=DASHES[name])
    ax.axhline(0, color=style.ink(), linewidth=0.9, linestyle=":", label="_table")
    ax.axvspan(96, 128, color=style.ink(), alpha=0.1, linewidth=0)
    ax.axvspan(8, 16, color=style.ink(), alpha=0.1, linewidth=0)
    ax.set_xscale("log", base=2)
    ticks = (1, 4, 16, 64, 128, 512)
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set(xlabel="words before the guessed one", ylabel="change of the loss (nats)")
    named = dict(zip(*reversed(ax.get_legend_handles_labels())))
    ax.legend([named[n] for n in NAMES], NAMES.values(), loc="lower left")
    return figure


def draw_reliable(runs: list[Measurements]) -> Figure:
    """How often the rule is right after a match of so many words."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    for index, name in enumerate(NAMES):
        ys = [m[f"{name}_128_reliable"][1:] for m in runs]
        x = np.arange(1, len(ys[0]) + 1)
        style.seeds_and_median(ax, x, ys, index, NAMES[name], linestyle=DASHES[name])
    ax.set_xticks(x, [*map(str, x[:-1]), f"{x[-1]}+"])
    ax.set(xlabel="words that agree", ylabel="share of guesses right", ylim=(0, 1))
    ax.legend(loc="upper left")
    return figure

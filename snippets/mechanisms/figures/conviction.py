"""The figures of mechanisms/conviction."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.mechanisms.conviction import PRESETS

CONFIG = PRESETS["laptop"]["dice"]
WRITERS = {
    "true": "the die throws on",
    "own": "the network writes on",
    "exact": "the exact predictor writes on",
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "own-text": draw_own_text(runs),
        "writers": draw_writers(runs),
        "contradiction": draw_contradiction(runs),
        "losses": draw_losses(runs),
    }


def along(
    ax: Axes,
    runs: list[Measurements],
    world: str,
    name: str,
    index: int,
    label: str,
    **line,
) -> None:
    ys = [m[world][name] for m in runs]
    x = np.arange(CONFIG.n_told, CONFIG.length + 1)
    style.seeds_and_median(ax, x, ys, index, label, **line)


def draw_own_text(runs: list[Measurements]) -> Figure:
    """Above how sure, below how right, along the text."""
    figure, axes = style.panels(2, height=2.4, sharex=True)
    for index, (name, label) in enumerate(WRITERS.items()):
        line = {"linestyle": "--"} if name == "exact" else {}
        along(axes[0, 0], runs, "dice", f"{name}_sure", index, label, **line)
        along(axes[1, 0], runs, "dice", f"{name}_right", index, label, **line)
    axes[0, 0].set(ylabel="belief in the\nlikeliest die", ylim=(0.2, 1.02))
    axes[1, 0].set(
        ylabel="belief in the die that\nthrew the first six", ylim=(0.2, 1.02)
    )
    axes[1, 0].set(xlabel="throws in the text")
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2)
    return figure


def draw_writers(runs: list[Measurements]) -> Figure:
    """Mean belief where a writer is not exact: too cold, or leaking."""
    figure, axes = style.panels(2, height=2.4, sharex=True)
    for index, (name, label) in enumerate(
        (
            ("own", "network"),
            ("exact", "exact predictor"),
            ("cold", "network, at temperature 0.5"),
        )
    ):
        line = {"linestyle": "--"} if name == "exact" else {}
        where = (1, 2, 3)[index]
        along(axes[0, 0], runs, "dice", f"{name}_favourite", where, label, **line)
        along(axes[1, 0], runs, "chains", f"{name}_favourite", where, label, **line)
    for ax, title in zip(axes[:, 0], ("dice", "chains")):
        ax.set(ylabel="belief in what was the\nfavourite after six", ylim=(0.4, 0.95))
        ax.set_title(title)
    axes[1, 0].set(xlabel="symbols in the text")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2
    )
    return figure


def around_six(
    ax: Axes, runs: list[Measurements], text: str, asked: str, network: str
) -> None:
    """Exact predictor and network along a text, and where its six was planted."""
    x = np.arange(CONFIG.length + 1)
    for index, who, label, line in (
        (2, "exact", "exact", "--"),
        (1, "network", network, "-"),
    ):
        ys = [m["dice"][f"{text}_{who}_{asked}"] for m in runs]
        style.seeds_and_median(ax, x, ys, index, label, linestyle=line)
    ax.axvline(
        CONFIG.planted + 0.5,
        color=style.ink(),
        linewidth=0.9,
        linestyle=":",
        label="_planted",
    )


def draw_contradiction(runs: list[Measurements]) -> Figure:
    """Belief in the die that throws, around a planted six."""
    figure, axes = style.panels(2, height=2.3, sharex=True)
    for ax, name, title in (
        (axes[0, 0], "forbidden", "the red die throws: a six is impossible"),
        (axes[1, 0], "unlikely", "the blue die throws: a six is unlikely"),
    ):
        around_six(ax, runs, name, "belief", "as the network bets")
        ax.set_title(title)
        ax.set(ylabel="belief in it", ylim=(-0.25, 1.14))
    axes[1, 0].set(xlabel="throws in the text")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2
    )
    return figure


def draw_losses(runs: list[Measurements]) -> Figure:
    """What the next throw would cost: a face that red favours, and a six."""
    figure, axes = style.panels(2, height=2.2, sharex=True)
    for ax, side, title in (
        (axes[0, 0], "support", "a one, which red favours"),
        (axes[1, 0], "oppose", "a six, which red forbids"),
    ):
        around_six(ax, runs, "forbidden", side, "network")
        ax.set_title(title)
        ax.set(ylabel="loss (nats)")
    axes[0, 0].set(ylim=(1, 2.2))
    axes[1, 0].set(ylim=(0, 8.5), xlabel="throws in the text")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2
    )
    return figure

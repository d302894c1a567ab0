"""The figures of induction_heads/real_text."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.real_text import EDGES, derivative, paths, twice_read

COLUMNS = {
    "half shown again": ("device", "one-layer"),
    "text as it is": ("natural", "nudged", "novel"),
}
NAMES = {
    "device": "two layers, code",
    "one-layer": "one layer, code",
    "natural": "two layers, code",
    "one_natural": "one layer, code",
    "novel": "two layers, novel",
}
LOOKS = {
    "two layers, code": (0, "-"),
    "one layer, code": (1, "--"),
    "two layers, novel": (2, "-."),
}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "bump": draw_bump(runs),
        "places": draw_places(runs),
        "turn": draw_turn(runs),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, 2, height=1.85, sharex="col", sharey="row")
    rows: tuple[tuple[str, Callable], ...] = (
        ("prefix matching", lambda m: m["prefix"]),
        ("second reading\nless first (nats)", twice_read),
        ("ICL score (nats)", lambda m: m["icl"]),
    )
    for column, (title, cells) in enumerate(COLUMNS.items()):
        axes[0, column].set_title(title, fontsize=9.5)
        for row, (label, curve) in enumerate(rows):
            ax = axes[row, column]
            for cell in cells:
                index, dash = LOOKS[NAMES[cell]]
                ys = [curve(m[cell]) for m in runs]
                style.seeds_and_median(
                    ax, runs[0][cell]["step"], ys, index, NAMES[cell], linestyle=dash
                )
            if column == 0:
                ax.set_ylabel(label, fontsize=9)
        axes[2, column].set_xlabel("training step")
    axes[0, 0].set_ylim(-0.03, 1.0)
    legend(figure, axes[0, 1])
    return figure


def legend(figure: Figure, ax) -> None:
    """The names in `ax`, each once, above all panels."""
    named = dict(zip(*reversed(ax.get_legend_handles_labels())))
    figure.legend(
        named.values(), named.keys(), loc="outside upper center", ncols=3, fontsize=8.5
    )


def draw_bump(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.0)
    ax, x = axes[0, 0], runs[0]["device"]["step"][1:]
    curves = (
        ("training, shown again", lambda m: m["device"]["training"][1:, 1], "-"),
        ("training, as it is", lambda m: m["device"]["training"][1:, 0], "--"),
        ("held out", lambda m: m["device"]["validation"][1:], "-."),
    )
    for index, (name, curve, dash) in enumerate(curves):
        ys = [curve(m) for m in runs]
        style.seeds_and_median(ax, x, ys, index, name, linestyle=dash)
    ax.set(xlabel="training step", ylabel="loss (nats)", ylim=(1, 5))
    ax.legend(loc="upper right")
    return figure


def draw_places(runs: list[Measurements]) -> Figure:
    """Above: loss by place and step. Below: how its slope over ln(place) changes."""
    cells = ("device", "one-layer", "natural")
    titles = (
        "two layers,\nshown again",
        "one layer,\nshown again",
        "two layers,\nas it is",
    )
    figure, axes = style.panels(2, 3, height=2.3, sharey="row")
    for column, (cell, title) in enumerate(zip(cells, titles)):
        step = runs[0][cell]["step"]
        loss = np.median([m[cell]["by_place"] for m in runs], 0)
        slope = np.median([derivative(m[cell])[1] for m in runs], 0)
        top, bottom = axes[:, column]
        top.set_title(title, fontsize=9)
        edges = np.append(step - np.diff(step)[0] / 2, step[-1] + np.diff(step)[0] / 2)
        a = top.pcolormesh(
            edges, np.array(EDGES) + 1, loss.T, vmin=2.5, vmax=5, rasterized=True
        )
        most = 0.5
        middle = derivative(runs[0][cell])[0]
        b = bottom.pcolormesh(
            edges,
            middle,
            slope.T,
            vmin=-most,
            vmax=most,
            cmap="RdBu_r",
            rasterized=True,
        )
        for ax in (top, bottom):
            ax.set_yscale("log", base=2)
            ax.set_yticks((1, 4, 16, 64), ("1", "4", "16", "64"))
            ax.grid(False)
        bottom.set_xlabel("step", fontsize=9)
    figure.colorbar(a, ax=axes[0, :], label="loss (nats)")
    figure.colorbar(b, ax=axes[1, :], label="d loss / d ln(place)")
    axes[0, 0].set_ylabel("place in the window", fontsize=9)
    axes[1, 0].set_ylabel("place in the window", fontsize=9)
    return figure


def draw_turn(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    for index, (cell, path) in enumerate(paths(runs[0]).items()):
        ax.plot(
            path[:, 0],
            path[:, 1],
            "o-",
            color=style.colour(index),
            markersize=3,
            label=cell,
        )
    ax.legend()
    ax.set(xlabel="first component", ylabel="second component")
    return figure

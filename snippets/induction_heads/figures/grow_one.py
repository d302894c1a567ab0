"""The figures of induction_heads/grow_one."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.grow_one import (
    LEARNED,
    NAMES,
    NETWORKS,
    PROBE,
    best_prefix,
    repeats,
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "contrast": draw_contrast(runs),
        "order": draw_order(runs),
        "maps": draw_maps(runs[0]),
        "ablations": draw_ablations(runs),
        "scores": draw_scores(runs),
        "circuits": draw_circuits(runs[0]),
    }


LABELS = {
    "one": "one layer",
    "smeared": "one layer, smeared keys",
    "two": "two layers",
}


STYLES = {"one": "--", "smeared": "-.", "two": "-"}


def draw_contrast(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(3, height=2.0, sharex=True)
    x = runs[0]["two_step"]
    curves: tuple[tuple[str, Callable[[Measurements, str], np.ndarray]], ...] = (
        ("loss on repeats (nats)", repeats),
        ("ICL score (nats)", lambda m, name: m[f"{name}_losses"][:, 2]),
        ("prefix matching", best_prefix),
    )
    for ax, (label, curve) in zip(axes[:, 0], curves):
        for index, name in enumerate(NETWORKS):
            ys = [curve(m, name) for m in runs]
            style.seeds_and_median(
                ax, x, ys, index, LABELS[name], linestyle=STYLES[name]
            )
        ax.set_ylabel(label)
    style.level(axes[0, 0], float(np.log(len(NAMES))), "ln V", x=0.075, below=True)
    table = float(np.median([m["table_icl"] for m in runs]))
    style.level(axes[1, 0], table, "")
    axes[1, 0].text(455, 0.17, "dotted: a table, no context", ha="right", fontsize=8.5)
    axes[0, 0].set_ylim(0, 4.3)
    axes[1, 0].set_ylim(-1.8, 0.4)
    axes[2, 0].set(ylim=(-0.02, 1.02), xlabel="training step")
    legend(figure, axes[0, 0])
    return figure


def draw_order(runs: list[Measurements]) -> Figure:
    """Two layers, each seed's curves around the step at which its loss is half way."""
    figure, axes = style.panels(1, height=3.0)
    ax, x = axes[0, 0], np.arange(-150, 181, 15)

    def fallen(m: Measurements) -> np.ndarray:
        loss = repeats(m, "two")
        plateau = loss[m["two_step"] == LEARNED]
        return (plateau - loss) / (plateau - loss[-1])

    def previous(m: Measurements) -> np.ndarray:
        return m["two_previous"][:, 0, m["two_heads"][0, 0]]

    curves: tuple[tuple[str, Callable[[Measurements], np.ndarray]], ...] = (
        ("layer 1: previous token", previous),
        ("layer 2: prefix matching", lambda m: best_prefix(m, "two")),
        ("loss on repeats: share of the fall", fallen),
    )
    for index, (label, curve) in enumerate(curves):
        ys = [
            np.interp(x, m["two_step"] - m["two_half_way"], curve(m), np.nan, np.nan)
            for m in runs
        ]
        style.seeds_and_median(
            ax, x, ys, index, label, linestyle=("-", "--", "-.")[index]
        )
    ax.axvline(0, color=style.ink(), linewidth=0.9, linestyle=":", label="_half way")
    ax.set(xlabel="steps since the loss was half way down", ylabel="score or share")
    ax.set_ylim(-0.04, 1.5)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.legend(loc="upper left")
    return figure


def draw_maps(m: Measurements) -> Figure:
    figure, axes = style.panels(3, 2, height=2.45)
    names = list(PROBE)
    steps = (LEARNED, int(m["two_half_way"]), int(m["two_step"][-1]))
    for index, (row, moment) in enumerate(zip(axes, ("before", "during", "after"))):
        for layer, ax in enumerate(row):
            head = m["two_heads"][layer, 0]
            pattern = m["two_probe"][index, layer, head].astype(float)
            ax.imshow(pattern, vmin=0, vmax=1, interpolation="none")
            ax.set_xticks(range(len(names)), names, fontsize=7.5)
            ax.set_yticks(range(len(names)), names, fontsize=7.5)
            ax.tick_params(length=0, pad=2)
            ax.grid(False)
        row[0].set_ylabel(f"{moment}: step {steps[index]}")
    axes[0, 0].set_title("layer 1, previous-token head", fontsize=9)
    axes[0, 1].set_title("layer 2, induction head", fontsize=9)
    return figure


def dots(ax: Axes, y: float | int, values: list[float], index: int, **marker) -> None:
    """One point for each seed, and their median as a stroke."""
    ys, median = [y] * len(values), float(np.median(values))
    ax.scatter(values, ys, color=style.colour(index), s=16, alpha=0.75, **marker)
    ax.plot(
        [median] * 2, [y - 0.2, y + 0.2], color=style.colour(index), label="_median"
    )


def draw_ablations(runs: list[Measurements]) -> Figure:
    """Loss on repeats and on the background without each head."""
    rows = (
        ("two", 0, 0, "layer 1: previous token"),
        ("two", 0, 1, "layer 1: rewriting"),
        ("two", 1, 0, "layer 2: induction, best"),
        ("two", 1, 1, "layer 2: induction, other"),
        ("two", 1, -1, "layer 2: both"),
        ("smeared", 0, 0, "smeared: best prefix"),
        ("smeared", 0, 1, "smeared: other"),
        ("one", 0, 0, "one layer: best prefix"),
        ("one", 0, 1, "one layer: other"),
    )
    figure, axes = style.panels(1, 2, height=4.4, sharey=True)
    for ax, loss in zip(axes[0], (0, 1)):
        for y, (name, layer, which, _) in enumerate(rows):
            whole = [m[f"{name}_losses"][-1, loss] for m in runs]
            ax.plot([np.median(whole)] * 2, [y - 0.5, y + 0.5], color=style.ink())
            for mode, marker in enumerate("os"[: 2 if name == "two" else 1]):
                values = [m[f"{name}_ablated"][layer, which, mode, loss] for m in runs]
                y_mode = y + (0.22 * (2 * mode - 1) if name == "two" else 0)
                label = ("fully", "patterns kept")[mode]
                dots(ax, y_mode, values, mode, marker=marker, label=label)
        ax.set_xlim(0, 6.2 if loss else 5)
        ax.set_xlabel(("repeats", "background")[loss] + ": loss (nats)", fontsize=9)
        ax.axhline(4.5, color=style.ink(), linewidth=0.5)
        ax.axhline(6.5, color=style.ink(), linewidth=0.5)
    axes[0, 0].set_yticks(range(len(rows)), [row[-1] for row in rows], fontsize=8.5)
    axes[0, 0].invert_yaxis()
    legend(figure, axes[0, 0])
    return figure


def legend(figure: Figure, ax: Axes) -> None:
    """The names in `ax`, each once, above all panels."""
    handles, labels = ax.get_legend_handles_labels()
    named = dict(zip(labels, handles))
    figure.legend(named.values(), named.keys(), loc="outside upper center", ncols=3)


def draw_scores(runs: list[Measurements]) -> Figure:
    """Above: K-composition. Below: eigenvalue scores."""
    figure, axes = style.panels(2, height=2.1)
    top, bottom = axes[:, 0]
    pairs = (
        ("best induction, previous token", 0, 0),
        ("other induction, previous token", 1, 0),
        ("best induction, rewriting", 0, 1),
        ("other induction, rewriting", 1, 1),
    )
    for y, (_, later, earlier) in enumerate(pairs):
        dots(top, y, [m["two_composition"][later, earlier] for m in runs], 0)
    top.set_yticks(range(len(pairs)), [pair[0] for pair in pairs], fontsize=8.5)
    top.axvline(0, color=style.ink(), linewidth=0.9, linestyle=":", label="_random")
    top.set(xlabel="K-composition above random heads", xlim=(-0.07, 0.13))
    scores = (
        ("two layers, match", "two_match"),
        ("two layers, copy", "two_copy"),
        ("smeared keys, match", "smeared_match"),
        ("smeared keys, copy", "smeared_copy"),
    )
    for y, (_, key) in enumerate(scores):
        if key.startswith("two"):
            plain = [float(m[f"{key}_plain"][0]) for m in runs]
            dots(bottom, y, plain, 1, marker="s", label="embedded")
            rewritten = "rewritten by layer 1"
        else:
            rewritten = "_embedded"
        scores_here = [float(m[key][0]) for m in runs]
        dots(bottom, y, scores_here, 2, label=rewritten)
    bottom.set_yticks(range(len(scores)), [score[0] for score in scores], fontsize=8.5)
    bottom.set(xlim=(-0.05, 1.05), xlabel="sum of eigenvalues / sum of their sizes")
    for ax in (top, bottom):
        ax.invert_yaxis()
    named = dict(zip(*reversed(bottom.get_legend_handles_labels())))
    bottom.legend(named.values(), named.keys(), loc="lower left")
    return figure


def draw_circuits(m: Measurements) -> Figure:
    figure, axes = style.panels(4, 2, height=2.3)
    rows = (
        ("two layers,\ntokens as embedded", "two", "_plain"),
        ("two layers,\nas layer 1 rewrites", "two", ""),
        ("one layer,\nsmeared keys", "smeared", ""),
        ("one layer", "one", ""),
    )
    for row, (label, name, kind) in zip(axes, rows):
        for ax, circuit in zip(row, ("QK", "OV")):
            picture = m[f"{name}_{circuit}{kind}"].astype(float)
            # what is the same for all keys changes no attention; and for all outputs,
            # no probability
            picture = picture - picture.mean(1, keepdims=True)
            most = float(np.abs(picture).max())
            ax.imshow(
                picture, vmin=-most, vmax=most, cmap="RdBu_r", interpolation="none"
            )
            ticks = range(0, len(NAMES), 4)
            ax.set_xticks(ticks, [NAMES[t] for t in ticks], fontsize=8)
            ax.set_yticks(ticks, [NAMES[t] for t in ticks], fontsize=8)
            ax.grid(False)
        row[0].set_ylabel(label, fontsize=9)
    axes[0, 0].set_title("QK: row seeks column", fontsize=9)
    axes[0, 1].set_title("OV: row raises column", fontsize=9)
    return figure

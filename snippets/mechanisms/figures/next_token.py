"""The figures of mechanisms/next_token."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.icl.tasks.byte_pairs import decode, tokenised
from snippets.mechanisms.next_token import N_BLOCKS, PRESETS

NAMES = {"novel": "the novel", "code": "SymPy's source"}


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "passage": draw_passage(runs),
        "context": draw_context(runs),
        "own": draw_own(runs),
        "changes": draw_changes(runs),
    }


def draw_passage(runs: list[Measurements]) -> Figure:
    """Tokens of a held-out passage in the order of reading; the dearer, the darker."""
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    tokeniser, _, _ = tokenised("novel", PRESETS["laptop"]["novel"].n_vocab)
    ids = runs[0]["novel"]["passage"][1:]
    words = [decode(tokeniser, [int(one)]) for one in ids]
    surprise = np.median([m["novel"]["surprise"] for m in runs], 0)
    letters = {"ha": "center", "va": "center_baseline", "fontsize": 13}
    letters |= {"family": "DejaVu Sans Mono"}
    x = y = 0
    for word, loss in zip(words, surprise):
        if x + len(word) > 35:
            x, y = 0, y + 1
        shade = {"color": style.colour(1), "alpha": 0.75 * min(loss / 9, 1)}
        ax.barh(y, len(word), left=x, height=0.78, linewidth=0, **shade)
        ax.plot([x, x], [y - 0.39, y + 0.39], color=style.ink(), linewidth=0.25)
        for place, letter in enumerate(word):  # one letter a cell: no font's widths
            where = (x + place + 0.5, y)
            ax.annotate(letter, where, **letters)
        x += len(word)
    for place, loss in enumerate((1, 3, 5, 7, 9)):
        shade = {"color": style.colour(1), "alpha": 0.75 * loss / 9}
        at = 14 + 4.4 * place
        ax.barh(y + 1.5, 4, left=at, height=0.78, linewidth=0, **shade)
        ax.annotate(str(loss), (at + 2, y + 1.5), ha="center", va="center_baseline", fontsize=10)  # fmt: skip
    ax.annotate("loss in nats:", (0, y + 1.5), va="center_baseline", fontsize=10)
    ax.set(xlim=(0, 36), ylim=(y + 2.1, -0.6))
    ax.axis("off")
    return figure


def draw_context(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.3)
    ax = axes[0, 0]
    x = np.concatenate([np.arange(1, 17), 16 * np.arange(1, 8) + 8.5])
    for index, (cell, name) in enumerate(NAMES.items()):
        ys = [np.concatenate([m[cell]["near"], m[cell]["far"][1:]]) for m in runs]
        style.seeds_and_median(ax, x, ys, index, name)
        last = float(np.median(ys, 0)[-1])
        ax.annotate(name, (120, last), xytext=(0, 15), textcoords="offset points",
                    ha="right", color=style.colour(index))  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks([1, 2, 4, 8, 16, 32, 64, 128], ["1", "2", "4", "8", "16", "32", "64", "128"])  # fmt: skip
    ax.set(xlabel="tokens before the guessed one", ylabel="loss of the same tokens (nats)")  # fmt: skip
    return figure


def draw_own(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.3, sharex=True)
    x = 16 * np.arange(1, N_BLOCKS + 1) + 8.5
    for ax, (cell, name) in zip(axes[:, 0], NAMES.items()):
        for index, key in ((0, "given"), (1, "own")):
            ys = [m[cell][key] for m in runs]
            label = "as given" if key == "given" else "as the model wrote it"
            style.seeds_and_median(ax, x, ys, index, label, linestyle="-" if index else "--")  # fmt: skip
        ax.set_title(name)
        ax.set_ylabel("loss (nats)")
        low, high = ax.get_ylim()
        ax.set_ylim(low, high + 0.1)
    axes[0, 0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    axes[1, 0].set_xlabel("position in the text")
    return figure


def draw_changes(runs: list[Measurements]) -> Figure:
    """Own minus given on the novel: the curves' difference, and that of their first and
    second differences and of the variance over prompts, each seed with its interval."""
    figure, axes = style.panels(4, height=1.45, sharex=True)
    names = ("mean", "first\ndifference", "second\ndifference", "variance")
    begin = 0
    for index, (ax, name) in enumerate(zip(axes[:, 0], names)):
        n = N_BLOCKS - index if index < 3 else N_BLOCKS
        first = index if index < 3 else 0
        x = 16 * np.arange(first + 1, first + n + 1) + 8.5
        intervals(ax, x, runs, slice(begin, begin + n), index)
        ax.axhline(0, color=style.ink(), linewidth=0.9)
        ax.set_ylabel(name)
        begin += n
    axes[-1, 0].set_xlabel("position in the text")
    return figure


def intervals(
    ax: Axes, x: np.ndarray, runs: list[Measurements], which: slice, index: int
) -> None:
    """A stroke for each seed's 95 % interval, with a dot on what was measured."""
    for number, m in enumerate(runs):
        at = x + 2 * (number - (len(runs) - 1) / 2)
        low, high = m["novel"]["low"][which], m["novel"]["high"][which]
        colour = style.colour(index)
        ax.vlines(at, low, high, color=colour, linewidth=1.1)
        measured = m["novel"]["change"][which]
        ax.plot(at, measured, "o", color=colour, markersize=3, label=f"_seed {number}")

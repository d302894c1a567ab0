"""The figures of algorithms/kernel_matrix."""

import numpy as np
from matplotlib.figure import Figure
from scipy.special import stdtrit

from snippets import style
from snippets.algorithms.kernel_matrix import KERNELS, PRESETS
from snippets.contract import Measurements

NAMES = {"linear": "linear", "arccos": "arccos", "exp": "exp", "rbf": "RBF"} | {
    "softmax": "softmax"
}
ORDER = ("linear", "arccos", "exp", "rbf", "softmax")
SYMBOL = {"best": "best", "tied": "tied", "beaten": ""}


# --8<-- [start:verdict]


def verdict(runs: list[Measurements], K: str) -> tuple[dict, dict[str, str]]:
    """For each h: its error, how far from that of h = K, and what it is: best, tied
    with the best (the 95 % interval of their difference holds 0) or beaten."""
    h_names = PRESETS["laptop"][K].h
    error = {h: np.array([m[K][f"{h}_3"] for m in runs]) for h in h_names}
    lowest = min(h_names, key=lambda h: error[h].mean())
    found, said = {}, {}
    for h in h_names:
        apart, reach = interval(error[h] - error[K])
        found[h] = {"error": np.median(error[h]), "apart": apart, "reach": reach}
        behind, give = interval(error[h] - error[lowest])
        said[h] = "best" if h == lowest else "tied" if behind < give else "beaten"
    return found, said


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Their mean over seeds, and half the width of its 95 % interval (Student's t)."""
    n = len(differences)
    half = stdtrit(n - 1, 0.975) * differences.std(ddof=1) / n**0.5
    return float(differences.mean()), float(half)


# --8<-- [end:verdict]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "matrix": draw_matrix(runs),
        "depth": draw_depth(runs),
        "lengths": draw_lengths(runs),
    }


def draw_matrix(runs: list[Measurements]) -> Figure:
    """A row for each K, a column for each h: how far above Bayes, and the verdict."""
    figure, axes = style.panels(1, height=3.7)
    ax = axes[0, 0]
    for row, K in enumerate(KERNELS):
        found, said = verdict(runs, K)
        bayes = np.median([m[K]["bayes"] for m in runs])
        for column, h in enumerate(ORDER):
            above = max(found[h]["error"] - bayes, 1e-4)  # colour: 0.1 % to 100 %
            share = np.clip(np.log10(above / 0.0005) / 3.2, 0, 1)
            colour = style.colour(1)
            ax.fill_between(
                [column - 0.5, column + 0.5],
                row - 0.5,
                row + 0.5,
                color=colour,
                alpha=0.03 + 0.5 * share,
                linewidth=0,
            )
            words(ax, column, row, found[h], said[h], h == K)
    edges(ax)
    for column, h in enumerate(ORDER):
        if h in KERNELS:
            frame(ax, column, KERNELS.index(h))
    return figure


def words(ax, column: int, row: int, cell: dict, said: str, matched: bool) -> None:
    """The error; below it, how far from that of h = K, and give or take what."""
    text = {"ha": "center", "va": "center"}
    bold = "bold" if said == "best" else "normal"
    ax.text(
        column, row - 0.27, f"{cell['error']:.3f}", fontsize=10, weight=bold, **text
    )
    apart, reach = cell["apart"], cell["reach"]
    shown = "h = K" if matched else f"{apart:+.3f}".replace("-", "\u2212")
    ax.text(column, row + 0.02, shown, fontsize=8.5, **text)
    more = SYMBOL[said] if matched else f"\u00b1{reach:.3f} {SYMBOL[said]}".rstrip()
    ax.text(column, row + 0.3, more, fontsize=8.5, **text)


def edges(ax) -> None:
    ax.set_xticks(range(len(ORDER)), [NAMES[h] for h in ORDER])
    ax.set_yticks(range(len(KERNELS)), [NAMES[K] for K in KERNELS])
    ax.set(xlim=(-0.52, 4.52), ylim=(3.52, -0.52))
    ax.set(xlabel="h, of the attention", ylabel="K, of the functions")
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)


def frame(ax, column: int, row: int) -> None:
    x, y = (
        column + np.array([-1, 1, 1, -1, -1]) / 2,
        row + np.array([-1, -1, 1, 1, -1]) / 2,
    )
    ax.plot(x, y, color=style.ink(), linewidth=1.4, label="_matched")


def draw_depth(runs: list[Measurements]) -> Figure:
    """Error against layers, for h = K; beside it what knows K."""
    figure, axes = style.panels(2, 2, height=2.5)
    for ax, K in zip(axes.flat, KERNELS):
        config = PRESETS["laptop"][K]
        depths = np.sort((config.n_layers, *config.depths))
        plain = [m[K]["plain"] for m in runs]
        style.seeds_and_median(
            ax, np.arange(1, len(plain[0]) + 1), plain, 3, "plain steps", linestyle="--"
        )
        curves = [np.array([m[K][f"{K}_{L}"] for L in depths]) for m in runs]
        style.seeds_and_median(ax, depths, curves, 0, "trained, h = K", marker="o")
        if config.rival_depths:
            rivals = np.sort((config.n_layers, *config.rival_depths))
            curves = [np.array([m[K][f"softmax_{L}"] for L in rivals]) for m in runs]
            style.seeds_and_median(
                ax, rivals, curves, 1, "trained, softmax", marker="s"
            )
        bayes = float(np.median([m[K]["bayes"] for m in runs]))
        if bayes > 1e-3:
            style.level(ax, bayes, "Bayes", below=True)
        ax.set(yscale="log", title=f"K = {NAMES[K]}", xticks=range(1, 6))
        if K != "linear":
            low = 0.8 * bayes
            ax.set(ylim=(low, 1.15 * max(one[0] for one in plain)))
            ticks = [t for t in (0.2, 0.3, 0.5, 0.7, 1.0) if t > low]
            ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
            ax.minorticks_off()
    finish(figure, axes, axes[1, 0], "layers")
    return figure


def draw_lengths(runs: list[Measurements]) -> Figure:
    """Error against the number of examples, for each h; trained on 14."""
    figure, axes = style.panels(2, 2, height=2.5, sharex=True)
    for ax, K in zip(axes.flat, KERNELS):
        lengths = np.array(PRESETS["laptop"][K].lengths)
        for index, h in enumerate(ORDER):
            values = [[m[K][f"{h}_of_{n}"] for n in lengths] for m in runs]
            curves = [np.minimum(one, 5.0) for one in values]  # 5: off the panel
            line = {"linewidth": 3.4} if h == K else {}
            style.seeds_and_median(ax, lengths, curves, index, NAMES[h], **line)
        bayes = np.median([[m[K][f"bayes_of_{n}"] for n in lengths] for m in runs], 0)
        dots = {"color": style.ink(), "linestyle": ":", "label": "Bayes"}
        ax.plot(lengths, bayes, **dots)
        ax.set(title=f"K = {NAMES[K]}", ylim=(-0.02, 1.45), xticks=lengths)
    finish(figure, axes, axes[0, 0], "examples shown")
    return figure


def finish(figure: Figure, axes: np.ndarray, of, xlabel: str) -> None:
    """Labels at the edges, and one legend above all."""
    for ax in axes[-1]:
        ax.set(xlabel=xlabel)
    for ax in axes[:, 0]:
        ax.set(ylabel="error / variance")
    handles, labels = of.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)

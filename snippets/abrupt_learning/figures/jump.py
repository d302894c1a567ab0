"""The figures of abrupt_learning/jump."""

import numpy as np
from matplotlib.figure import Figure

from snippets import style
from snippets.abrupt_learning.jump import onset
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "circuit": draw_circuit(runs),
        "maps": draw_maps(runs[0]),
        "cut": draw_cut(runs),
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    curves = (  # what nearly coincides is drawn broad, and the other on top of it
        ("accuracy_rotated", 1, "known classes, labels rotated", 4.5),
        ("accuracy_novel", 0, "new classes", 1.6),
        ("accuracy_from_memory", 2, "from memory alone", 1.8),
    )
    for name, index, label, width in curves:
        ys = [m[name] for m in runs]
        style.seeds_and_median(top, x, ys, index, label, linewidth=width)
    style.seeds_and_median(
        top,
        x,
        [m["label_in_context"] for m in runs],
        4,
        "guess is a shown label",
        linestyle="--",
    )
    style.level(top, 1 / 8, "$1/N$", x=0.07)
    top.set(ylabel="share of test sequences", ylim=(-0.02, 1.04))
    top.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2
    )  # above: free of curves
    style.seeds_and_median(bottom, x, [m["loss"] for m in runs], 0, "loss, new classes")
    for n, text in ((32, "$\\ln L$"), (8, "$\\ln N$")):
        style.level(bottom, float(np.log(n)), text)
    bottom.set(
        xlabel="training step", ylabel="loss on new classes (nats)", ylim=(-0.1, 3.9)
    )
    return figure


def draw_circuit(runs: list[Measurements]) -> Figure:
    """Each seed's curves against the steps since its own onset, so that the jumps lie
    on top of each other.
    """
    figure, axes = style.panels(1, height=3.1)
    ax = axes[0, 0]
    x = np.arange(-600, 601, 25)
    curves = (
        ("accuracy_novel", "accuracy on new classes"),
        ("label_to_item", "layer 1: label to its item"),
        ("target_to_label", "layer 2: target to its label"),
        ("label_in_context", "guess is a shown label"),
    )
    for index, (name, label) in enumerate(curves):
        aligned = [
            np.interp(x + onset(m), m["step"], m[name])
            for m in runs
            if np.isfinite(onset(m))
        ]
        if aligned:
            style.seeds_and_median(
                ax, x, aligned, index, label, linestyle="--" if index == 3 else "-"
            )
    ax.axvline(0, color=style.ink(), linewidth=0.9, linestyle=":")
    ax.set(
        xlabel="steps since the onset",
        ylabel="accuracy, attention, share",
        ylim=(-0.02, 1.04),
    )
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.4))
    return figure


def draw_maps(m: Measurements) -> Figure:
    """The first layer's mean attention map, and where the second layer looks, at three
    moments of one seed.
    """
    moments = ("first step", "before the jump", "last step")
    figure, axes = style.panels(2, 3, height=2.1)
    n_tokens = m["maps"].shape[-1]
    for ax, title, first in zip(axes[0], moments, m["maps"]):
        ax.imshow(first, vmin=0, vmax=1, interpolation="none")
        ax.set_title(title, fontsize=9.5)
        ax.grid(False)
        ticks = (0, 6, n_tokens - 1)  # the first item, the fourth, the target
        names = ("$x_1$", "$x_4$", "$x_{?}$")
        ax.set_xticks(ticks, names, fontsize=9.5)
        ax.set_yticks(ticks, names if ax is axes[0, 0] else [""] * 3, fontsize=9.5)
    axes[0, 0].set_ylabel("layer 1: looks from")
    axes[0, 1].set_xlabel("layer 1: looks at")
    places = ("its label", "its item", "other labels", "other items", "itself")
    for ax, shares in zip(axes[1], m["target_looks"]):
        ax.barh(range(5), shares, color=style.colour(2))
        ax.set(xlim=(0, 1))
        ax.set_xticks((0, 0.5, 1), ("0", ".5", "1"))
        ax.set_yticks(range(5), places if ax is axes[1, 0] else [""] * 5, fontsize=9)
        ax.invert_yaxis()
    axes[1, 1].set_xlabel("layer 2: attention from the target")
    return figure


CUTS = (  # what is done to the first layer's edges, and how often it is then right
    ("nothing is cut", lambda m: m["accuracy_novel"][-1]),
    ("the answer's own edge cut", lambda m: m["without_its"]),
    ("the seven others cut", lambda m: m["without_others"]),
    ("all eight cut", lambda m: m["without_all"]),
    ("only the eight kept", lambda m: m["only_edges"]),
    ("edges moved by a pair", lambda m: m["edges_moved"]),
)


def draw_cut(runs: list[Measurements]) -> Figure:
    """Accuracy of the trained network with edges from labels to items taken away."""
    figure, axes = style.panels(1, height=2.6)
    ax = axes[0, 0]
    for row, (name, right) in enumerate(CUTS):
        shares = [float(right(m)) for m in runs]
        moved = row == len(CUTS) - 1
        bar = {"color": style.colour(1 if moved else 0), "alpha": 0.35, "height": 0.6}
        ax.barh(row, np.median(shares), label=f"_{name}, median", **bar)
        dots = {"color": style.colour(1 if moved else 0), "markersize": 4}
        ax.plot(shares, [row] * len(shares), "o", label=f"_{name}", **dots)
    ax.axvline(1 / 8, color=style.ink(), linewidth=0.9, linestyle=":", label="_1/N")
    ax.annotate(
        "$1/N$",
        (1 / 8, 5.4),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=9,
    )
    ax.set_yticks(range(len(CUTS)), [name for name, _ in CUTS])
    ax.set(xlim=(0, 1.02), ylim=(6.1, -0.6), xlabel="share of test sequences")
    return figure

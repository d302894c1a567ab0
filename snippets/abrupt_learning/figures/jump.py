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
    }


def draw_curves(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.5, sharex=True)
    top, bottom = axes[:, 0]
    x = runs[0]["step"]
    curves = (
        ("accuracy_novel", "new classes"),
        ("accuracy_rotated", "known classes, labels rotated"),
        ("accuracy_from_memory", "from memory alone"),
    )
    for index, (name, label) in enumerate(curves):
        style.seeds_and_median(top, x, [m[name] for m in runs], index, label)
    style.seeds_and_median(
        top,
        x,
        [m["label_in_context"] for m in runs],
        4,
        "guess is a shown label",
        linestyle="--",
    )
    style.level(top, 1 / 8, "1/N", x=0.06)
    top.set(ylabel="share of test sequences", ylim=(-0.02, 1.04))
    top.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2
    )  # above: free of curves
    style.seeds_and_median(bottom, x, [m["loss"] for m in runs], 0, "loss, new classes")
    for n, text in ((32, "ln L"), (8, "ln N")):
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
    moments = ("first step", "just before the jump", "last step")
    figure, axes = style.panels(2, 3, height=2.1)
    n_tokens = m["maps"].shape[-1]
    for ax, title, first in zip(axes[0], moments, m["maps"]):
        ax.imshow(first, vmin=0, vmax=1, interpolation="none")
        ax.set_title(title, fontsize=9)
        ax.grid(False)
        ticks = list(range(0, n_tokens, 4))
        ax.set_xticks(
            ticks, [f"x{t // 2 + 1}" for t in ticks[:-1]] + ["x?"], fontsize=7.5
        )
        ax.set_yticks(
            ticks, [f"x{t // 2 + 1}" for t in ticks[:-1]] + ["x?"], fontsize=7.5
        )
    axes[0, 0].set_ylabel("layer 1: query")
    places = ("its label", "its item", "other labels", "other items", "itself")
    for ax, shares in zip(axes[1], m["target_looks"]):
        ax.barh(range(5), shares, color=style.colour(2))
        ax.set(xlim=(0, 1), xticks=(0, 0.5, 1))
        ax.set_yticks(range(5), places if ax is axes[1, 0] else [""] * 5, fontsize=8.5)
        ax.invert_yaxis()
    axes[1, 1].set_xlabel("layer 2: attention from the target")
    return figure

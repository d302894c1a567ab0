"""The figures of meta_learning/labels_alone."""

from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements
from snippets.meta_learning.labels_alone import theory


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """The formula for every K, and what was counted and measured at three of them."""
    figure, axes = style.panels(1, height=2.9)
    ax = axes[0, 0]
    every = range(6, 65)
    ax.plot(every, [theory(k, 4) for k in every], color=style.ink(), label="formula")
    kinds = (
        ("count", "o", "all contexts counted"),
        ("by_hand", "x", "made by hand"),
        ("trained", "+", "trained"),
    )
    for index, (name, marker, label) in enumerate(kinds):
        for number, m in enumerate(runs):
            ax.plot(
                m["K"],
                m[name],
                marker,
                color=style.colour(index),
                markersize=9 - 2 * (index == 0),
                fillstyle="none",
                label=label if number == 0 else f"_{label}, seed {number}",
            )
    style.level(ax, 0.5, "query alone", below=True)
    ax.set(xlabel="classes and labels, K = L", ylabel="accuracy", ylim=(0.44, 0.93))
    ax.legend()
    return {"formula": figure}

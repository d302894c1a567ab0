"""The figures of induction_heads/same_circuit."""

from collections import Counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import betaincinv

from snippets import style
from snippets.contract import Measurements
from snippets.induction_heads.same_circuit import NETWORKS, signature

NAMES = ("the odd name", "repeat, 1st", "repeat, 2nd", "other words", "last token")


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"parts": draw_parts(runs), "cuts": draw_cuts(runs), "counts": count(runs)}


def dots(ax: Axes, values: np.ndarray, names: tuple[str, ...], index: int) -> None:
    """A row of dots for each name, one dot a network, and the median as a stroke.
    values: (network, name)."""
    for row in range(len(names)):
        xs = values[:, row]
        spread = row + np.linspace(-0.2, 0.2, len(xs))
        look: Any = {"color": style.colour(index), "markersize": 3.5, "alpha": 0.7}
        ax.plot(xs, spread, "o", label=f"_{names[row]}", **look)
        stroke: Any = {"color": style.ink(), "linewidth": 2}
        middle = np.median(xs)
        ax.plot([middle] * 2, [row - 0.35, row + 0.35], label="_median", **stroke)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.axvline(0, color=style.ink(), linewidth=0.8, linestyle=":", label="_none")


def draw_parts(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    spots = np.concatenate([m["spots"] for m in runs])
    parts = np.concatenate([m["parts"] for m in runs])
    dots(axes[0, 0], spots, NAMES, 1)
    axes[0, 0].set_title("layer 1: lead lost when exchanged here")
    dots(axes[1, 0], parts, NAMES, 0)
    axes[1, 0].set_title("layer 2: lead read from here")
    axes[1, 0].set(xlabel="share of the lead", xlim=(-0.45, 1.35))
    return figure


def draw_cuts(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=2.8)
    lost = np.concatenate([m["lost_without"] for m in runs])
    # heads have no names: within a layer, the more needed one first
    ordered = np.concatenate([-np.sort(-lost[:, :2]), -np.sort(-lost[:, 2:])], 1)
    ways = np.concatenate([m["ways"] for m in runs])
    names = (
        "layer 1, more needed",
        "layer 1, the other",
        "layer 2, more needed",
        "layer 2, the other",
        "queries exchanged",
        "keys exchanged",
        "values exchanged",
    )
    dots(axes[0, 0], np.concatenate([ordered, ways], 1), names, 2)
    axes[0, 0].set(xlabel="share of the lead that is lost", xlim=(-0.25, 1.35))
    return figure


def count(runs: list[Measurements]) -> Figure:
    """How many networks have each signature, stacked by seed; above, on how many seeds
    all four have the commonest, with an exact interval. Networks of a seed share their
    first weights or their data, so seeds are what is counted."""
    found = [[signature(m, net) for net in NETWORKS] for m in runs]
    of_kind = Counter(kind for seed in found for kind in seed).most_common()
    figure, axes = style.panels(1, height=1.1 + 0.6 * len(of_kind))
    ax = axes[0, 0]
    for row, (kind, _) in enumerate(of_kind):
        left = 0
        for number, seed in enumerate(found):
            n = seed.count(kind)
            fill: Any = {"color": style.colour(number), "alpha": 0.45, "height": 0.6}
            ax.barh(row, n, left=left, label=f"_seed {number}", **fill)
            if n:
                place: Any = {"ha": "center", "va": "center", "fontsize": 9}
                ax.text(left + n / 2, row, f"{number}", **place)
            left += n
    names = [kind.replace(", ", ",\n") for kind, _ in of_kind]
    ax.set_yticks(range(len(of_kind)), names, fontsize=9)
    ax.invert_yaxis()
    kind, n = of_kind[0]
    whole = [set(seed) == {kind} for seed in found]
    low, high = interval(sum(whole), len(whole))
    ax.set_title(
        f"{n} of {4 * len(runs)} networks; all four on {sum(whole)} of {len(whole)} seeds\n"
        f"(95 % interval of that share: {low:.2f} to {high:.2f})"
    )
    ax.set(xlabel="networks, with the number of their seed", xlim=(0, 4 * len(runs)))
    ax.set_xticks(range(0, 4 * len(runs) + 1, 4))
    return figure


def interval(k: int, n: int) -> tuple[float, float]:
    """The exact (Clopper-Pearson) 95 % interval of a share, k of n seen."""
    low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return low, high

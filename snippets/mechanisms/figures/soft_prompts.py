"""The figures of mechanisms/soft_prompts."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements

NAMES = {"text": "words", "soft": "prompt tuning", "prefix": "prefix tuning"}
PANELS = (
    ("known", "held_out", "a rule it knows: held-out things"),
    ("parity", "given", "a rule it never met: the given things"),
    ("parity", "held_out", "a rule it never met: held-out things"),
)


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(3, height=2.0, sharex=True)
    for ax, (kind, part, title) in zip(axes[:, 0], PANELS):
        draw_panel(ax, runs, kind, part)
        ax.set_title(title)
    axes[-1, 0].set_xlabel("words or soft tokens in front, $m$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=3)
    return {"accuracy": figure}


def draw_panel(ax: Axes, runs: list[Measurements], kind: str, part: str) -> None:
    """Accuracy against m, from nothing in front; all weights tuned, at the right."""
    sizes = runs[0]["size"]
    x = np.arange(len(sizes) + 1)
    for index, (way, name) in enumerate(NAMES.items()):
        curves = [
            np.r_[m[f"{kind}_nothing_{part}"], m[f"{kind}_{way}_{part}"]] for m in runs
        ]
        style.seeds_and_median(
            ax, x, curves, index, name, linestyle="--" if way == "text" else "-"
        )
    last = x[-1] + 1
    full = [float(m[f"{kind}_full_{part}"]) for m in runs]
    ax.plot([last] * len(full), full, "o", color=style.colour(3), markersize=4)
    ax.plot(last, np.median(full), "_", color=style.colour(3), markersize=16)
    style.level(ax, 0.5, "a coin", x=0.945)
    ax.set(ylim=(0.1, 1.05), ylabel="share right")
    ax.set_xticks([*x, last], ["none", *(str(size) for size in sizes), "all\nweights"])

"""How the book's figures look: one style, two themes, colours that colour-blind readers can tell apart.

A figure is drawn 5.2 inches wide with 10-point text, so that it reads on a phone; panels stand below each other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 5.2  # inches

# Okabe and Ito's palette, with its black and yellow replaced by what shows on either background.
COLOURS = {
    "light": [
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#b4568f",
        "#996f00",
        "#2a8fc4",
        "#555555",
    ],
    "dark": [
        "#56b4e9",
        "#ff9248",
        "#2fc99b",
        "#e58fc2",
        "#f0e442",
        "#9ad0f0",
        "#b8b8b8",
    ],
}
INK = {"light": "#1f2328", "dark": "#e3e6ea"}
FAINT = {"light": "#d0d5db", "dark": "#444b55"}


@contextmanager
def use(theme: str) -> Iterator[None]:
    """Draw in this theme ('light' or 'dark') within the block. Backgrounds stay transparent: the page shows through."""
    ink, faint = INK[theme], FAINT[theme]
    settings: Any = {
        "figure.figsize": (WIDTH, 3.1),
        "figure.constrained_layout.use": True,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.prop_cycle": cycler(color=COLOURS[theme]),
        "axes.edgecolor": ink,
        "axes.labelcolor": ink,
        "axes.titlecolor": ink,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": faint,
        "grid.linewidth": 0.5,
        "grid.alpha": 0.6,
        "text.color": ink,
        "xtick.color": ink,
        "ytick.color": ink,
        "font.size": 10,
        "font.family": "DejaVu Sans",  # ships with matplotlib: the same everywhere
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.8,
        "image.cmap": "viridis",
        "svg.fonttype": "path",
        "svg.hashsalt": "in context",  # the same drawing gives the same file
        "savefig.dpi": 200,
    }
    with plt.rc_context(settings):
        yield


def colour(index: int) -> str:
    """Colour number `index` of the theme in use."""
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return colours[index % len(colours)]


def ink() -> str:
    """The colour of text in the theme in use."""
    return plt.rcParams["text.color"]


def panels(
    rows: int, columns: int = 1, *, height: float = 2.4, **options
) -> tuple[Figure, np.ndarray]:
    """A figure of the book's width with rows of that height in inches, and its axes as a 2-D array."""
    return plt.subplots(
        rows, columns, figsize=(WIDTH, height * rows), squeeze=False, **options
    )


def seeds_and_median(
    ax: Axes, x: np.ndarray, ys: Sequence[np.ndarray], index: int, label: str, **line
) -> None:
    """Every seed as a thin line, and their median as a thick one."""
    for number, y in enumerate(ys):
        ax.plot(
            x,
            y,
            color=colour(index),
            linewidth=0.7,
            alpha=0.45,
            label=f"_{label}, seed {number}",
        )
    ax.plot(
        x, np.median(np.stack(list(ys)), 0), color=colour(index), label=label, **line
    )


def level(
    ax: Axes, y: float, text: str, *, x: float = 0.99, below: bool = False
) -> None:
    """A dotted horizontal line with its name on it: chance, or what theory says. The name ends at `x`, 0 to 1."""
    ax.axhline(y, color=ink(), linewidth=0.9, linestyle=":", label=f"_{text}")
    ax.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, -3 if below else 2),
        textcoords="offset points",
        ha="right",
        va="top" if below else "bottom",
        fontsize=8.5,
    )


def beside(ax: Axes, y: float, text: str, *, shift: float = 0) -> None:
    """A dotted line with its name to the right of the frame, where no curve runs; `shift` points up."""
    ax.axhline(y, color=ink(), linewidth=0.9, linestyle=":", label=f"_{text}")
    ax.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(3, shift),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
    )

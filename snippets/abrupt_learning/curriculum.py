"""Does a network learn to find the answer where every label stands in the context?

A context shows N of L labels. While L > N there is an easier lesson, to answer with a
label that is shown. With L = N that lesson is empty. A grid of N and L, under SGD; and
N = 4 again under Adam.

Source: reddy2024, appendix A.5, N of 2, 4 and 8 against L. What differs: items of 32
dimensions instead of 63, no random shift of positions, a classifier 64 wide and without
biases, new classes alone, batches of 64, SGD at 0.3 instead of 0.01 and without decay,
2,500 steps at most. Adam is ours.

Cost: up to 240 core-seconds instead of 120. The cells with L = N have to be watched to
their last step, and are the question.
"""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from snippets.book.contract import Claim, Measurements, Reported
from snippets.book.style import colour, level, panels
from snippets.icl.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)

# --8<-- [start:presets]
PRESETS = {
    "laptop": {  # each cell is trained by itself
        "n2-l2": Training(new_classes(2, 2)),
        "n2-l4": Training(new_classes(2, 4)),
        "n2-l8": Training(new_classes(2, 8)),
        "n4-l4": Training(new_classes(4, 4)),
        "n4-l8": Training(new_classes(4, 8)),
        "n4-l16": Training(new_classes(4, 16)),
        "n8-l8": Training(new_classes(8, 8)),
        "n8-l16": Training(new_classes(8, 16)),
        "n8-l32": Training(new_classes(8, 32)),
        "n4-l4-adam": Training(new_classes(4, 4), "adam", 0.003),
        "n4-l16-adam": Training(new_classes(4, 16), "adam", 0.003),
    },
    "paper": {
        "n2-l2": Training(new_classes(2, 2, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n2-l8": Training(new_classes(2, 8, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n4-l4": Training(new_classes(4, 4, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n4-l16": Training(new_classes(4, 16, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n8-l8": Training(new_classes(8, 8, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
        "n8-l32": Training(new_classes(8, 32, 63), "sgd", 0.01, 1.0, 128, 128, 200_000),
    },
}
# --8<-- [end:presets]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    guess = math.log(config.task.n_pairs)  # the loss of guessing among the shown labels
    return {name: values.numpy() for name, values in curves.items()} | {
        "left": first_below(curves, 0.9 * guess),
        "learned": first_below(curves, 0.5 * guess),
    }


# --8<-- [end:run]


PAIRS, RATIOS = (2, 4, 8), (1, 2, 4)


# --8<-- [start:derived]
def learned(m: Measurements, n_pairs: int, n_labels: int, suffix: str = "") -> float:
    return float(m[f"n{n_pairs}-l{n_labels}{suffix}"]["learned"])


def share_of_wait(m: Measurements, n_pairs: int) -> float:
    """When L = 4 N has learned, in units of when L = N has; infinity if it never is."""
    more, equal = learned(m, n_pairs, 4 * n_pairs), learned(m, n_pairs, n_pairs)
    return more / equal if math.isfinite(more) else math.inf


def off_the_guess(m: Measurements, cell: str) -> float:
    """How far the loss at the end of a cell is from ln N, in nats."""
    n_pairs = int(cell[1])
    return abs(float(np.median(m[cell]["loss"][-10:])) - math.log(n_pairs))


def times_as_long(m: Measurements, cell: str, other: str) -> float:
    """When a cell gets away, in units of when the other does; 0 if that never does."""
    left = float(m[other]["left"])
    return float(m[cell]["left"]) / left if math.isfinite(left) else 0.0


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="eight-of-eight",
        says=(
            "With L = N = 8 SGD has not learned by step 2,500: the loss is within 0.05 "
            "nats of ln 8."
        ),
        value=lambda m: off_the_guess(m, "n8-l8"),
        holds=lambda v: v < 0.05,
        unit="nats from ln N",
        reported=Reported(
            "reddy2024",
            "appendix A.5",
            "learning succeeds with L > N and fails with L = N",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="eight-of-more",
        says="With N = 8 and four times as many labels it has.",
        value=lambda m: learned(m, 8, 32),
        holds=lambda v: v < 2500,
        unit="steps",
        digits=4,
        reported=Reported(
            "reddy2024",
            "appendix A.5",
            "learning succeeds with L > N and fails with L = N",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="two-of-two",
        says="With L = N = 2 SGD learns by step 2,500, without an easier lesson.",
        value=lambda m: learned(m, 2, 2),
        holds=lambda v: v < 2500,
        unit="steps",
        digits=4,
        reported=Reported(
            "reddy2024",
            "appendix A.5",
            "learning succeeds with L > N and fails with L = N",
            "not reproduced",
        ),
    ),
    Claim(
        id="awake",
        says=(
            "The network with L = N = 8 has not fallen silent: its logits still depend "
            "on its input."
        ),
        value=lambda m: float(np.median(m["n8-l8"]["logit_spread"][-10:])),
        holds=lambda v: v > 0.002,
        unit="nats of spread",
    ),
    Claim(
        id="more-first",
        says=(
            "With N = 4 and with N = 8, four times as many labels are learned in less "
            "than three quarters of the time that L = N takes; 0: L = N never is."
        ),
        value=lambda m: max(share_of_wait(m, n) for n in (4, 8)),
        holds=lambda v: v < 0.75,
        unit="of the time",
    ),
    Claim(
        id="adam-leaves",
        says="With L = N = 4 Adam gets away from ln 4 by step 2,000.",
        value=lambda m: float(m["n4-l4-adam"]["left"]),
        holds=lambda v: v < 2000,
        unit="steps",
        digits=4,
    ),
    Claim(
        id="adam-first",
        says=(
            "SGD takes more than 1.5 times as long as Adam, or has not got away by "
            "step 2,500."
        ),
        value=lambda m: times_as_long(m, "n4-l4", "n4-l4-adam"),
        holds=lambda v: v > 1.5,
        unit="times as long",
    ),
]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "curves": draw_curves(runs),
        "grid": draw_grid(runs),
        "adam": draw_adam(runs),
    }


def curves_of(
    ax: Axes, runs: list[Measurements], cell: str, index: int, name: str
) -> None:
    """The loss of each seed: a cell stops at different steps, so there is no median."""
    for number, m in enumerate(runs):
        label = name if not number else f"_{name}, seed {number}"
        x, y = m[cell]["step"], m[cell]["loss"]
        ax.plot(x, y, color=colour(index), linewidth=1.1, alpha=0.8, label=label)


def draw_curves(runs: list[Measurements]) -> Figure:
    fig, axes = panels(3, height=1.9, sharex=True)
    for ax, n in zip(axes[:, 0], PAIRS):
        curves_of(ax, runs, f"n{n}-l{4 * n}", 0, f"L = {4 * n}")
        curves_of(ax, runs, f"n{n}-l{n}", 1, f"L = N = {n}")
        level(ax, math.log(n), "ln N")
        ax.set(ylabel="loss (nats)", ylim=(0, None))
        ax.set_title(f"N = {n}")
        ax.legend(loc="upper right" if n < 8 else "lower left")
    axes[-1, 0].set(xlabel="training step", xlim=(0, 2500))
    return fig


def draw_grid(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.0)
    ax = axes[0, 0]
    steps = np.array(
        [[[learned(m, n, n * r) for r in RATIOS] for n in PAIRS] for m in runs]
    )
    last = PRESETS["laptop"]["n8-l8"].n_steps
    shown: ndarray = np.median(np.minimum(steps, last), 0)
    ax.imshow(shown, cmap="viridis_r", vmin=0, vmax=last, aspect="auto")
    for row in range(len(PAIRS)):
        for column in range(len(RATIOS)):
            values = steps[:, row, column]
            count = int(np.isfinite(values).sum())
            middle = np.median(values)
            text = f"{middle:,.0f}" if np.isfinite(middle) else f"not by {last:,}"
            dark = shown[row, column] > last / 2
            ax.text(
                column,
                row,
                f"{text}\n{count} of {len(runs)}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=9,
            )
    ax.set_xticks(range(len(RATIOS)), ["L = N", "L = 2N", "L = 4N"])
    ax.set_yticks(range(len(PAIRS)), [f"N = {n}" for n in PAIRS])
    ax.grid(False)
    return fig


def draw_adam(runs: list[Measurements]) -> Figure:
    fig, axes = panels(2, height=2.1, sharex=True)
    names = (("", "SGD"), ("-adam", "Adam"))
    for ax, n_labels in zip(axes[:, 0], (4, 16)):
        for index, (suffix, name) in enumerate(names):
            curves_of(ax, runs, f"n4-l{n_labels}{suffix}", 2 * index, name)
        level(ax, math.log(4), "ln N")
        ax.set_title("L = N = 4" if n_labels == 4 else "N = 4, L = 16")
        ax.set(ylabel="loss (nats)", ylim=(0, None))
        ax.legend(loc="lower right" if n_labels == 4 else "upper right")
    axes[-1, 0].set(xlabel="training step", xlim=(0, 2500))
    axes[0, 0].set(ylim=(0, 1.7))
    return fig

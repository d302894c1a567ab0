"""How much of the wait at a saddle is decided by the values that training begins with?

Chapter 19's network with N = L = 2, where SGD does get away: the matrices of its two
attention layers are multiplied by a factor before the first step, and nothing else.

Source: reddy2024, appendix A.4, for L = N as a saddle. The experiment is ours.
"""

import math

import numpy as np
from matplotlib.figure import Figure

from snippets.book.contract import Claim, Measurements
from snippets.book.style import colour, level, panels
from snippets.icl.to_the_jump import (
    Training,
    first_below,
    new_classes,
    train_to_the_jump,
)

# --8<-- [start:presets]
PRESETS = {
    "laptop": {
        "x05": Training(new_classes(2, 2), scale=0.5),
        "x07": Training(new_classes(2, 2), scale=0.7),
        "x10": Training(new_classes(2, 2), scale=1.0),
        "x14": Training(new_classes(2, 2), scale=1.4),
        "x20": Training(new_classes(2, 2), scale=2.0),
    },
}
# --8<-- [end:presets]

SCALES = {"x05": 0.5, "x07": 0.7, "x10": 1.0, "x14": 1.4, "x20": 2.0}


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    curves = train_to_the_jump(config, seed)
    return {name: values.numpy() for name, values in curves.items()} | {
        "left": first_below(curves, 0.9 * math.log(config.task.n_pairs)),
    }


# --8<-- [end:run]


# --8<-- [start:derived]
def left(m: Measurements, cell: str) -> float:
    """The step at which the loss is a tenth under ln N, or infinity."""
    return float(m[cell]["left"])


def share_of_wait(m: Measurements, cell: str) -> float:
    """The wait of a cell in units of the wait with unscaled matrices."""
    return left(m, cell) / left(m, "x10") if math.isfinite(left(m, "x10")) else math.inf


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="unscaled",
        says="With the matrices as they are drawn SGD gets away by step 2,500.",
        value=lambda m: left(m, "x10"),
        holds=lambda v: v < 2500,
        unit="steps",
        digits=4,
    ),
    Claim(
        id="larger",
        says="Made 1.4 times larger, they take less than four fifths of that time.",
        value=lambda m: share_of_wait(m, "x14"),
        holds=lambda v: v < 0.8,
        unit="of the time",
    ),
    Claim(
        id="twice",
        says="Made twice as large, they take less than four fifths of it too.",
        value=lambda m: share_of_wait(m, "x20"),
        holds=lambda v: v < 0.8,
        unit="of the time",
    ),
    Claim(
        id="half",
        says="Made half as large, they have not got away by step 2,500.",
        value=lambda m: left(m, "x05"),
        holds=lambda v: v > 2500,
        unit="steps",
    ),
    Claim(
        id="half-at-guess",
        says="The loss is then within 0.03 nats of ln 2.",
        value=lambda m: abs(float(np.median(m["x05"]["loss"][-10:])) - math.log(2)),
        holds=lambda v: v < 0.03,
        unit="nats from ln 2",
    ),
]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    fig, axes = panels(1, height=2.8)
    ax, never = axes[0, 0], PRESETS["laptop"]["x10"].n_steps
    scales = list(SCALES.values())
    for number, m in enumerate(runs):
        steps = np.array([left(m, cell) for cell in SCALES])
        steps = np.where(np.isfinite(steps), steps, never * 1.25)  # above the line
        label = "one seed" if not number else f"_seed {number}"
        dots = {"color": colour(0), "linewidth": 0.7, "alpha": 0.7}
        ax.plot(scales, steps, "o-", markersize=5, label=label, **dots)
    level(ax, never, "above: not away by the last step", below=True)
    ax.set(xscale="log", yscale="log", ylim=(150, 5000))
    ax.set_xticks(scales, [f"{scale:g}" for scale in scales])
    ax.set_yticks([200, 500, 1000, 2500], ["200", "500", "1,000", "2,500"])
    ax.minorticks_off()
    ax.set(xlabel="factor on the attention matrices at the start")
    ax.set(ylabel="steps until it gets away")
    return {"scale": fig}

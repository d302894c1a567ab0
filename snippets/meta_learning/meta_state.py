"""What limits a learner in context: what it can hold, or how many parameters it has?

Source: kirsch2022, section 4.2, which compares LSTMs and transformers of many sizes by
the size of their state. Here: one kind of network in two widths, its sight cut to a
window of tokens, in training too, so that state and parameters vary separately.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.context_classifier import Shape
from snippets.icl.meta_training import Training, accuracy, meta_train
from snippets.icl.projected_tasks import (
    digits,
    nearest_neighbour,
    new_tasks,
    sequences,
)


# --8<-- [start:cells]
@dataclass(frozen=True)
class Config:
    d_model: int
    window: int  # tokens that a token sees in each layer, itself included
    n_heads: int = 2  # with one a narrow network often stays half-learned
    training: Training = field(default_factory=lambda: Training(n_steps=600))
    classes: tuple[int, ...] = (0, 1, 2, 3, 4)
    n_test: int = 512  # sequences
    late: int = 4  # positions, at the end, that count as late


PRESETS = {
    "laptop": {
        "narrow-6": Config(32, window=6),
        "narrow-12": Config(32, window=12),
        "narrow-24": Config(32, window=24),
        "wide-6": Config(64, window=6),
        "wide-12": Config(64, window=12),
        "wide-24": Config(64, window=24),
    },
}
# --8<-- [end:cells]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    how, shape = config.training, Shape(config.d_model, n_heads=config.n_heads)
    data = digits(config.classes, (), generator)
    tasks = new_tasks(
        config.n_test, data["held out"], how.n_dims, how.n_labels, generator
    )
    unseen = sequences(data["held out"], tasks, how.length, generator)
    network = meta_train(shape, how, data["train"], None, generator, config.window)

    late = slice(-config.late, None)
    return {
        "accuracy": accuracy(network, unseen, config.window)[late].mean().item(),
        # the nearest of as many earlier points as there are tokens in sight
        "neighbour": nearest_neighbour(unseen, config.window)[late].mean().item(),
        "n_parameters": sum(p.numel() for p in network.parameters()),
        # keys and values of the tokens in sight, in each layer
        "state": 2 * shape.n_layers * shape.d_model * config.window,
    }


# --8<-- [end:run]


# --8<-- [start:derived]
def ahead(m: Measurements, one: str, other: str) -> float:
    """By how much one network ends above another."""
    return float(m[one]["accuracy"] - m[other]["accuracy"])


def farthest_from_neighbour(m: Measurements) -> float:
    """The largest difference between a network and the nearest neighbour that looks at
    as many last examples as the network has tokens in sight."""
    return max(abs(float(c["accuracy"] - c["neighbour"])) for c in m.values())


# --8<-- [end:derived]

CLAIMS = [
    Claim(
        id="memory",
        says="With the same parameters, 24 tokens in sight end above 6 by over 0.15.",
        value=lambda m: ahead(m, "wide-24", "wide-6"),
        holds=lambda v: v > 0.15,
    ),
    Claim(
        id="parameters",
        says="With 6 tokens in sight the wide network ends within 0.08 of the narrow.",
        value=lambda m: ahead(m, "wide-6", "narrow-6"),
        holds=lambda v: abs(v) < 0.08,
    ),
    Claim(
        id="memory-or-parameters",
        says="The narrow network with 24 in sight beats the wide with 6 by over 0.1.",
        value=lambda m: ahead(m, "narrow-24", "wide-6"),
        holds=lambda v: v > 0.1,
        reported=Reported(
            "kirsch2022",
            "section 4.2",
            "accuracy follows the size of the state, not the number of parameters",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="same-state",
        says="With a state of one size the narrow network, seeing more, leads by 0.05.",
        value=lambda m: ahead(m, "narrow-12", "wide-6"),
        holds=lambda v: v > 0.05,
    ),
    Claim(
        id="in-sight",
        says="Each ends within 0.1 of the nearest among as many last examples.",
        value=farthest_from_neighbour,
        holds=lambda v: v < 0.1,
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {"state": draw_state(runs)}


# --8<-- [end:draw]

WIDTHS, WINDOWS = ("narrow", "wide"), (6, 12, 24)


def draw_state(runs: list[Measurements]) -> Figure:
    """The same accuracies against the size of the state and against the parameters."""
    figure, axes = style.panels(2, height=2.6, sharey=True)
    top, bottom = axes[:, 0]
    for index, width in enumerate(WIDTHS):
        cells = [f"{width}-{window}" for window in WINDOWS]
        x = np.array([runs[0][cell]["state"] for cell in cells])
        ys = [np.array([m[cell]["accuracy"] for cell in cells]) for m in runs]
        style.seeds_and_median(top, x, ys, index, width, marker="o")
    for index, window in enumerate(WINDOWS, start=2):
        cells = [f"{width}-{window}" for width in WIDTHS]
        x = np.array([runs[0][cell]["n_parameters"] for cell in cells])
        ys = [np.array([m[cell]["accuracy"] for cell in cells]) for m in runs]
        label = f"{window} tokens in sight"
        style.seeds_and_median(bottom, x, ys, index, label, marker="o")
    named = (
        (top, "state", "numbers in the state"),
        (bottom, "n_parameters", "parameters"),
    )
    for ax, key, name in named:
        ticks = sorted({int(cell[key]) for cell in runs[0].values()})
        ax.set(xscale="log", xlabel=name, ylabel="accuracy, unseen tasks")
        ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
        ax.set_xticks([], minor=True)
        style.level(ax, 1 / 5, "chance", x=0.2)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 0.12))
    top.set_ylim(0.1, 0.85)
    return figure

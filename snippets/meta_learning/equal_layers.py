"""Where does a network end that starts with both layers alike?

Source: minegishi2025, table 1, for the circuit it should end in. Here: the setting of
`phases`, but with the first layer's W_Q and W_K at their usual scale, as in the source.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.label_map_training import Config, train

PRESETS = {"laptop": Config(first_scale=1.0, n_steps=7000)}


def run(config: Config, seed: int) -> Measurements:
    return train(config, seed)


# --8<-- [start:derived]
def at_the_end(m: Measurements, name: str) -> float:
    return float(m[name][-5:].mean())


def second_reads(m: Measurements) -> float:
    """What layer 2 gives to labels at the end, where layer 1 looks at the query itself
    with more than half of its attention; infinity where it does not."""
    return at_the_end(m, "label_2") if at_the_end(m, "bigram_1") > 0.5 else np.inf


def first_reads(m: Measurements) -> float:
    """What layer 1 gives to labels at the end, where layer 2 gives them less than half;
    infinity where it does not."""
    return at_the_end(m, "label_1") if at_the_end(m, "label_2") < 0.5 else np.inf


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="end",
        says="At the end more than 80 answers in 100 are right.",
        value=lambda m: at_the_end(m, "accuracy"),
        holds=lambda v: v > 0.8,
        digits=3,
    ),
    Claim(
        id="second-reads",
        says=(
            "Where layer 1 ends with more than half of its attention on the query, "
            "layer 2 gives labels more than half."
        ),
        value=second_reads,
        holds=lambda v: v > 0.5,
        reported=Reported(
            "minegishi2025",
            "table 1",
            "label attention in layer 2",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="first-reads",
        says=(
            "Where layer 2 ends with less than half of its attention on labels, layer 1"
            " gives them more than 0.4."
        ),
        value=first_reads,
        holds=lambda v: v > 0.4,
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    """Where the query looks at the end, seed by seed."""
    figure, axes = style.panels(1, 2, height=2.4, sharey=True)
    for layer, ax in enumerate(axes[0], start=1):
        draw_bars(ax, runs, layer)
        ax.set(title=f"layer {layer}", xlim=(0, 1), xlabel="attention")
    axes[0, 0].set_yticks(range(len(runs)), [f"seed {s}" for s in range(len(runs))])
    axes[0, 0].invert_yaxis()
    figure.legend(
        *axes[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=3
    )
    return {"endings": figure}


# --8<-- [end:draw]


def draw_bars(ax: Axes, runs: list[Measurements], layer: int) -> None:
    seeds, left = np.arange(len(runs)), np.zeros(len(runs))
    for index, name, label in ((0, "bigram", "itself"), (1, "label", "labels")):
        part = np.array([at_the_end(m, f"{name}_{layer}") for m in runs])
        ax.barh(seeds, part, left=left, color=style.colour(index), label=label)
        left += part
    ax.barh(seeds, 1 - left, left=left, color=style.colour(6), label="items", alpha=0.5)

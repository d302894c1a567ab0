"""Between weights and context: is the switch a step, and is it at the same place for all?

`data` trained with 192 and with 512 classes, and nothing in between. Here are the numbers
of classes in between, at B = 1, and on each seed the two clocks again: memory alone
(B = 0) and context alone (classes that hardly come back). One cell stands twice, with the
same first weights, classes and labels, and other prompts.

Source: reddy2024, figure 2a, has K = 128 to 2,048 in steps of two; the question what
happens between two of them is ours. Settings are those of `data`: N = 4 pairs, L = 16
labels and D = 16 dimensions, Adam for 1,000 steps.
"""

from dataclasses import dataclass, field

import numpy as np

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.tasks.item_label_data import Data
from snippets.icl.theory.crossings import crossing
from snippets.icl.training.side_by_side import Training, side_by_side

AGAIN = 384  # the number of classes that is trained with twice


@dataclass(frozen=True)
class Config:
    class_counts: tuple[int, ...] = (128, 192, 256, 320, AGAIN, 448, 512)  # K, B = 1
    alone: tuple[int, ...] = (256, 512, 1024)  # K of memory alone, B = 0
    endless: int = 16_384  # classes of context alone
    training: Training = field(default_factory=lambda: Training(n_steps=1000))


PRESETS = {"laptop": Config()}


# --8<-- [start:cells]
def cells(config: Config) -> dict[str, Data]:
    """The kinds of data, by name. All else is the same on a seed."""
    return (
        {f"k{K}": Data(n_classes=K) for K in config.class_counts}
        | {"again": Data(n_classes=AGAIN)}  # other prompts
        | {f"alone{K}": Data(n_classes=K, copies=0) for K in config.alone}
        | {"endless": Data(n_classes=config.endless)}
    )


def run(config: Config, seed: int) -> Measurements:
    return side_by_side(list(cells(config).values()), config.training, seed)


# --8<-- [end:cells]

NAMES = list(cells(PRESETS["laptop"]))  # the order of the measured cells
COUNTS, ALONE = PRESETS["laptop"].class_counts, PRESETS["laptop"].alone


def ends(m: Measurements, what: str) -> np.ndarray:
    """What the networks of B = 1 do at the end, one for each of COUNTS."""
    return np.asarray(m[f"end_{what}"][: len(COUNTS)], float)


def leads(m: Measurements) -> np.ndarray:
    """How much more often the context is read than memory is right."""
    return ends(m, "context") - ends(m, "memory")


# --8<-- [start:switch]
def switch(m: Measurements) -> float:
    """K at which context and memory are right equally often, between neighbours."""
    return crossing(COUNTS, leads(m).tolist())


def clock(m: Measurements, cell: str, what: str) -> float:
    """The first step with at least half of the answers right, or infinity."""
    there = m["step"][m[what][:, NAMES.index(cell)] >= 0.5]
    return float(there[0]) if len(there) else np.inf


def expected(m: Measurements) -> float:
    """K at which memory alone takes as long as context alone."""
    context = clock(m, "endless", "context")
    ratio = [clock(m, f"alone{K}", "memory") / context for K in ALONE]
    return crossing(ALONE, np.log(ratio).tolist())


# --8<-- [end:switch]


def both(m: Measurements) -> float:
    """The smaller of the two accuracies, in the network that has most of it."""
    return float(np.minimum(ends(m, "context"), ends(m, "memory")).max())


def whole(m: Measurements) -> float:
    """The least sum of the two accuracies over the numbers of classes."""
    return float((ends(m, "context") + ends(m, "memory")).min())


def stride(m: Measurements) -> float:
    """The share of the whole change of lead that falls between two neighbours, at most."""
    lead = leads(m)
    return float(np.diff(lead).max() / (lead[-1] - lead[0]))


def apart(m: Measurements) -> float:
    """How far the leads of two networks are apart that differ in prompts alone."""
    lead = m["end_context"] - m["end_memory"]
    return float(abs(lead[NAMES.index(f"k{AGAIN}")] - lead[NAMES.index("again")]))


def width(m: Measurements) -> float:
    """How many times as many classes it takes from a lead of memory by a half to a lead
    of the context by a half."""
    lead = leads(m)
    ahead, behind = (crossing(COUNTS, (lead + by).tolist()) for by in (-0.5, 0.5))
    return ahead / behind


# fmt: off
CLAIMS = [
    Claim("switch", switch, between(130, 512), "classes",
          "With B = 1 context and memory are right equally often at a number of classes between 130 and 512."),
    Claim("width", width, between(1.02, 2.3), "times as many classes",
          "From a lead of memory by a half to one of the context by a half takes less than 2.3 times as many classes."),
    Claim("stride", stride, above(0.28), "of the change",
          "Between two neighbours of the seven numbers of classes more than 0.28 of the whole change of lead happens; "
          "evenly it would be a sixth."),
    Claim("not-both", both, below(0.5), "",
          "None of the networks in between comes to a half from context and to a half from memory."),
    Claim("whole", whole, above(0.6), "",
          "The two accuracies together are above 0.6 in all of them: where the one is low, the other is not."),
    Claim("prompts", apart, below(1.0), "",
          "Two networks of 384 classes that differ in their prompts alone have leads less than 1 apart."),
    Claim("late", lambda m: expected(m) / switch(m), above(1.2), "times as many",
          "The two clocks, read apart on the same seed, expect the switch at more than 1.2 times as many classes."),
]
# fmt: on

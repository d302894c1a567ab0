"""Weights or context: what in the data decides which of them a network learns from?

Networks that differ in their data alone: the number of classes K, how often a class
stands in a context (burstiness B), and how much its items vary (epsilon). Each is asked
for labels that only the context tells, and for labels that only memory can tell. Two
clocks are read apart: memory alone (B = 0, where the context seldom helps), and context
alone (so many classes that none comes back).

Source: reddy2024, figure 2a (classes and burstiness) and 2b (variance within a class),
which follows chan2022. What differs: N = 4 pairs, L = 16 labels and D = 16 dimensions
instead of 8, 32 and 63, Adam for 1,000 steps in place of SGD for 150,000, contexts that
do not move, no biases; the centre is K = 192 instead of 1,024.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.tasks.item_label_data import Data
from snippets.icl.training.side_by_side import Training, side_by_side


@dataclass(frozen=True)
class Config:
    centre: Data = field(default_factory=lambda: Data(n_classes=192))
    class_counts: tuple[int, ...] = (64, 128, 192, 512, 1024)  # K
    copies: tuple[int, ...] = (0, 1, 2)  # B
    noises: tuple[float, ...] = (0.3, 0.6, 1.0)  # epsilon, around the centre
    endless: int = 16_384  # classes: so many that hardly one comes back
    training: Training = field(default_factory=lambda: Training(n_steps=1000))


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        Data(n_classes=1024, n_pairs=8, n_labels=32, d_item=63),
        class_counts=(128, 256, 512, 1024, 2048),
        copies=(0, 1, 2, 4),
        noises=(0.3, 0.5, 0.75),
        endless=65_536,
        training=Training(
            n_steps=150_000,
            optimizer="sgd",
            learning_rate=0.01,
            batch=128,
            width=128,
            look_every=1000,
        ),
    ),
}


# --8<-- [start:cells]
def cells(config: Config) -> dict[str, Data]:
    """The kinds of data, by name. All else is the same: first weights, sequences."""
    named = {}
    for K in config.class_counts:
        for B in config.copies:
            named[f"k{K}_b{B}"] = replace(config.centre, n_classes=K, copies=B)
    for noise in config.noises:
        named[f"noise{noise}"] = replace(config.centre, noise=noise)
    named["endless"] = replace(config.centre, n_classes=config.endless)
    return named


def run(config: Config, seed: int) -> Measurements:
    return side_by_side(list(cells(config).values()), config.training, seed)


# --8<-- [end:cells]

NAMES = list(cells(PRESETS["laptop"]))  # the order of the measured cells
COUNTS = PRESETS["laptop"].class_counts


def end(m: Measurements, cell: str, what: str) -> float:
    """What one network does at the end."""
    return float(m[f"end_{what}"][NAMES.index(cell)])


def over(m: Measurements, what: str, cell: str, other: str) -> float:
    return end(m, cell, what) - end(m, other, what)


def lead(m: Measurements, cell: str) -> float:
    """How much more often the context is read than memory is right."""
    return end(m, cell, "context") - end(m, cell, "memory")


# --8<-- [start:clocks]
def clock(m: Measurements, cell: str, what: str) -> float:
    """The first step with at least half of the answers right, or infinity."""
    there = m["step"][m[what][:, NAMES.index(cell)] >= 0.5]
    return float(there[0]) if len(there) else np.inf


def crossing(heights: list[float]) -> float:
    """The K at which heights, one for each of COUNTS, first pass zero: on a straight
    line over log K between the two neighbours. Infinity where they never do."""
    if heights[0] >= 0:
        return float(COUNTS[0])
    for place in range(1, len(heights)):
        low, high = heights[place - 1], heights[place]
        if low < 0 <= high:
            part = -low / (high - low)
            K = COUNTS[place - 1], COUNTS[place]
            return float(K[0] * (K[1] / K[0]) ** part)
    return np.inf


def switch_measured(m: Measurements) -> float:
    """K at which context and memory are right equally often, B = 1."""
    return crossing([lead(m, f"k{K}_b1") for K in COUNTS])


def switch_expected(m: Measurements) -> float:
    """K at which memory alone takes as long as context alone."""
    context = clock(m, "endless", "context")
    return crossing(
        [float(np.log(clock(m, f"k{K}_b0", "memory") / context)) for K in COUNTS]
    )


# --8<-- [end:clocks]


def never_bursty(m: Measurements) -> float:
    """The best reading of any network whose contexts were drawn without burstiness."""
    return max(end(m, f"k{K}_b0", "context") for K in COUNTS)


def asked(m: Measurements, K: int) -> float:
    """How often each class has been asked for when memory alone knows half of them."""
    batch = PRESETS["laptop"].training.batch
    return clock(m, f"k{K}_b0", "memory") * batch / K


def slowed(m: Measurements) -> float:
    """The clock of memory where the context holds the answer too, over that without."""
    both, alone = (clock(m, f"k192_b{B}", "memory") for B in (1, 0))
    return both / alone


def same_clock(m: Measurements) -> float:
    """The clock of the context with 1,024 classes, over that where none comes back."""
    return clock(m, "k1024_b1", "context") / clock(m, "endless", "context")


def first_lesson(m: Measurements) -> float:
    """How many guesses name a shown label when half of the answers are still wrong."""
    i = NAMES.index("k1024_b1")
    return float(m["names_a_shown_label"][m["context"][:, i] < 0.5, i][-1])


def tips(m: Measurements, to: str) -> float:
    """By how much the lead of the context grows from the centre to another cell."""
    return lead(m, to) - lead(m, "k192_b1")


def better(m: Measurements, cell: str) -> float:
    """The larger of the two accuracies: under a half the network is undecided."""
    return max(end(m, cell, "context"), end(m, cell, "memory"))


def tests_apart(m: Measurements) -> float:
    """The largest gap between our test of memory, the class absent from the context, and
    the source's, the context drawn by chance."""
    cells = [f"k{K}_b1" for K in COUNTS]
    return max(abs(end(m, c, "memory_iid") - end(m, c, "memory")) for c in cells)


def own_item(m: Measurements, cell: str) -> float:
    """Attention of the first layer from a label to its own item, at the last look."""
    return float(m["label_to_item"][-1, NAMES.index(cell)])


def of(cell: str, what: str) -> Callable[[Measurements], float]:
    return partial(end, cell=cell, what=what)


# fmt: off
CLAIMS = [
    Claim("few-remember", of("k64_b1", "memory"), above(0.9), "",
          "Of 64 classes more than nine labels in ten are known from memory.",
          Reported("reddy2024", "figure 2a", "with few classes the weights answer", SMALLER)),
    Claim("few-do-not-read", of("k64_b1", "context"), below(0.15), "",
          "With 64 classes fewer than 15 in 100 labels of new classes are read from the context.",
          Reported("reddy2024", "figure 2a", "with few classes no in-context learning", SMALLER)),
    Claim("many-read", of("k1024_b1", "context"), above(0.85), "",
          "With 1,024 classes more than 85 in 100 labels of new classes are read from the context.",
          Reported("reddy2024", "figure 2a", "in-context learning rises with the number of classes", SMALLER)),
    Claim("many-forget", of("k1024_b1", "memory"), below(0.15), "",
          "With 1,024 classes fewer than 15 in 100 are known from memory.",
          Reported("reddy2024", "figure 2a", "in-weights learning falls with the number of classes", SMALLER)),
    Claim("follow", of("k1024_b1", "rotated"), above(0.85), "",
          "Shown known classes with the next label each, the network of 1,024 classes follows the context in more than "
          "85 of 100 cases."),
    Claim("deaf", of("k64_b1", "rotated"), below(0.1), "",
          "The network of 64 classes follows such a context in fewer than 10 of 100."),
    Claim("room", of("k1024_b0", "memory"), above(0.7), "",
          "Trained without burstiness, the same network remembers more than seven in ten of 1,024 classes."),
    Claim("switch", switch_measured, between(100, 900), "classes",
          "With B = 1 context and memory are right equally often at between 100 and 900 classes."),
    Claim("burst-tips", partial(tips, to="k192_b2"), above(0.5), "",
          "At 192 classes B = 2 in place of 1 moves the lead of context over memory up by more than 0.5.",
          Reported("reddy2024", "figure 2a", "burstiness raises in-context and lowers in-weights learning", SMALLER)),
    Claim("burst-more", lambda m: over(m, "context", "k192_b2", "k192_b1"), above(0.1), "",
          "Of that, more than 0.1 are labels of new classes that are read.",
          Reported("reddy2024", "figure 2a", "in-context learning rises with burstiness", SMALLER)),
    Claim("iid-never", never_bursty, below(0.15), "",
          "Without burstiness no number of classes makes a network read more than 15 in 100.",
          Reported("reddy2024", "figure 2a", "without burstiness no in-context learning", SMALLER)),
    Claim("vary-tips", partial(tips, to="noise0.6"), above(0.3), "",
          "With items that vary by epsilon = 0.6 in place of 0.1 the lead of the context moves up by more than 0.3.",
          Reported("reddy2024", "figure 2b", "variance within classes favours in-context learning", SMALLER)),
    Claim("vary-more", lambda m: over(m, "context", "noise0.6", "k192_b1"), above(0.02), "",
          "More of the labels of new classes are read, by over 0.02: for the rest it is memory that loses."),
    Claim("vary-less", lambda m: over(m, "memory", "k192_b1", "noise0.6"), above(0.3), "",
          "Memory then knows fewer labels, by more than 0.3."),
    Claim("could-remember", of("noise0.6", "best_memory"), above(0.9), "",
          "The best memoriser would still know more than nine in ten of them."),
    Claim("undecided", partial(better, cell="noise1.0"), below(0.8), "",
          "With epsilon = 1 neither context nor memory comes to eight in ten in these steps."),
    Claim("asked-192", partial(asked, K=192), between(18, 65), "times",
          "Of 192 classes memory alone knows half when each has been asked for between 18 and 65 times.", digits=2),
    Claim("asked-1024", partial(asked, K=1024), between(18, 65), "times",
          "Of 1,024 classes too: between 18 and 65 times each.", digits=2),
    Claim("context-clock", partial(clock, cell="endless", what="context"), between(120, 950), "steps",
          "Where no class comes back half of the labels are read from the context after 120 to 950 steps."),
    Claim("same-clock", same_clock, between(0.5, 2), "times as long",
          "With 1,024 classes the context takes between half and twice as long as where no class comes back."),
    Claim("late", lambda m: switch_expected(m) / switch_measured(m), above(1.2), "times as many",
          "The two clocks, read apart, expect the switch at a larger number of classes than it has."),
    Claim("slowed", slowed, above(1.1), "times as long",
          "At 192 classes memory takes longer to know half where the context holds the answer too."),
    Claim("first-lesson", first_lesson, above(0.7), "of guesses",
          "While fewer than half of the answers are right, more than seven guesses in ten name a shown label."),
    Claim("tests-alike", tests_apart, below(0.08), "",
          "The source's test of memory differs from ours by less than 0.08 for any number of classes (B = 1)."),
    Claim("own-copies", of("k1024_b2", "context_b"), above(0.85), "",
          "Tested with two copies, as it was trained, the network of 1,024 classes reads more than 85 in 100."),
    Claim("circuit", partial(own_item, cell="k1024_b1"), above(0.6), "of its attention",
          "With 1,024 classes a label comes to give more than 0.6 of its attention to its own item.",
          Reported("reddy2024", "figure 4", "attention from label to item rises with in-context learning", SMALLER)),
    Claim("no-circuit", partial(own_item, cell="k64_b1"), below(0.4), "of its attention",
          "With 64 classes it gives less than 0.4; spread evenly it would be 0.26."),
]
# fmt: on

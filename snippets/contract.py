"""What an experiment says about itself: its measurements, its claims, and how each is judged.

An experiment is a plain module: a docstring, PRESETS, `run(config, seed)`, CLAIMS. A claim
takes one number from a seed's measurements and asks a predicate of it:

    Claim("sharp", rise, below(0.2), "of the time before",
          "Accuracy climbs from a quarter to nine tenths in under a fifth of the time before.",
          Reported("reddy2024", "figure 3a", "a slow phase, then an abrupt jump", SMALLER))

A predicate prints itself, so that readers see the threshold beside the sentence.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Measurements = Mapping[
    str, Any
]  # what one seed measured: arrays and numbers by name; in a sweep, by cell

REPRODUCED = "reproduced"  # the same quantity, in the source's own setting
SMALLER = (
    "reproduced at smaller scale"  # the same quantity on the same kind of task, smaller
)
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"  # the run is too short or too small to say; the claim's sentence says what it would take
VERDICTS = (REPRODUCED, SMALLER, NOT_REPRODUCED, INCONCLUSIVE)


@dataclass(frozen=True)
class Predicate:
    """A test of one number that can say what it tests."""

    words: str  # as the ledger prints it, such as "< 0.2"
    test: Callable[[float], bool]

    def __call__(self, value: float) -> bool:
        return bool(self.test(value))

    def __str__(self) -> str:
        return self.words


def below(limit: float) -> Predicate:
    return Predicate(f"< {limit:g}", lambda value: value < limit)


def above(limit: float) -> Predicate:
    return Predicate(f"> {limit:g}", lambda value: value > limit)


def at_most(limit: float) -> Predicate:
    return Predicate(f"≤ {limit:g}", lambda value: value <= limit)


def at_least(limit: float) -> Predicate:
    return Predicate(f"≥ {limit:g}", lambda value: value >= limit)


def between(low: float, high: float) -> Predicate:
    """Strictly between the two."""
    return Predicate(f"between {low:g} and {high:g}", lambda value: low < value < high)


def equals(target: float, tolerance: float = 0.0) -> Predicate:
    """Within `tolerance` of the target, which may be 0 away from it."""
    words = f"= {target:g}" + (f" ± {tolerance:g}" if tolerance else "")
    return Predicate(words, lambda value: abs(value - target) <= tolerance)


is_true = Predicate("true", bool)


@dataclass(frozen=True)
class Reported:
    """The same thing in a paper, and how ours compares."""

    key: str  # in docs/references.bib
    where: str  # figure, table or section; "abstract" where that is all we could read
    what: str  # the number or trend reported there
    verdict: str  # one of VERDICTS


@dataclass(frozen=True)
class Claim:
    """One checkable sentence about one experiment.

    Measured (the rule): judged on every seed; it holds when the predicate is true on at least `quorum` of the seeds to
    which it applies. A claim that applies to no seed fails.
    Exact: an identity or a closed form. It is judged once, on the largest error over all seeds, and is no replication.
    """

    id: str
    value: Callable[[Measurements], float]
    holds: Predicate
    unit: str  # of the value, in words that follow it; "" where it has none
    says: str
    reported: Reported | None = None  # None: no paper reports it, the claim is ours
    quorum: float = 0.8  # share of the seeds: four of five
    digits: int = 2  # significant digits on the page
    applies: Callable[[Measurements], bool] | None = None  # None: to every seed
    exact: bool = False

    def needed(self, n_seeds: int) -> int:
        """How many of `n_seeds` must hold."""
        return n_seeds if self.exact else math.ceil(self.quorum * n_seeds - 1e-9)

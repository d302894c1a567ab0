"""The race of two strategies that share factors: three starts, and races by which a browser checks itself."""

from itertools import product
from typing import Any

import numpy as np

from snippets.icl.streams import streams
from snippets.icl.theory.shared_factors import Start, Toy, drawn, eight, race, strength

SEEDS = (1, 2, 0, 5)  # the first starts of these seeds; in the last nothing is learned
STEPS, EVERY = 12_000, 60


def start_of(seed: int) -> Start:
    targets, vectors = drawn(Toy(), streams(seed, 1)[0])
    return eight(vectors, targets)


def strengths(
    start: Start, mu1: float, alpha: float, n_steps: int, every: int
) -> list[list[float]]:
    """Strength of 1, strength of 2 and the loss, every so many steps."""
    toy, found = Toy(mu1, alpha), []
    for step, (M1, M2, C) in enumerate(race(toy, start, n_steps)):
        if step % every == 0:
            both = (
                strength(np.asarray(M), start, toy, i) for i, M in enumerate((M1, M2))
            )
            loss = (M1 + mu1) * (M2 + toy.mu2) + alpha * C
            found.append([*(float(one) for one in both), float(loss)])
    return found


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    starts = [start_of(seed) for seed in SEEDS]
    told = [
        {"length": s.lengths.tolist(), "p": s.along.tolist(), "q": s.across.tolist()}
        for s in starts
    ]
    reference = [
        {"start": i, "mu1": mu1, "alpha": alpha, "ends": strengths(starts[i], mu1, alpha, 600, 300)}
        for i, (mu1, alpha) in product(range(len(starts)), ((0.1, 0.1), (0.0, 0.3), (0.2, 0.0)))
    ]  # fmt: skip
    return {
        "dimensions": Toy().dimensions,
        "starts": told,
        "seeds": SEEDS,
        "steps": STEPS,
        "every": EVERY,
        "reference": reference,
    }

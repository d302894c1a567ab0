"""Random numbers that are independent of each other: one stream for each purpose.

A network's first weights, its training data, held-out data and tests must not share draws.
Generators that start from the same seed would: the first training keys would be the first
test keys again.
"""

import numpy as np
import torch
from torch import Generator


# --8<-- [start:streams]
def streams(seed: int, n: int) -> list[Generator]:
    """`n` generators, independent of each other and of those of every other seed.

    The first k of `streams(seed, n)` do not depend on n: another stream can be asked for
    without changing what the others draw.
    """
    children = np.random.SeedSequence(seed).spawn(n)
    states = [int(child.generate_state(1, np.uint64)[0]) for child in children]
    return [
        Generator().manual_seed(state >> 1) for state in states
    ]  # torch takes 63 bits


# --8<-- [end:streams]


def as_numpy(stream: Generator) -> np.random.Generator:
    """A numpy generator started by a draw from a stream: for what torch has no sampler
    of."""
    start = torch.randint(2**63 - 1, (1,), generator=stream)
    return np.random.default_rng(int(start))

"""Four dials of the data, and what repeats: inside a prompt, and from prompt to prompt.

Source: the task is that of `item_label_data`; here its exact shares, and prompts drawn by
a small generator that a browser can repeat to the last number.
"""

from collections.abc import Iterator
from typing import Any

from snippets.icl.tasks.item_label_data import (
    Data,
    asked_before,
    frequencies,
    often_asked,
    target_in_context,
)

N, L = 4, 16
ASKED, SEQUENCES = 35, 32_000  # 500 steps of 64
DIALS = [  # K, B, alpha, p_B by which a browser checks itself
    (16, 0, 0.0, 1.0),
    (64, 1, 0.0, 1.0),
    (1024, 1, 1.0, 1.0),
    (1024, 2, 0.5, 0.75),
    (4096, 1, 2.0, 0.0),
]


def uniform(seed: int) -> Iterator[float]:
    """Numbers in [0, 1) from 32-bit arithmetic (mulberry32)."""
    state, whole = seed, 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & whole
        t = ((state ^ (state >> 15)) * (1 | state)) & whole
        t = (((t + (((t ^ (t >> 7)) * (61 | t)) & whole)) & whole) ^ t) & whole
        yield (t ^ (t >> 14)) / 4294967296


def pick(p: list[float], at: float) -> int:
    """The class at which the running sum of p first exceeds `at`."""
    total = 0.0
    for k, share in enumerate(p):
        total += share
        if at < total:
            return k
    return len(p) - 1


def prompt(data: Data, numbers: Iterator[float]) -> tuple[list[int], int]:
    """The classes of a context, and that of the target. Other classes of a bursty one
    are drawn until their labels differ."""
    p = frequencies(data.n_classes, data.exponent).tolist()
    if not (next(numbers) < data.burst_share and data.copies):
        drawn = [pick(p, next(numbers)) for _ in range(data.n_pairs + 1)]
        return drawn[:-1], drawn[-1]
    chosen = [pick(p, next(numbers))]
    while len(chosen) < data.n_pairs // data.copies:
        other = pick(p, next(numbers))
        if other % data.n_labels not in [k % data.n_labels for k in chosen]:
            chosen.append(other)
    context = chosen * data.copies
    for last in range(len(context) - 1, 0, -1):  # shuffled
        other = int(next(numbers) * (last + 1))
        context[last], context[other] = context[other], context[last]
    return context, chosen[0]


def told(data: Data) -> dict[str, float]:
    """The exact shares that the figure prints."""
    return {
        "shown": target_in_context(data),
        "asked": SEQUENCES * asked_before(data.n_classes, data.exponent),
        "known": often_asked(data.n_classes, data.exponent, SEQUENCES, ASKED),
    }


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    return {"N": N, "L": L, "least": ASKED, "sequences": SEQUENCES}

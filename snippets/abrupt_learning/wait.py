"""How does the wait grow with the number of pairs in a prompt?

The network of *The jump*, on new classes alone, with four labels for each pair and one
learning rate. It waits until it is right in half of the prompts. Four sizes of prompt,
with small batches and with large ones. Beside them the wait of the three numbers of *Why
it must be abrupt* for the same N and L: nothing in it is fitted.

Source: the question is musat2025's (abstract: time quadratic in context length, for a
simplified transformer). Task, network and measure differ, so what is found is ours.

Cost: up to 240 core-seconds instead of 120. Seven settings are trained, twelve pairs
longer than all others together.
"""

from collections.abc import Callable

import numpy as np

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.streams import as_numpy, streams
from snippets.icl.theory.head_flow import edge, true_contexts
from snippets.icl.training.first_passage import cell, exponent, wait_of
from snippets.icl.training.to_the_jump import Training

PAIRS = {32: (4, 6, 8, 12), 128: (4, 8, 12)}  # N, by the prompts in a batch

# --8<-- [start:presets]
PRESETS = {
    "laptop": {  # each is trained by itself until it can read, or is out of steps
        "b32-n4": cell(4, 32, 3000),
        "b32-n6": cell(6, 32, 3000),
        "b32-n8": cell(8, 32, 4000),
        "b32-n12": cell(12, 32, 6000),
        "b128-n4": cell(4, 128, 1500),
        "b128-n8": cell(8, 128, 2500),
        "b128-n12": cell(12, 128, 4000),
    }
}
# --8<-- [end:presets]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    n, n_labels = config.task.n_pairs, config.task.n_labels
    # the three numbers, from a small random start
    start = 0.01 * np.abs(as_numpy(streams(seed, 5)[4]).normal(size=3))
    return wait_of(config, seed) | {
        "edge": edge(start, n, n_labels)[0],
        "true_edge": edge(start, n, n_labels, others=true_contexts(n))[0],
    }


# --8<-- [end:run]


def waits(m: Measurements, batch: int, name: str = "wait") -> np.ndarray:
    """One number of each cell with that batch, in the order of N."""
    return np.array([float(m[f"b{batch}-n{n}"][name]) for n in PAIRS[batch]])


def power(batch: int, name: str = "wait") -> Callable[[Measurements], float]:
    """The power of N with which the wait grows."""

    def slope(m: Measurements) -> float:
        return exponent(np.array(PAIRS[batch]), waits(m, batch, name))

    return slope


def times_as_long(n: int, than: int, batch: int) -> Callable[[Measurements], float]:
    """How many times as long n pairs wait as `than` pairs."""
    return lambda m: float(m[f"b{batch}-n{n}"]["wait"] / m[f"b{batch}-n{than}"]["wait"])


def prompts_saved(m: Measurements) -> float:
    """Prompts read with batches of 32, as a share of those with 128: N = 8."""
    return float(m["b32-n8"]["prompts"] / m["b128-n8"]["prompts"])


# fmt: off
CLAIMS = [
    Claim("longest", lambda m: float(m["b32-n12"]["wait"]), between(1500, 5500), "steps",
          "With twelve pairs and batches of 32 it is right in half of the prompts between steps 1,500 and 5,500.",
          digits=4),
    Claim("shortest", lambda m: float(m["b32-n4"]["wait"]), between(300, 1000), "steps",
          "With four pairs it is so between steps 300 and 1,000.", digits=4),
    Claim("doubling", times_as_long(8, 4, 32), between(1.6, 4), "times as long",
          "Eight pairs wait 1.6 to four times as long as four, with batches of 32."),
    Claim("tripling", times_as_long(12, 4, 32), between(3, 9), "times as long",
          "With batches of 32 twelve pairs wait more than three and less than nine times as long as four."),
    Claim("power", power(32), between(1.1, 1.9), "",
          "With batches of 32 the wait grows as N to a power between 1.1 and 1.9, from 4 pairs to 12.", digits=3),
    Claim("power-calm", power(128), between(1.05, 1.65), "",
          "With batches of 128 the power is between 1.05 and 1.65.", digits=3),
    Claim("noise-tilts", lambda m: power(32)(m) - power(128)(m), above(0), "",
          "Batches four times as large make the power smaller."),
    Claim("theory", power(32, "edge"), between(1.25, 1.4), "",
          "The three numbers in the average context wait as N to a power between 1.25 and 1.4.", digits=3),
    Claim("theory-true", power(32, "true_edge"), between(1.1, 1.3), "",
          "In the true contexts the power is between 1.1 and 1.3.", digits=3),
    Claim("near-theory", lambda m: abs(power(128)(m) - power(128, "edge")(m)), below(0.25), "",
          "With batches of 128 the network's power is less than 0.25 from that of the three numbers, average context."),
    Claim("fewer-prompts", prompts_saved, below(0.6), "of the prompts",
          "With eight pairs, batches of 32 read less than six tenths of the prompts that batches of 128 read."),
]
# fmt: on

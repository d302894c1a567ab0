"""A power law through points, L = a N^-b or L = a N^-b + c, and whether a line bends.

Without c it is a straight line through logarithms, by least squares. With c, the best of
many values of c, each with its own line.
"""

from typing import NamedTuple

import numpy as np


class PowerLaw(NamedTuple):
    a: float
    b: float
    c: float
    error: float  # the root mean square of what is left, in logarithms of L - c


def check(N: np.ndarray, L: np.ndarray, least: int) -> None:
    """Raise ValueError where there is nothing to put a power law through."""
    if len(N) != len(L) or len(N) < least:
        raise ValueError(
            f"{len(N)} sizes and {len(L)} losses: give {least} points or more, in pairs"
        )
    if min(*N, *L) <= 0:
        raise ValueError("a power law needs sizes and losses above zero")


# --8<-- [start:fit]
def power_law(N: np.ndarray, L: np.ndarray) -> PowerLaw:
    """L = a N^-b: a straight line through the logarithms."""
    check(N, L, 2)
    slope, height = np.polyfit(np.log(N), np.log(L), 1)
    left = np.log(L) - height - slope * np.log(N)
    return PowerLaw(float(np.exp(height)), float(-slope), 0.0, float(left.std()))


def with_floor(N: np.ndarray, L: np.ndarray, n_floors: int = 2000) -> PowerLaw:
    """L = a N^-b + c: of many floors c, from 0 to just below the least loss, the one that
    leaves the least error in L."""
    check(N, L, 4)
    floors = np.linspace(0, 0.999 * min(L), n_floors)
    slopes, heights = np.polyfit(np.log(N), np.log(L[:, None] - floors), 1)
    fits = np.exp(heights + slopes * np.log(N)[:, None]) + floors  # (size, floor)
    best = np.argmin(((fits - L[:, None]) ** 2).sum(0))
    law = power_law(N, L - floors[best])
    return law._replace(c=float(floors[best]))


def bend(N: np.ndarray, L: np.ndarray) -> float:
    """By how much the exponent of the later sizes differs from that of the earlier, the
    middle size in both: below 0 the law saturates, above 0 it steepens."""
    check(N, L, 3)
    middle = len(N) // 2
    return (
        power_law(N[middle:], L[middle:]).b
        - power_law(N[: middle + 1], L[: middle + 1]).b
    )


# --8<-- [end:fit]

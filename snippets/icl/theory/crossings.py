"""Where a curve that was measured at a few places passes zero.

Source: ours; linear interpolation over the logarithm.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


# --8<-- [start:crossing]
def crossing(places: Sequence[int], heights: Sequence[float]) -> float:
    """The place at which heights first pass zero on their way up: on a straight line
    over the logarithm of the place between two neighbours. The first place where they
    begin above zero, infinity where they never come there."""
    check_line(places, heights)
    if heights[0] >= 0:
        return float(places[0])
    for i in range(1, len(heights)):
        low, high = heights[i - 1], heights[i]
        if low < 0 <= high:
            # an infinite neighbour: the crossing is as far from it as it can be
            part = -low / (high - low) if np.isfinite([low, high]).all() else 1.0
            return float(places[i - 1] * (places[i] / places[i - 1]) ** part)
    return np.inf


# --8<-- [end:crossing]


def check_line(places: Sequence[int], heights: Sequence[float]) -> None:
    """Raise ValueError where there is no such line."""
    if len(places) != len(heights) or not len(places):
        raise ValueError(
            f"{len(heights)} heights at {len(places)} places: give one at each"
        )
    if places[0] <= 0 or any(b <= a for a, b in pairwise(places)):
        raise ValueError(f"places {list(places)} must be positive and grow")
    if np.isnan(np.asarray(heights, float)).any():
        raise ValueError("a height is no number: leave out the place")

"""Where a curve that was measured on a grid is lowest, also between the points."""

import math

import numpy as np
from jaxtyping import Float


# --8<-- [start:bottom]
def bottom(x: Float[np.ndarray, "n"], y: Float[np.ndarray, "n"]) -> float:
    """The x of the lowest point of the parabola through the lowest y and its two
    neighbours, both axes logarithmic. x is evenly spaced there. At an end of the grid,
    that end: the valley's bottom may lie beyond it."""
    i = int(y.argmin())
    if i in (0, len(y) - 1):
        return float(x[i])
    before, least, after = np.log(y[i - 1 : i + 2])
    bend = before - 2 * least + after
    shift = (before - after) / (2 * bend) if bend > 0 else 0.0  # flat: stay
    return float(math.exp(math.log(x[i]) + shift * math.log(x[i + 1] / x[i])))


# --8<-- [end:bottom]

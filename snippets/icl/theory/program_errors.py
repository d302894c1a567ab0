"""How wrong hand-set programs can be: bounds on their errors, derived on the page."""

import math

EPSILON = 2.0**-53  # relative rounding of a 64-bit number


# --8<-- [start:leak]
def leak(beta: float, n_wrong: int, n_right: int = 1, gap: float = 1.0) -> float:
    """The most attention that misses its aim: where the right tokens' scores are higher
    than the wrong ones' by at least `gap`."""
    return n_wrong / (n_right * math.exp(beta * gap) + n_wrong)


def chase_leaks(
    beta: float, n_places: int, hops: int, depth: int, double: bool
) -> float:
    """The most that can be off the right place at the end. A pointer of which the share
    e is off has its scores apart by 1 - 2 e only."""
    here, jump = 0.0, 0.0
    for layer in range(depth):
        if hops >> layer & 1 if double else layer < hops:
            here = leak(beta, n_places - 1, gap=1 - 2 * here) + jump
        if double:
            jump = leak(beta, n_places - 1, gap=1 - 2 * jump) + jump
    return min(here, 1.0)


# --8<-- [end:leak]


# --8<-- [start:arithmetic]
def multiply_error(a: float, b: float, scale: float, epsilon: float = EPSILON) -> float:
    """The next term of the GELU is z^4 / (6 sqrt(2 pi)); and rounding, which the small
    scale makes large: eight roundings of numbers as large as scale (|a| + |b|)."""
    series = scale**2 / 12 * ((a + b) ** 4 + a**4 + b**4)
    rounding = 8 * epsilon * math.sqrt(math.pi / 2) * (abs(a) + abs(b)) / scale
    return series + rounding


def divide_error(a: float, b: float, scale: float, epsilon: float = EPSILON) -> float:
    """The length is sqrt(2 (scale^2 a^2 + b^2)) / sqrt(4 / 2), a little above b."""
    return abs(a / b) * ((scale * a / b) ** 2 / 2 + 16 * epsilon)


# --8<-- [end:arithmetic]

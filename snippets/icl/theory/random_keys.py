"""What a matrix memory returns for a stored key, if keys are random and of length 1.

Values are independent, and errors are in units of a value's square. The formulas are
derived on the page "Who can learn in context?".
"""

import numpy as np


# --8<-- [start:formulas]
def linear_error(n: int, d: int) -> float:
    """Linear attention: mean squared error of a read after n pairs, keys in d
    dimensions."""
    return (n - 1) / d


def delta_error(n: int, d: int) -> np.ndarray:
    """DeltaNet with beta = 1, by how many pairs ago a pair was stored."""
    F, size = 0.0, []  # E |S|^2 after each write
    for _ in range(n):
        F = (1 - 1 / d) * F + 1
        size.append(F)
    errors = []
    for ago in range(n):
        A = C = 1.0  # E |S'k|^2 and E <v, S'k> right after the pair was stored
        for F in size[n - 1 - ago : n - 1]:  # one further write each
            A = (1 - 2 / d + 2 / (d * (d + 2))) * A + F / (d * (d + 2)) + 1 / d
            C = (1 - 1 / d) * C
        errors.append(A - 2 * C + 1)
    return np.array(errors)


def least_squares_error(n: int, d: int) -> float:
    """The best fit: of n values, d can be fitted exactly."""
    return max(0.0, 1 - d / n)


# --8<-- [end:formulas]

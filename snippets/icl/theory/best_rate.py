"""The best single step of gradient descent on average over prompts, in closed form.

The coordinates of x are uniform in (-width/2, width/2) and independent, w has a
symmetric law and covariance I, there is no noise, and C = X'X / n. A map A that has
been read from the examples predicts x_query' A C w.

Errors: ValueError where no such prompts exist, or no map of that rank.
"""


# --8<-- [start:rate]
def moments(width: float) -> tuple[float, float]:
    """E x^2 and E x^4 of one coordinate."""
    return width**2 / 12, width**4 / 80


def mean_squared_covariance(width: float, n: int, d: int) -> float:
    """s, where E C^2 = s I: pairs of different examples, and each with itself."""
    if width <= 0 or n < 1 or d < 1:
        raise ValueError(
            f"width = {width}, n = {n}, d = {d}: the width must be above 0, n and d "
            "at least 1"
        )
    v, m4 = moments(width)
    return (n - 1) / n * v**2 + (m4 + (d - 1) * v**2) / n


def best_rate(width: float, n: int, d: int) -> float:
    """a* = v / s, the best rate of a step."""
    s = mean_squared_covariance(width, n, d)
    return moments(width)[0] / s


def least_loss(width: float, n: int, d: int, rank: int | None = None) -> float:
    """Half the mean squared error of the best A: v/2 for each of the d directions, less
    v^3/2s for each in which A is not 0. `rank` allows so many; all, if not given."""
    rank = d if rank is None else rank
    if not 0 <= rank <= d:
        raise ValueError(f"rank {rank}: a map of d = {d} dimensions has 0 to {d}")
    s = mean_squared_covariance(width, n, d)
    v, _ = moments(width)
    return v / 2 * (d - rank * v**2 / s)


# --8<-- [end:rate]

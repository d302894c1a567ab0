"""One layer of linear attention on average over all prompts, in closed form.

The coordinates of x are uniform in (-width/2, width/2) and independent, w ~ N(0, I),
there is no noise, and C = X'X / n. A map A that has been read from the examples
predicts x_query' A C w. Losses are half the mean squared error.

Errors: ValueError where no such prompts exist, or no map of that rank.
"""

from jaxtyping import Float
from torch import Tensor


# --8<-- [start:rate]
def moments(width: float) -> tuple[float, float]:
    """E x^2 and E x^4 of one coordinate."""
    return width**2 / 12, width**4 / 80


def mean_squared_covariance(width: float, n: int, d: int) -> float:
    """s, where E C^2 = s I: pairs of different examples, and each with itself."""
    check_prompts(width, n, d)
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
    check_rank(rank, d)
    s = mean_squared_covariance(width, n, d)
    v, _ = moments(width)
    return v / 2 * (d - rank * v**2 / s)


# --8<-- [end:rate]


# --8<-- [start:mean]
def mean_trace_times_covariance(width: float, n: int, d: int) -> float:
    """t, where E[tr(C) C] = t I."""
    v, m4 = moments(width)
    return (n - 1) / n * d * v**2 + (m4 + (d - 1) * v**2) / n


def mean_squared_length(width: float, n: int, d: int) -> float:
    """E (w' C w)^2: over w it is (tr C)^2 + 2 tr C^2."""
    t = mean_trace_times_covariance(width, n, d)
    return d * t + 2 * d * mean_squared_covariance(width, n, d)


def mean_loss(
    w_V: Float[Tensor, "run d_and_1"],
    W_KQ: Float[Tensor, "run d_and_1 d_and_1"],
    width: float,
    n: int,
) -> Float[Tensor, "run"]:
    """The loss over all prompts of layers with one head, of any weights: no prompt is
    drawn, so nothing of it is chance."""
    d = w_V.shape[-1] - 1
    v, m4 = moments(width)
    s, t = (
        f(width, n, d) for f in (mean_squared_covariance, mean_trace_times_covariance)
    )
    v_x, v_y = w_V[:, :d], w_V[:, d, None]
    W_xx, w_yx = W_KQ[:, :d, :d], W_KQ[:, d, :d]

    A = -(v_y[..., None] * W_xx.mT + w_yx[:, :, None] * v_x[:, None])
    trace = A.diagonal(dim1=-2, dim2=-1).sum(-1)
    odd = s * A.square().sum((-2, -1)) - 2 * v * trace + d  # E |A C w - w|^2

    # The even part is the vector W_xx' C v_x + v_y (w'Cw) w_yx. E[C v_x v_x' C] has a
    # part along v_x, one alike in all directions, and one from E x^4.
    along = (v_x[:, None] @ W_xx)[:, 0]  # W_xx' v_x
    squares = W_xx.square().sum(-1)  # of each row
    first = (n + 1) / n * v**2 * along.square().sum(-1)
    first = first + v**2 / n * squares.sum(-1) * v_x.square().sum(-1)
    first = first + (m4 - 3 * v**2) / n * (squares * v_x.square()).sum(-1)
    both = 2 * t * (v_y * w_yx * along).sum(-1)
    second = mean_squared_length(width, n, d) * (v_y * w_yx).square().sum(-1)
    return v / 2 * (odd + first + both + second)


# --8<-- [end:mean]


# --8<-- [start:way_out]
def way_out(width: float, n: int, d: int, r: int) -> float:
    """What the loss of a mirrored layer changes by when v_y and r new directions of
    W_xx grow together, in the best ratio: a share of v^3/2 times |v_x|^2 times the
    square of what W_xx has grown to. Below 0 it is a way out.

    Averaged over the direction that the layer knows; r = d - 1 are all new ones.
    """
    v, m4 = moments(width)
    a = best_rate(width, n, d)
    # cost of v_y alone, and of W_xx alone, in these units; a share of each new
    # direction lies along each axis, where E x^4 counts
    cost_v = a**2 * mean_squared_length(width, n, d)
    cost_W = r / n * (1 + (m4 / v**2 - 3) / (d + 2))
    return cost_W - r**2 / cost_v  # the best v_y gains r^2 / cost_v


def directions_needed(width: float, n: int, d: int) -> int | None:
    """The least number of new directions that lead out; None where not all do."""
    for r in range(1, d):
        if way_out(width, n, d, r) < 0:
            return r
    return None


# --8<-- [end:way_out]


def check_prompts(width: float, n: int, d: int) -> None:
    """Raise ValueError, in words, where no such prompts exist."""
    if width <= 0 or n < 1 or d < 1:
        raise ValueError(
            f"width = {width}, n = {n}, d = {d}: the width must be above 0, n and d "
            "at least 1"
        )


def check_rank(rank: int, d: int) -> None:
    """Raise ValueError, in words, where no map has this rank."""
    if not 0 <= rank <= d:
        raise ValueError(f"rank {rank}: a map of d = {d} dimensions has 0 to {d}")

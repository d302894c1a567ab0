"""What a prompt's examples say about its query, computed by known algorithms.

Each takes the n examples of many prompts at once, x (batch, n, d) and y (batch, n), and
gives the weights w (batch, d) of a linear map, or the predictions at a query. They are
the lines that every learned curve of this part is drawn beside.

Errors: ValueError where there are no examples, or where x and y do not fit.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:closed]
def least_squares(
    x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n"]
) -> Float[Tensor, "batch d"]:
    """The w that fits the examples best; where several do, the shortest of them."""
    check_examples(x, y)
    return (torch.linalg.pinv(x) @ y[..., None])[..., 0]


def ridge(
    x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n"], strength: float
) -> Float[Tensor, "batch d"]:
    """(X'X + strength I)^-1 X'y. With strength = noise variance / variance of w's
    coordinates this is the mean of w given the examples, if all are normal.

    At strength 0 it is its own limit, least squares. Raises ValueError below 0.
    """
    check_examples(x, y)
    if strength < 0:
        raise ValueError(f"ridge strength {strength} is negative: use 0 or more")
    if strength == 0:
        return least_squares(x, y)
    penalty = strength * torch.eye(x.shape[-1], dtype=x.dtype)
    return torch.linalg.solve(x.mT @ x + penalty, x.mT @ y[..., None])[..., 0]


def averaging(
    x: Float[Tensor, "batch n d"], y: Float[Tensor, "batch n"]
) -> Float[Tensor, "batch d"]:
    """The mean of y_i x_i: right on average where x ~ N(0, I), and noisy."""
    check_examples(x, y)
    return (y[..., None] * x).mean(-2)


def nearest_neighbours(
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    query: Float[Tensor, "batch d"],
    k: int = 3,
) -> Float[Tensor, "batch"]:
    """The mean y of the k examples nearest to the query; of all, if there are fewer."""
    check_examples(x, y)
    distance = (x - query[..., None, :]).norm(dim=-1)
    nearest = distance.topk(min(k, x.shape[-2]), dim=-1, largest=False).indices
    return y.gather(-1, nearest).mean(-1)


# --8<-- [end:closed]


# --8<-- [start:descent]
def descend(
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    preconditioners: Sequence[Float[Tensor, "d d"]],
) -> Float[Tensor, "step batch d"]:
    """w_0 = 0 and each w after it: w <- w - A grad R(w), one A for each step, with
    R(w) = (1/2n) sum of (<w, x_i> - y_i)^2. Plain gradient descent has A = eta I."""
    check_examples(x, y)
    w, path = x.new_zeros(x.shape[0], x.shape[-1]), []
    path.append(w)
    for A in preconditioners:
        off = (x @ w[..., None])[..., 0] - y  # (batch, n)
        gradient = (off[..., None] * x).mean(-2)  # (batch, d)
        w = w - gradient @ A.mT
        path.append(w)
    return torch.stack(path)


def gd_plus_plus(
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    query: Float[Tensor, "batch d"],
    rates: Sequence[tuple[float | Tensor, float | Tensor]],
) -> Float[Tensor, "batch"]:
    """Predictions of gradient descent that also bends the inputs, with (eta, gamma) for
    each step: a step of size eta on what is left of y, then x <- (I - gamma C) x for
    examples and query alike, where C = X'X / n."""
    check_examples(x, y)
    prediction = y.new_zeros(y.shape[0])
    for eta, gamma in rates:
        step = eta * (y[..., None] * x).mean(-2)  # (batch, d)
        C = x.mT @ x / x.shape[-2]
        prediction = prediction + (query * step).sum(-1)
        y = y - (x @ step[..., None])[..., 0]
        query = query - gamma * (query[..., None, :] @ C)[..., 0, :]
        x = x - gamma * x @ C
    return prediction


# --8<-- [end:descent]


def at_every_position(
    weights: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
) -> Float[Tensor, "batch n"]:
    """What an algorithm that gives weights predicts at each x_k from the examples
    before it; 0 at the first."""
    predictions = [torch.zeros_like(y[:, 0])]
    for k in range(1, x.shape[1]):
        predictions.append((weights(x[:, :k], y[:, :k]) * x[:, k]).sum(-1))
    return torch.stack(predictions, 1)


def check_examples(x: Tensor, y: Tensor) -> None:
    """Raise ValueError, in words, where there is nothing to learn from."""
    if x.shape[:-1] != y.shape:
        raise ValueError(
            f"x is {tuple(x.shape)} and y is {tuple(y.shape)}: give a y for each x"
        )
    if y.shape[-1] == 0:
        raise ValueError("n = 0 examples: an algorithm needs at least 1")

"""A network between two predictors: how much of each it is, and a law for that.

If a network says a m + (1 - a) g, where m remembers and g counts, then a is its weight
on memory. Bayes' rule over the two predictors themselves would make it a posterior: its
log odds are what memory saves on the data so far, less what memory costs to describe.

Source: wurgaft2025, abstract: behaviour as a posterior-weighted average of strategies,
with a tradeoff of loss and complexity. The form of `log_odds` is ours.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from torch import Tensor

Points = Float[np.ndarray, "point"]


# --8<-- [start:weight]
def weight_on(
    m: Float[Tensor, "*shape"], g: Float[Tensor, "*shape"], f: Float[Tensor, "*shape"]
) -> float:
    """The a for which a m + (1 - a) g comes nearest to f, in squared difference."""
    way = m - g
    if not way.any():
        raise ValueError("the two predictors agree everywhere: no weight is defined")
    return ((f - g) * way).sum().item() / way.square().sum().item()


# --8<-- [end:weight]


# --8<-- [start:law]
def sigmoid(odds: Points) -> Points:
    return 1 / (1 + np.exp(-odds))


def law(constants: Sequence[float], t: Points, K: Points, saved: Points) -> Points:
    """The weight on memory: `saved` is its lower loss, per symbol, on the pool."""
    rate, power, cost = constants
    odds = rate * t**power * saved - cost * np.log(K)
    return sigmoid(np.clip(odds, -40, 40))


# --8<-- [end:law]


def logistic(constants: Sequence[float], t: Points, K: Points, saved: Points) -> Points:
    """As many constants, and no idea behind them: a line in log K and log t."""
    start, by_size, by_time = constants
    odds = start + by_size * np.log(K) + by_time * np.log(t)
    return sigmoid(np.clip(odds, -40, 40))


def logistic_in_size(
    constants: Sequence[float], t: Points, K: Points, saved: Points
) -> Points:
    return logistic((*constants, 0.0), t, K, saved)


def constant(constants: Sequence[float], t: Points, K: Points, saved: Points) -> Points:
    return np.full_like(t, constants[0])


STARTS: dict[str, tuple[Callable, list[tuple[float, ...]]]] = {
    "law": (
        law,
        [(r, p, c) for r, p, c in ((1.0, 0.4, 0.5), (8.0, 0.1, 1.0), (4.0, 0.3, 1.0))],
    ),
    "logistic": (logistic, [(0.0, 0.0, 0.0), (1.0, -0.5, 0.2)]),
    "logistic in K": (logistic_in_size, [(0.0, 0.0)]),
    "constant": (constant, [(0.5,)]),
}


def fit(
    name: str, t: Points, K: Points, saved: Points, weight: Points
) -> tuple[float, ...]:
    """The constants with the least squared error, the best of a few starts."""
    if len(t) < 3:
        raise ValueError(f"{len(t)} points cannot fit up to three constants")
    model, starts = STARTS[name]
    found = [
        least_squares(lambda c: model(tuple(c), t, K, saved) - weight, start)
        for start in starts
    ]
    return tuple(min(found, key=lambda one: one.cost).x.tolist())


def nearest(
    K: Points, weight: Points, asked: Float[np.ndarray, "other"]
) -> Float[np.ndarray, "other"]:
    """All memory up to some K and none beyond it: the cut that fits best."""
    cuts = [0.0, *np.unique(K)]
    errors = [np.square((cut >= K) - weight).sum() for cut in cuts]
    return (asked <= cuts[int(np.argmin(errors))]).astype(float)


# --8<-- [start:held-out]
def held_out_errors(
    t: Points, K: Points, saved: Points, weight: Points, fitted: Sequence[int]
) -> dict[str, float]:
    """Each model is fitted where K is one of `fitted` and predicts the rest: the root
    mean squared error of its weights there."""
    inside = np.isin(K, fitted)
    if inside.all() or not inside.any():
        raise ValueError("nothing to fit, or nothing held out: split the sizes K")
    known = [values[inside] for values in (t, K, saved, weight)]
    asked = [values[~inside] for values in (t, K, saved)]
    guesses = {name: STARTS[name][0](fit(name, *known), *asked) for name in STARTS} | {
        "nearest": nearest(known[1], known[3], asked[1])
    }
    off = {name: guess - weight[~inside] for name, guess in guesses.items()}
    return {name: float(np.sqrt(np.square(o).mean())) for name, o in off.items()}


# --8<-- [end:held-out]

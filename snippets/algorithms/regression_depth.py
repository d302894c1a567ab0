"""What do more layers buy?

Source: akyurek2023, figure 3: from depth 1 to 16 the nearest algorithm changes from one
step of gradient descent to ridge to least squares. Here: depth 1, 2 and 4, width 32, 3
dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    below,
    between,
)
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles
from snippets.icl.theory.valley import bottom


@dataclass(frozen=True)
class Config:
    d: int = 3
    n: int = 6
    depths: tuple[int, ...] = (1, 2, 4)
    width: int = 32
    n_heads: int = 2
    strengths: tuple[float, ...] = tuple(np.geomspace(0.01, 3, 21).tolist())  # of ridge
    training: Training = field(default_factory=lambda: Training(n_steps=450))
    n_test: int = 2000


PRESETS = {
    "laptop": Config(),
    # the source's sizes; it sees x and y in turn and anneals Adam from 1e-4
    "paper": Config(
        d=8,
        n=40,
        depths=(1, 2, 4, 8, 12, 16),
        width=512,
        n_heads=4,
        training=Training(500_000, muon_rate=None, adam_rate=1e-4, warm_up=0.2),
    ),
}


# --8<-- [start:step]
def one_step(
    x: Float[Tensor, "batch k d"], y: Float[Tensor, "batch k"]
) -> Float[Tensor, "batch d"]:
    """One step of gradient descent from 0, of the size that is best for k examples."""
    k, d = x.shape[-2:]
    return k / (k + d + 1) * oracles.averaging(x, y)


# --8<-- [end:step]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, training, tests = streams(seed, 3)
    d, n = config.d, config.n

    def draw(batch: int) -> Prompts:
        return draw_prompts(batch, n, d, training)

    networks = []
    for loop, n_layers in enumerate(config.depths):
        sizes = Sizes(d, n_layers, config.width, config.n_heads)
        network = RegressionTransformer(sizes, weights)
        train(network, draw, config.training, loop=loop, of=len(config.depths))
        networks.append(network)

    test = draw_prompts(config.n_test, n, d, tests)
    x, y = test.x.double(), test.y.double()

    def predicted(weights: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        return oracles.at_every_position(weights, x, y)

    one, exact = predicted(one_step), predicted(oracles.least_squares)
    ridges = [predicted(partial(oracles.ridge, strength=s)) for s in config.strengths]
    with torch.no_grad():
        ours = [network(test.x, test.y).double() for network in networks]
    return {
        "depth": np.array(config.depths),
        "strengths": np.array(config.strengths),
        "error": np.stack([gap(o, y, d) for o in ours]),  # (depth, k)
        "error_one_step": gap(one, y, d),
        "error_least_squares": gap(exact, y, d),
        "from_one_step": np.stack([gap(o, one, d) for o in ours]),
        "from_least_squares": np.stack([gap(o, exact, d) for o in ours]),
        "from_ridge": np.stack([[gap(o, r, d) for r in ridges] for o in ours]),
    }


def gap(one: Tensor, other: Tensor, d: int) -> np.ndarray:
    """Mean squared difference over d, after each number of examples."""
    return (one - other).square().mean(0).numpy() / d


# --8<-- [end:run]


def late(m: Measurements) -> np.ndarray:
    """The error of each depth after all examples."""
    return m["error"][:, -1]


def fitted(m: Measurements) -> np.ndarray:
    """For each depth, the strength of the ridge that is nearest, over all k >= 1."""
    valleys = m["from_ridge"][..., 1:].mean(-1)  # (depth, strength)
    return np.array([bottom(m["strengths"], valley) for valley in valleys])


def distances(m: Measurements) -> np.ndarray:
    """Mean difference over k >= 1 of each depth from one step, from the ridge nearest
    to it, and from least squares."""
    return np.stack(
        [
            m["from_one_step"][:, 1:].mean(-1),
            m["from_ridge"][..., 1:].mean(-1).min(1),
            m["from_least_squares"][:, 1:].mean(-1),
        ],
        axis=1,
    )


def nearer_to_least_squares(m: Measurements) -> np.ndarray:
    """For each depth, the distance from least squares over that from one step, as a
    share of what it is at the first depth."""
    ratio = distances(m)[:, 2] / distances(m)[:, 0]
    return ratio / ratio[0]


# Set on seeds 1100 to 1109. On one of those ten, four layers train slowly and end
# little better than two: so most claims compare the deepest network with one layer.
# fmt: off
CLAIMS = [
    Claim("deeper", lambda m: float(late(m)[-1] / late(m)[0]), below(0.5), "of the error",
          "After all examples four layers make less than half of the error of one."),
    Claim("second-layer", lambda m: float(late(m)[1] / late(m)[0]), below(0.8), "of the error",
          "After all examples two layers make less than 0.8 of the error of one."),
    Claim("again", lambda m: float(late(m)[2] / late(m)[1]), below(1), "of the error",
          "From two layers to four the error falls again."),
    Claim("one-layer", lambda m: float(late(m)[0] / m["error_one_step"][-1]), below(0.6), "of the error",
          "One layer errs less than 0.6 times as much as the best single step of gradient descent, after all "
          "examples."),
    Claim("one-step", lambda m: float(distances(m)[0, 1] / distances(m)[0, 0]), below(0.6), "times as far",
          "One layer is not one step: the nearest ridge is less than 0.6 times as far from it.",
          Reported("akyurek2023", "figure 3",
                   "the shallowest network is nearest to one step of gradient descent", NOT_REPRODUCED)),
    Claim("midway", lambda m: float(distances(m)[0, 2] / distances(m)[0, 0]), between(0.6, 1.5), "times as far",
          "One layer is about as far from least squares as from one step: between 0.6 and 1.5 times."),
    Claim("toward", lambda m: float(nearer_to_least_squares(m)[-1]), below(0.5), "of what it was",
          "The distance from least squares, over that from one step, is at four layers less than half of "
          "what it is at one.",
          Reported("akyurek2023", "figure 3",
                   "with depth the nearest algorithm turns from ridge to least squares", SMALLER)),
    Claim("weaker", lambda m: float(fitted(m)[-1] / fitted(m)[0]), below(0.5), "of the strength",
          "The ridge nearest to four layers has less than half of the strength of that nearest to one."),
]
# fmt: on

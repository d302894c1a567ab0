"""Does noise in the training prompts turn what the network learns into ridge, with the
strength that Bayes' rule asks for?

Source: akyurek2023, figure 2: five noise levels up to 4/9, 8 dimensions, differences
averaged over fewer examples than dimensions. Here: three levels, further apart, 3
dimensions, 4 layers of width 32, 420 steps a level, and the other half of the prompt
beside the half that is averaged there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
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
    sizes: Sizes = field(default_factory=Sizes)
    n: int = 6
    variances: tuple[float, ...] = (0.0, 0.25, 1.0)  # of the noise
    grid: tuple[float, ...] = tuple(np.geomspace(0.005, 5, 19).tolist())  # of strengths
    training: Training = field(default_factory=lambda: Training(n_steps=420))
    n_test: int = 2000


PRESETS = {
    "laptop": Config(),
    # the source's sizes; it sees x and y in turn and anneals Adam from 1e-4
    "paper": Config(
        sizes=Sizes(d=8, n_layers=16, width=512, n_heads=4),
        n=40,
        variances=(0.0, 1 / 16, 1 / 9, 1 / 4, 4 / 9),
        training=Training(500_000, muon_rate=None, adam_rate=1e-4, warm_up=0.2),
    ),
}


# --8<-- [start:difference]
def difference(
    network: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "batch n_and_query d"],
    y: Float[Tensor, "batch n_and_query"],
    strength: float,
) -> np.ndarray:
    """Mean squared difference of the network's predictions and ridge's, over d, after
    each number of examples k = 0, 1 ... n. With x and w standard normal, 1 is the mean
    square of <w, x> over d."""
    theirs = oracles.at_every_position(
        lambda x, y: oracles.ridge(x, y, strength), x.double(), y.double()
    )
    with torch.no_grad():
        off = network(x, y).double() - theirs
    return off.square().mean(0).numpy() / x.shape[-1]


# --8<-- [end:difference]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, training, tests = streams(seed, 3)
    d, n, variances = config.sizes.d, config.n, config.variances
    strengths = (*variances, *config.grid)
    table = []
    for loop, variance in enumerate(variances):

        def draw(batch: int, noise: float = variance**0.5) -> Prompts:
            return draw_prompts(batch, n, d, training, noise=noise)

        network = RegressionTransformer(config.sizes, weights)
        train(network, draw, config.training, loop=loop, of=len(variances))
        test = draw_prompts(config.n_test, n, d, tests, noise=variance**0.5)
        table.append([difference(network, test.x, test.y, s) for s in strengths])
    differences = np.array(table)  # (noise it was trained on, strength, k)
    few, many = slice(1, d), slice(d + 1, n + 1)  # k < d and k > d; not none, not d
    return {
        "strengths": np.array(strengths),
        "few": differences[..., few].mean(-1),
        "many": differences[..., many].mean(-1),
    }


# --8<-- [end:run]


# --8<-- [start:derived]
def table(m: Measurements, half: str) -> np.ndarray:
    """Differences, a row for each ridge strength and a column for each noise level."""
    n_levels = len(m[half])
    return m[half][:, :n_levels].T


def lead(t: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n"]:
    """In each column, the diagonal over the least of the others: under 1, it leads."""
    return t.diagonal() / np.where(np.eye(len(t), dtype=bool), np.inf, t).min(0)


def fitted(m: Measurements, half: str) -> np.ndarray:
    """The strength of the ridge that is nearest to each network."""
    n_levels = len(m[half])
    grid = m["strengths"][n_levels:]
    return np.array([bottom(grid, valley) for valley in m[half][:, n_levels:]])


def misfit(m: Measurements, half: str) -> np.ndarray:
    """That strength over the noise variance, for the networks trained with noise."""
    return fitted(m, half)[1:] / m["strengths"][1 : len(m[half])]


def biased(m: Measurements) -> float:
    """Without noise and for k < d: the difference from the nearest ridge of the grid,
    over that from least squares."""
    n_levels = len(m["few"])
    return float(m["few"][0, n_levels:].min() / m["few"][0, 0])


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("diagonal", lambda m: float(lead(table(m, "few"))[1:].max()), below(0.8), "of the next",
          "For k < d each network trained with noise is nearest to the ridge of its own noise: in both "
          "columns the diagonal is less than 0.8 of the next.",
          Reported("akyurek2023", "figure 2", "the diagonal of the table is least", SMALLER)),
    Claim("diagonal-zero", lambda m: float(lead(table(m, "few"))[0]), below(1), "of the next",
          "For k < d the network trained without noise is nearer to least squares than to the next ridge."),
    Claim("rows", lambda m: float(lead(table(m, "few").T).max()), below(0.8), "of the next",
          "For k < d the diagonal is less than 0.8 of the next in every row, too."),
    Claim("diagonal-many", lambda m: float(lead(table(m, "many")).max()), above(0.5), "of the next",
          "For k > d the lead is thin or lost: in some column the diagonal is more than half of the next."),
    Claim("thinner", lambda m: float((lead(table(m, "many")) / lead(table(m, "few"))).min()),
          above(1), "times as large",
          "In every column the diagonal leads by less for k > d than for k < d.",
          digits=3),
    Claim("bayes", lambda m: float(np.exp(np.abs(np.log(misfit(m, "few"))).max())), below(2), "",
          "For k < d the ridge nearest to each network trained with noise has a strength within a factor of "
          "2 of the noise variance.",
          digits=3),
    Claim("stronger", lambda m: float(misfit(m, "many").min()), above(1.2), "times that",
          "For k > d it is stronger: more than 1.2 times the noise variance, for both.",
          digits=3),
    Claim("zero", biased, below(1), "of the difference",
          "Without noise, for k < d, some ridge is nearer than least squares is."),
    Claim("weak", lambda m: float(fitted(m, "few")[0]), below(0.125), "",
          "Without noise the nearest ridge for k < d is weaker than half of the next level, 0.25."),
]
# fmt: on

"""Does noise in the training prompts turn what the network learns into ridge, with the
strength that Bayes' rule asks for?

Source: akyurek2023, figure 2: five noise levels, 8 dimensions, differences averaged over
fewer examples than dimensions. Here: three levels, 3 dimensions, 4 layers of width 32,
600 steps a level, and the other half of the prompt beside the half that is averaged
there.

Three networks a seed take more than 120 core-seconds over five seeds: a table with fewer
levels would have no middle.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl import oracles
from snippets.icl.linear_regression import draw_prompts
from snippets.icl.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)


@dataclass(frozen=True)
class Config:
    sizes: Sizes = field(default_factory=Sizes)
    n: int = 8
    variances: tuple[float, ...] = (0.0, 1 / 9, 4 / 9)  # of the noise
    grid: tuple[float, ...] = tuple(np.geomspace(0.003, 3, 25).tolist())  # of strengths
    training: Training = field(default_factory=lambda: Training(n_steps=600))
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
    network: RegressionTransformer,
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
    generator = torch.Generator().manual_seed(seed)
    d, n, variances = config.sizes.d, config.n, config.variances
    strengths = (*variances, *config.grid)
    table = []
    for loop, variance in enumerate(variances):

        def draw(batch: int, noise: float = variance**0.5):
            return draw_prompts(batch, n, d, generator, noise=noise)

        network = RegressionTransformer(config.sizes, generator)
        train(network, draw, config.training, loop=loop, of=len(variances))
        test = draw(config.n_test)
        table.append([difference(network, test.x, test.y, s) for s in strengths])
    differences = np.array(table)  # (noise it was trained on, strength, k)
    few, many = slice(1, d), slice(d + 1, n + 1)  # k < d and k > d; not none, not d
    return {
        "strengths": np.array(strengths),
        "few": differences[..., few].mean(-1),
        "many": differences[..., many].mean(-1),
        "by_k": differences[:, : len(variances)],
    }


# --8<-- [end:run]

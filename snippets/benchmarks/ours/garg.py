"""A transformer of 3 layers on regression prompts of 20 dimensions and 41 points.

Source: garg2022, released code, for the task, the sizes and the rate; the network is that of the regression chapter.
"""

import torch
from torch import Generator

from snippets.benchmarks.ours.two_streams import backward
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes

DIMS, POINTS, BATCH, RATE = 20, 41, 64, 1e-4
AT_ONCE = 32  # prompts
SIZES = Sizes(d=DIMS, n_layers=3, width=64, n_heads=2)


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int) -> None:
        self.data = Generator().manual_seed(seed)
        self.network = RegressionTransformer(SIZES, Generator().manual_seed(seed + 1))
        self.adam = torch.optim.Adam(self.network.parameters(), RATE, fused=True)

    def step(self) -> None:
        x = torch.randn(BATCH, POINTS, DIMS, generator=self.data)
        w = torch.randn(BATCH, DIMS, 1, generator=self.data)
        y = (x @ w)[..., 0]
        self.adam.zero_grad()
        backward(self.network, x, y, AT_ONCE)
        self.adam.step()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)

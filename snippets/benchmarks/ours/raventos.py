"""A transformer of 8 layers on noisy regression prompts whose tasks come from a pool.

Source: raventos2023, released code, for task, sizes and rate; the network is that of the regression chapter.
"""

import torch
from torch import Generator

from snippets.benchmarks.ours.two_streams import backward
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes

DIMS, POINTS, BATCH, NOISE, TASKS = 8, 16, 256, 0.5, 1_048_576
RATE, WARM_UP = 1e-3, 250_000  # steps in which the rate rises to it
AT_ONCE = 64  # prompts
SIZES = Sizes(d=DIMS, n_layers=8, width=128, n_heads=2)


class Trainer:
    """One network, and how it trains."""

    def __init__(self, seed: int) -> None:
        self.data = Generator().manual_seed(seed)
        self.network = RegressionTransformer(SIZES, Generator().manual_seed(seed + 1))
        self.adam = torch.optim.Adam(self.network.parameters(), RATE, fused=True)
        self.rates = torch.optim.lr_scheduler.LambdaLR(self.adam, lambda step: step / WARM_UP)
        self.tasks = torch.randn(TASKS, DIMS, 1, generator=self.data)

    def step(self) -> None:
        x = torch.randn(BATCH, POINTS, DIMS, generator=self.data)
        w = self.tasks[torch.randint(TASKS, (BATCH,), generator=self.data)]
        y = (x @ w)[..., 0] + NOISE * torch.randn(BATCH, POINTS, generator=self.data)
        self.adam.zero_grad()
        backward(self.network, x, y, AT_ONCE)
        self.adam.step()
        self.rates.step()

    def finish(self) -> None:
        """Nothing is left undone between steps."""


def trainer(seed: int) -> Trainer:
    torch.set_num_threads(1)
    return Trainer(seed)

"""Which architectures can look up, in their context, what went with a key?

Eight networks in one frame, with the same number of parameters, on multi-query
associative recall: accuracy against the number of stored pairs.

Source: arora2023, the task and the question; there attention solves it and gated
convolutions need a width that grows. What differs: a pair is one token, 64 keys instead
of thousands, networks of 25 thousand parameters, minutes of training.

Cost: up to 180 core-seconds instead of 120. Eight architectures are trained, each with
three learning rates for a part of the way.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.recall import Recall, draw_recall
from snippets.icl.same_block import ARCHITECTURES, build, count_parameters
from snippets.icl.tuned_training import Schedule, train


@dataclass(frozen=True)
class Config:
    architecture: str
    d_model: int = 32
    n_heads: int = 2
    n_blocks: int = 2
    n_parameters: int = 24 * 32**2  # of the blocks: 12 d_model^2 each
    n_keys: int = 64
    n_values: int = 16
    n_queries: int = 16
    train_pairs: tuple[int, ...] = (4, 8, 16, 32)
    test_pairs: tuple[int, ...] = (2, 4, 8, 12, 16, 24, 32)
    batch: int = 16
    n_held_out: int = 64  # prompts of each size, when a rate is chosen
    n_test: int = 256  # prompts of each size, at the end
    schedule: Schedule = field(
        default_factory=lambda: Schedule((0.003, 0.01, 0.03), 120, 450)
    )


# --8<-- [start:presets]
PRESETS = {
    "laptop": {  # each cell is trained by itself
        "decoder": Config("decoder"),
        "encoder-decoder": Config("encoder-decoder"),
        "prefix-lm": Config("prefix-lm"),
        "lstm": Config("lstm"),
        "convolution": Config("convolution"),
        "linear-attention": Config("linear-attention"),
        "deltanet": Config("deltanet"),
        "titans": Config("titans"),
    },
}
# --8<-- [end:presets]


# --8<-- [start:network]
class RecallNetwork(nn.Module):
    """Embeds pairs and queries, and reads a value off each query."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d = config.d_model

        def normal(rows: int, std: float) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(rows, d, generator=generator))

        self.keys, self.values = normal(config.n_keys, 1), normal(config.n_values, 1)
        self.kind = normal(2, 1)  # a pair or a query
        self.unembed = normal(config.n_values, d**-0.5)
        self.blocks = build(
            config.architecture,
            d,
            config.n_heads,
            config.n_blocks,
            config.n_parameters,
            generator,
        )

    def forward(self, prompts: Recall) -> Float[Tensor, "batch m n_values"]:
        pairs = self.keys[prompts.keys] + self.values[prompts.values] + self.kind[0]
        queries = self.keys[prompts.queries] + self.kind[1]
        return self.blocks(pairs, queries) @ self.unembed.T


def loss_of(network: nn.Module, prompts: Recall) -> Tensor:
    return F.cross_entropy(network(prompts).flatten(0, 1), prompts.answers.flatten())


def accuracy_of(network: nn.Module, prompts: Recall) -> float:
    return (network(prompts).argmax(-1) == prompts.answers).float().mean().item()


# --8<-- [end:network]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)

    def draw(batch: int, n_pairs: int, generator: Generator) -> Recall:
        sizes = (config.n_queries, config.n_keys, config.n_values)
        return draw_recall(batch, n_pairs, *sizes, generator)

    def loss(network: nn.Module, generator: Generator) -> Tensor:
        sizes = config.train_pairs
        which = int(torch.randint(len(sizes), (), generator=generator))
        return loss_of(network, draw(config.batch, sizes[which], generator))

    held_out = [draw(config.n_held_out, n, generator) for n in config.train_pairs]
    tests = [draw(config.n_test, n, generator) for n in config.test_pairs]
    network, tuning = train(
        RecallNetwork(config, generator),
        loss,
        lambda network: float(np.mean([loss_of(network, p).item() for p in held_out])),
        config.schedule,
        seed,
    )
    with torch.no_grad():
        accuracy = [accuracy_of(network, prompts) for prompts in tests]
    return {
        "n_pairs": np.array(config.test_pairs),
        "accuracy": np.array(accuracy),
        "mean_accuracy": float(np.mean(accuracy)),
        "tuning_loss": np.array(tuning),
        "rate": config.schedule.rates[int(np.argmin(tuning))],
        "n_parameters": count_parameters(network.blocks),
    }


# --8<-- [end:run]

CLAIMS = [Claim("x", "X.", lambda m: 0.0, lambda v: True)]


def draw(runs):
    return {}

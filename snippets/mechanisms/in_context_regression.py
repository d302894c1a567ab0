"""Which architectures can fit a line to the examples in their context?

The eight networks of `recall`, on in-context linear regression: the error at a new
input against the number of examples, beside least squares.

Source: garg2022, the task; lee2024 compares thirteen architectures on it and finds that
all can. What differs: 3 dimensions instead of 20, several queries to a prompt, networks
of 25 thousand parameters, minutes of training.

Cost: up to 180 core-seconds instead of 120. Eight architectures are trained, each with
three learning rates for a part of the way.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl import oracles
from snippets.icl.linear_regression import Prompts, draw_prompts
from snippets.icl.same_block import ARCHITECTURES, build, count_parameters
from snippets.icl.tuned_training import Schedule, train


@dataclass(frozen=True)
class Config:
    architecture: str
    d_model: int = 32
    n_heads: int = 2
    n_blocks: int = 2
    n_parameters: int = 24 * 32**2  # of the blocks: 12 d_model^2 each
    d: int = 3
    n_queries: int = 12
    train_examples: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12)
    test_examples: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12)
    batch: int = 16
    n_held_out: int = 64  # prompts of each size, when a rate is chosen
    n_test: int = 256  # prompts of each size, at the end
    schedule: Schedule = field(
        default_factory=lambda: Schedule((0.003, 0.01, 0.03), 120, 500)
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
class RegressionNetwork(nn.Module):
    """Embeds examples (x, y) and queries x, and reads a number off each query."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d, d_model = config.d, config.d_model

        def normal(rows: int, std: float) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(rows, d_model, generator=generator))

        self.example, self.query = normal(d + 1, 1), normal(d, 1)
        self.kind = normal(2, 1)  # an example or a query
        self.unembed = normal(1, d_model**-0.5)
        self.blocks = build(
            config.architecture,
            d_model,
            config.n_heads,
            config.n_blocks,
            config.n_parameters,
            generator,
        )

    def forward(self, prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
        """The first n inputs are examples; the others are queries."""
        pairs = torch.cat([prompts.x, prompts.y[..., None]], -1)[:, :n]
        examples = pairs @ self.example + self.kind[0]
        queries = prompts.x[:, n:] @ self.query + self.kind[1]
        return (self.blocks(examples, queries) @ self.unembed.T)[..., 0]


def error_of(
    answers: Float[Tensor, "batch m"], prompts: Prompts, n: int
) -> Float[Tensor, ""]:
    """Mean squared error at the queries, in units of the variance of y."""
    return (answers - prompts.y[:, n:]).square().mean() / prompts.x.shape[-1]


# --8<-- [end:network]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = Generator().manual_seed(seed)

    def draw(batch: int, n: int, generator: Generator) -> tuple[Prompts, int]:
        inputs = n + config.n_queries  # draw_prompts adds one
        return draw_prompts(batch, inputs - 1, config.d, generator), n

    def error(network: nn.Module, prompts: Prompts, n: int) -> Tensor:
        return error_of(network(prompts, n), prompts, n)

    def loss(network: nn.Module, generator: Generator) -> Tensor:
        sizes = config.train_examples
        which = int(torch.randint(len(sizes), (), generator=generator))
        return error(network, *draw(config.batch, sizes[which], generator))

    held_out = [draw(config.n_held_out, n, generator) for n in config.train_examples]
    tests = [draw(config.n_test, n, generator) for n in config.test_examples]
    network, tuning = train(
        RegressionNetwork(config, generator),
        loss,
        lambda network: float(np.mean([error(network, *p).item() for p in held_out])),
        config.schedule,
        seed,
    )
    with torch.no_grad():
        errors = [error(network, *test).item() for test in tests]
    fitted = [error_of(least_squares_answers(*test), *test).item() for test in tests]
    return {
        "n_examples": np.array(config.test_examples),
        "error": np.array(errors),
        "least_squares": np.array(fitted),
        "mean_error": float(np.mean(errors)),
        "tuning_loss": np.array(tuning),
        "rate": config.schedule.rates[int(np.argmin(tuning))],
        "n_parameters": count_parameters(network.blocks),
    }


def least_squares_answers(prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
    w = oracles.least_squares(prompts.x[:, :n], prompts.y[:, :n])
    return (prompts.x[:, n:] @ w[..., None])[..., 0]


# --8<-- [end:run]

CLAIMS = [Claim("x", "X.", lambda m: 0.0, lambda v: True)]


def draw(runs):
    return {}

"""Does a network of mesa-layers, each the best fit to its context, fit a line best?

In-context linear regression as in `in_context_regression`, for networks of one size
whose blocks hold a mesa-layer, DeltaNet or softmax attention: the error at a new input
against the number of examples, beside least squares.

Source: vonoswald2023b, the mesa-layer; there on sequences made by a linear dynamical
system. garg2022, the task; here 3 dimensions and minutes of training.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.more_blocks import build_blocks
from snippets.icl.networks.parts import normal
from snippets.icl.networks.same_block import count_parameters
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.tasks.queried_lines import Fit, error_of
from snippets.icl.theory import oracles
from snippets.icl.training.comparison import Comparison, at, fit


@dataclass(frozen=True)
class Config(Comparison):
    train_sizes: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12)  # examples
    test_sizes: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12)
    d: int = 3
    n_queries: int = 12


PRESETS = {
    "laptop": {  # each cell is trained by itself, with the best of five rates
        "mesa": Config("mesa", rate=0.1),
        "deltanet": Config("deltanet", rate=0.03),
        "attention": Config("attention", rate=0.003),
    }
}


# --8<-- [start:network]
class Fitter(nn.Module):
    """Embeds examples (x, y) and queries x, and reads a number off each query."""

    def __init__(self, config: Config, generator: Generator) -> None:
        super().__init__()
        d, d_model = config.d, config.d_model
        self.W_example = normal(d + 1, d_model, std=1.0, generator=generator)
        self.W_query = normal(d, d_model, std=1.0, generator=generator)
        self.kind = normal(2, d_model, std=1.0, generator=generator)
        self.W_U = normal(d_model, 1, std=d_model**-0.5, generator=generator)
        self.blocks = build_blocks(config, generator)

    def forward(self, prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
        """The first n inputs are examples; the others are queries."""
        pairs = torch.cat([prompts.x, prompts.y[..., None]], -1)[:, :n]
        examples = pairs @ self.W_example + self.kind[0]
        queries = prompts.x[:, n:] @ self.W_query + self.kind[1]
        return (self.blocks(examples, queries) @ self.W_U)[..., 0]


# --8<-- [end:network]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    task, network = Fit(config), Fitter(config, weights)
    network = fit(network, task, config, data)
    exams = [task.draw(config.n_test, n, test) for n in config.test_sizes]
    errors = [error_of(network(*exam), *exam) for exam in exams]
    fitted = [error_of(least_squares(*exam), *exam) for exam in exams]
    return {
        "size": np.array(config.test_sizes),
        "error": np.array(errors),
        "least_squares": np.array(fitted),
        "loss": float(np.mean([task.loss(network, exam) for exam in exams])),
        "n_parameters": count_parameters(network.blocks),
    }


def least_squares(prompts: Prompts, n: int) -> Float[Tensor, "batch m"]:
    w = oracles.least_squares(prompts.x[:, :n], prompts.y[:, :n])
    return (prompts.x[:, n:] @ w[..., None])[..., 0]


# --8<-- [end:run]


def error(m: Measurements, cell: str, n: int) -> float:
    return at(m, cell, n, "error")


# fmt: off
CLAIMS = [
    Claim("elbow", lambda m: error(m, "mesa", 3) / error(m, "deltanet", 3), below(0.7), "of the error",
          "After 3 examples, when least squares becomes exact, the mesa-layer errs less than seven tenths of "
          "what DeltaNet does."),
    Claim("twelve", lambda m: error(m, "mesa", 12) / error(m, "deltanet", 12), below(0.8), "of the error",
          "After 12 examples it errs less than eight tenths of what DeltaNet does."),
    Claim("attention", lambda m: error(m, "mesa", 12) / error(m, "attention", 12), below(0.4), "of the error",
          "After 12 examples it errs less than four tenths of what softmax attention does."),
    Claim("half", lambda m: error(m, "mesa", 6), below(0.1), "",
          "After 6 examples its error is below a tenth of what the answer 0 has."),
    Claim("not-exact", lambda m: error(m, "mesa", 3), above(0.03), "",
          "After 3 examples, where least squares has no error, it still errs more than 0.03."),
]
# fmt: on

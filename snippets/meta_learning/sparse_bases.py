"""Does a small regression transformer find out which coordinates count?

Source: han2025, abstract and its synthetic task: states come to tell the bases apart while the
error falls. Here: 4 coordinates in 4 bases, 4 layers of width 32, 1,500 steps of Muon;
there 16 coordinates in 4 bases, 12 layers, 80,000 steps of Adam. An example is one
token (x, y); there x and y are two.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from snippets.contract import (
    INCONCLUSIVE,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.networks.function_vectors import decodability
from snippets.icl.networks.regression_states import query_states
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.tasks.sparse_bases import Bases, draw_sparse, oracles


@dataclass(frozen=True)
class Config:
    task: Bases = field(default_factory=Bases)
    n: int = 6  # examples
    n_layers: int = 4
    width: int = 32
    n_heads: int = 4
    n_steps: int = 1500
    batch: int = 64
    n_each: int = 250  # test prompts of each basis
    n_told: int = 100  # of which states are told apart


PRESETS = {
    "laptop": Config(),
    # the source's sizes; it sees x and y in turn, with Adam. We have not run it
    "paper": Config(Bases(16, 4), 20, 12, 256, 8, 80_000, 128),
}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, questions = streams(seed, 3)
    c, task = config, config.task
    network = RegressionTransformer(
        Sizes(task.d, c.n_layers, c.width, c.n_heads), weights
    )

    def draw(batch: int) -> Prompts:
        basis = torch.randint(task.n_bases, (batch,), generator=data)
        return draw_sparse(task, basis, c.n, data)

    train(network, draw, Training(c.n_steps, c.batch))
    basis = torch.arange(task.n_bases).repeat_interleave(c.n_each)
    test = draw_sparse(task, basis, c.n, questions)
    return {
        **errors(network, config, test, basis),
        "decodable": np.array(told_apart(network, config, test, basis)),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


@torch.no_grad()
def errors(
    network: RegressionTransformer, c: Config, test: Prompts, basis: Tensor
) -> dict[str, np.ndarray]:
    """Mean squared error at the query after 1, 2, ... examples: of the network and of
    those who know more."""
    truth = (test.x[:, -1] * test.w).sum(1)
    found: dict[str, list[float]] = {}
    for n in range(1, c.n + 1):
        x = torch.cat([test.x[:, :n], test.x[:, -1:]], 1)
        y = torch.cat([test.y[:, :n], test.y[:, -1:]], 1)
        answers = oracles(c.task, basis, x[:, :-1], y[:, :-1], x[:, -1])
        answers["network"] = network(x, y)[:, -1]
        for name, answer in answers.items():
            error = (answer - truth).square().mean().item()
            found.setdefault(name, []).append(error)
    return {f"error_{name}": np.array(values) for name, values in found.items()}


# --8<-- [end:run]


# --8<-- [start:told]
def told_apart(
    network: RegressionTransformer, c: Config, test: Prompts, basis: Tensor
) -> list[float]:
    """By layer: do states after n examples lie near states of the same basis? All are
    asked the same dummy query, so that they differ by their examples alone."""
    some = torch.cat([torch.nonzero(basis == b)[: c.n_told, 0] for b in basis.unique()])
    x = test.x[some].clone()
    x[:, -1] = 1.0
    states = query_states(network, x, test.y[some])
    return [decodability(state, basis[some]) for state in states]


# --8<-- [end:told]


def ratio(name: str, n: int):
    """The network's error after n examples, in those of another."""
    return lambda m: float(m["error_network"][n - 1] / m[f"error_{name}"][n - 1])


# fmt: off
CLAIMS = [
    Claim("ridge-like", ratio("ridge", 3), above(0.85), "",
          "After three examples the network's error is at least 0.85 times that of ridge on all coordinates."),
    Claim("not-bayes", ratio("bayes", 4), above(5), "",
          "After four examples it is more than five times that of Bayes' rule over the bases."),
    Claim("not-told", lambda m: float(m["decodable"].max()), below(0.5), "",
          "At no layer does half of the states lie among states of their own basis; a guess gets one in four. "
          "More steps and layers would be needed to say whether it comes.",
          Reported("han2025", "abstract", "states come to tell the tasks apart as the error falls", INCONCLUSIVE)),
]
# fmt: on

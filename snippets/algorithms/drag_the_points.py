"""What does a transformer that was trained to continue lines make of points that the
reader puts down?

Source: the task of garg2022, in one dimension and with an offset: y = a x + b + noise.
The noise, the rounding of the weights and the questions outside of training's range
are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    # two inputs: x, and 1 for the offset
    sizes: Sizes = field(default_factory=lambda: Sizes(d=2, n_layers=2))
    n: int = 10  # examples at most
    reach: float = 2.0  # x is uniform in (-reach, reach)
    noise: float = 0.3  # standard deviation of what is added to each y
    training: Training = field(default_factory=lambda: Training(n_steps=1200))
    n_test: int = 2000


PRESETS = {"laptop": Config()}


# --8<-- [start:lines]
def draw_lines(
    config: Config, batch: int, generator: Generator, factor: float = 1.0
) -> Prompts:
    """Points of y = a x + b + noise, with a and b ~ N(0, factor^2), new in every
    prompt."""
    shape = (batch, config.n + 1)
    x = config.reach * (2 * torch.rand(shape, generator=generator) - 1)
    w = factor * torch.randn(batch, 2, generator=generator)  # a and b
    noise = config.noise * torch.randn(shape, generator=generator)
    y = w[:, :1] * x + w[:, 1:] + noise
    return Prompts(torch.stack([x, torch.ones_like(x)], -1), y, w)


# --8<-- [end:lines]


# --8<-- [start:rounding]
@torch.no_grad()
def round_weights(network: RegressionTransformer) -> Measurements:
    """Put each weight on one of 255 even steps between plus and minus the largest of
    its column, and return the steps; the network computes with them from now on."""
    steps, largest = [], []
    for weight in network.parameters():
        columns = (
            weight.view(-1, weight.shape[-1]) if weight.ndim > 1 else weight[:, None]
        )
        most = columns.abs().amax(0).clamp(min=1e-4).half().float()
        whole = (columns / most * 127).round().clamp(-127, 127)
        columns.copy_(whole * most / 127)
        steps.append(whole.flatten())
        largest.append(most)
    return {
        "steps": torch.cat(steps).to(torch.int8).numpy(),
        "largest": torch.cat(largest).half().numpy(),
    }


# --8<-- [end:rounding]


# --8<-- [start:answers]
@torch.no_grad()
def by_network(
    network: RegressionTransformer,
    prompts: Prompts,
    asked: Float[Tensor, "batch"],
) -> Float[Tensor, "batch n_and_none"]:
    """What it says of x = asked after k = 0, 1 ... n examples."""
    query = torch.stack([asked, torch.ones_like(asked)], -1)
    queries = query[:, None].expand_as(prompts.x)
    return network(prompts.x, prompts.y, queries)


def by_rule(
    weights: Callable[[Tensor, Tensor], Tensor],
    prompts: Prompts,
    asked: Float[Tensor, "batch"],
) -> Float[Tensor, "batch n_and_none"]:
    """What a rule that gives (a, b) says after k examples; 0 after none."""
    query = torch.stack([asked, torch.ones_like(asked)], -1).double()
    x, y = prompts.x.double(), prompts.y.double()
    answers = [torch.zeros_like(query[:, 0])]
    for k in range(1, x.shape[1]):
        answers.append((weights(x[:, :k], y[:, :k]) * query).sum(-1))
    return torch.stack(answers, 1)


# --8<-- [end:answers]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, training, tests = streams(seed, 3)
    network = RegressionTransformer(config.sizes, weights)
    train(network, lambda batch: draw_lines(config, batch, training), config.training)
    test = draw_lines(config, config.n_test, tests)
    asked = test.x[:, -1, 0]
    before = by_network(network, test, asked)
    rounded = round_weights(network)
    after = by_network(network, test, asked)

    far = asked.sign() * (asked.abs() / config.reach + 1) * config.reach  # 2 to 4
    steep = draw_lines(config, config.n_test, tests, factor=3.0)
    places = {"inside": (test, asked), "far": (test, far), "steep": (steep, asked)}
    found = {f"error_{name}": errors(config, network, *p) for name, p in places.items()}
    rules = {"ridge": ridge(config), "least_squares": oracles.least_squares}
    return {
        **rounded,
        **found,
        **{
            f"from_{n}": apart(after, by_rule(r, test, asked)) for n, r in rules.items()
        },
        "rounding": float((after - before).abs().max()),
        "largest_answer": network.largest_answer(),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def ridge(config: Config) -> Callable[[Tensor, Tensor], Tensor]:
    """With the noise's variance as strength: the mean of (a, b) given the examples."""
    return lambda x, y: oracles.ridge(x, y, config.noise**2)


def errors(
    config: Config, network: RegressionTransformer, prompts: Prompts, asked: Tensor
) -> Float[np.ndarray, "who n_and_none"]:
    """Root mean squared distance from the line, of the network, ridge and least
    squares, after k examples."""
    line = (prompts.w[:, 0] * asked + prompts.w[:, 1]).double()[:, None]
    answers = (
        by_network(network, prompts, asked).double(),
        by_rule(ridge(config), prompts, asked),
        by_rule(oracles.least_squares, prompts, asked),
    )
    off = [(answer - line).square().mean(0).sqrt() for answer in answers]
    return torch.stack(off).float().numpy()


def apart(one: Tensor, other: Tensor) -> Float[np.ndarray, "n_and_none"]:
    """Root mean squared difference after k examples."""
    return (one.double() - other).square().mean(0).sqrt().float().numpy()


# --8<-- [end:run]


def over_ridge(name: str, k: int) -> Callable[[Measurements], float]:
    """The network's error after k examples, over ridge's."""
    return lambda m: float(m[f"error_{name}"][0, k] / m[f"error_{name}"][1, k])


def cautious(m: Measurements) -> float:
    """After three points: difference from ridge, over that from least squares."""
    return float(m["from_ridge"][3] / m["from_least_squares"][3])


# fmt: off
CLAIMS = [
    Claim("near-ridge", lambda m: float(m["from_ridge"][1:].max()), below(0.25), "apart at most",
          "After any number of points from one to ten its answers and ridge's are less than 0.25 apart, as a root mean "
          "square, where lines lie within some 3 of zero."),
    Claim("not-least-squares", cautious, below(0.5), "times as far",
          "After three points its answers are less than half as far from ridge as from least squares."),
    Claim("inside", over_ridge("inside", -1), below(1.25), "times ridge's error",
          "After ten points, and where x lies in training's range, it errs less than 1.25 times as much as ridge."),
    Claim("far", over_ridge("far", -1), above(1.5), "times ridge's error",
          "Asked beyond the range of training's x, up to twice as far out, it errs over 1.5 times as much as ridge."),
    Claim("steep", over_ridge("steep", -1), above(4), "times ridge's error",
          "On lines three times as steep and as far from zero it errs more than four times as much as ridge."),
    Claim("rounding", lambda m: float(m["rounding"]), below(0.1), "in units of y, at most",
          "Rounding its weights to 255 steps moves no answer by a tenth."),
]
# fmt: on

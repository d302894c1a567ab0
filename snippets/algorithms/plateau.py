"""How often does a layer never find the step of gradient descent, and what does it do
instead?

Source: vonoswald2023, appendix A.11, which reports long plateaus that depend on the
seed, and two heads as the cure. Here each seed trains 48 layers at once from 48 first
draws of weights, on the same prompts; Adam at 0.005 for 800 steps, batches of 512. The
`paper` preset has the source's batch of 2048, rate of 0.001 and 5,000 steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import least_loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_runs: int = 48  # first draws of weights
    std: float = 0.02
    batch: int = 512
    learning_rate: float = 0.005
    n_steps: int = 800
    slow_learning_rate: float = 0.001
    n_slow_steps: int = 1500
    record_every: int = 10
    n_test: int = 20_000


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        std=0.0135,
        batch=2048,
        learning_rate=0.001,
        n_steps=5000,
        slow_learning_rate=0.0002,
        n_slow_steps=25_000,
    ),
}

WAYS = ("one head", "two heads", "one matrix", "slow")


# --8<-- [start:ways]
def as_one_matrix(network: OneLayer) -> None:
    """Put the identity for K and keep it there, so that W = K'Q is Q alone."""
    network.K.requires_grad_(False)
    network.K.copy_(torch.eye(network.K.shape[-1]).expand_as(network.K))


def build(way: str, config: Config, generator: Generator) -> OneLayer:
    n_heads = 2 if way == "two heads" else 1
    network = OneLayer(config.n_runs, config.d, generator, n_heads, config.std)
    if way == "one matrix":
        as_one_matrix(network)
    return network


# --8<-- [end:ways]


# --8<-- [start:train]
def train(
    network: OneLayer,
    config: Config,
    generator: Generator,
    learning_rate: float,
    ticks: Callable,
    n_steps: int,
) -> np.ndarray:
    """Train all at once; returns the loss on the training batches, (record, run)."""
    weights = [p for p in network.parameters() if p.requires_grad]
    adam = torch.optim.Adam(weights, learning_rate, betas=(0.9, 0.98))
    cool = torch.optim.lr_scheduler.LambdaLR(
        adam, lambda step: min(1, (1 - step / n_steps) / 0.4)
    )
    losses = []
    for _ in ticks(n_steps):
        prompts = draw_prompts(
            config.batch, config.n, config.d, generator, width=config.width
        )
        predicted = network(fold(prompts.tokens()))  # (run, batch)
        loss = (predicted - prompts.answer).square().mean(1) / 2
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        cool.step()
        losses.append(loss.detach())
    recorded = torch.stack(losses).unfold(0, config.record_every, config.record_every)
    return recorded.mean(-1).numpy()


# --8<-- [end:train]


def run(config: Config, seed: int) -> Measurements:
    measured: dict[str, np.ndarray] = {}
    for index, way in enumerate(WAYS):
        slow = way == "slow"
        generator = Generator().manual_seed(seed)  # the same first weights, one head
        network = build(way, config, generator)
        curves = train(
            network,
            config,
            generator,
            config.slow_learning_rate if slow else config.learning_rate,
            lambda n, index=index: steps(n, loop=index, of=len(WAYS)),
            config.n_slow_steps if slow else config.n_steps,
        )
        test = draw_prompts(
            config.n_test, config.n, config.d, generator, width=config.width
        )
        with torch.no_grad():
            predicted = network(fold(test.tokens()))
        loss = ((predicted - test.answer).square().mean(1) / 2).numpy()
        v_squared = network.v.detach().square()  # (run, head, d + 1)
        name = way.replace(" ", "_")
        measured |= {
            f"{name}_curves": curves,
            f"{name}_loss": loss,
            # against no map, on the same prompts: spares their sampling error
            f"{name}_share": loss / (test.answer.square().mean() / 2).item(),
            # how much of v reads x: 0 in the constructed layer
            f"{name}_mirrored": (
                v_squared[..., :-1].sum((1, 2)) / v_squared.sum((1, 2))
            ).numpy(),
        }
    ranks = (0, 1, 2, config.d)
    levels = [least_loss(config.width, config.n, config.d, rank) for rank in ranks]
    return {**measured, "levels": np.array(levels)}


# --8<-- [start:derived]
STUCK = 1.5  # times the optimum's loss


def stuck(m: Measurements, way: str) -> np.ndarray:
    """Which layers end far above the optimum."""
    return m[f"{way}_loss"] > STUCK * m["levels"][-1]


def share_stuck(m: Measurements, way: str) -> float:
    return float(stuck(m, way).mean())


def of_the_stuck(m: Measurements, name: str) -> float:
    """The median of a measure over the stuck layers with one head, or infinity where
    there is none."""
    which = stuck(m, "one_head")
    return float(np.median(m[f"one_head_{name}"][which])) if which.any() else np.inf


def two_against_one(m: Measurements) -> float:
    """Share stuck with two heads over that with one; infinity if none is stuck."""
    one = share_stuck(m, "one_head")
    return share_stuck(m, "two_heads") / one if one else np.inf


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("stuck", lambda m: 100 * share_stuck(m, "one_head"), between(1.9, 35.1), "in 100",
          "With one head between 2 and 35 in 100 first draws end on the plateau.",
          Reported("vonoswald2023", "appendix A.11", "plateaus whose length depends on the seed", REPRODUCED)),
    Claim("slow", lambda m: 100 * share_stuck(m, "slow"), between(1.9, 35.1), "in 100",
          "At a fifth of the learning rate it is between 2 and 35 in 100 too."),
    Claim("two-heads", lambda m: 100 * share_stuck(m, "two_heads"), below(10), "in 100",
          "With two heads it is fewer than 10 in 100.",
          Reported("vonoswald2023", "appendix A.11", "two heads cure the plateaus", REPRODUCED)),
    Claim("fewer", two_against_one, below(0.75), "of the share",
          "That is fewer than three quarters of what it is with one head."),
    Claim("mirrored", lambda m: of_the_stuck(m, "mirrored"), above(0.9), "of |v|²",
          "Of the value vector v of a stuck layer, more than nine tenths read x (the median of them).",
          digits=3),
    Claim("level", lambda m: (of_the_stuck(m, "share") / float(m["levels"][1] / m["levels"][0])),
          between(0.97, 1.03), "of the level",
          "The loss of a stuck layer (the median) is within 3 percent of that of a map of rank 1.",
          digits=3),
    Claim("one-matrix", lambda m: 100 * share_stuck(m, "one_matrix"), below(6), "in 100",
          "With one matrix in place of K'Q fewer than 6 in 100 stay there."),
]
# fmt: on

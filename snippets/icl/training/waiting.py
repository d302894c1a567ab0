"""Layers on a plateau: training them for long, in several ways, until they leave it.

What a step uses is two gradients (see two_gradient_adam): a direction and a scale. Who
is below 1.5 times the least loss, in the mean over 25 steps, has arrived.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.networks.heads_by_hand import Heads, heads_of, on_average, on_batch
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import least_loss
from snippets.icl.training.two_gradient_adam import TwoGradientAdam


@dataclass(frozen=True)
class Config:
    d: int = 10
    n: int = 10
    width: float = 1.0  # x is uniform in (-width/2, width/2)
    n_runs: int = 48  # first draws of weights
    std: float = 0.02
    batch: int = 256
    large_batch: int = 1024
    learning_rate: float = 0.005
    n_steps: int = 16_000  # in all, for whoever has not arrived
    stuck_at: int = 800  # whoever has not arrived by then is stuck
    n_other_steps: int = 1200  # of the stuck, in each other way
    record_every: int = 25
    n_curved: int = 6  # stuck layers whose curvatures are computed
    give_up_at: int = 300  # a restart comes here; set on seeds from 1000 up


STUCK = 1.5  # times the least loss


def limit_of(config: Config) -> float:
    """The loss below which a layer has arrived."""
    return STUCK * least_loss(config.width, config.n, config.d)


# --8<-- [start:ways]
Gradients = tuple[Tensor, Heads, Heads]  # losses, direction, scale


def batches(config: Config, size: int, data: Generator) -> Callable[[Heads], Gradients]:
    """Waiting: the direction and the scale of a fresh batch."""

    def gradients(heads: Heads) -> Gradients:
        prompts = draw_prompts(size, config.n, config.d, data, width=config.width)
        loss, by = on_batch(heads, fold(prompts.tokens()), prompts.answer)
        return loss, by, by

    return gradients


def no_noise(config: Config) -> Callable[[Heads], Gradients]:
    """The mean over all prompts, in direction and in scale."""

    def gradients(heads: Heads) -> Gradients:
        loss, by = on_average(heads, config.width, config.n)
        return loss, by, by

    return gradients


def no_noise_but_its_scale(
    config: Config, data: Generator
) -> Callable[[Heads], Gradients]:
    """The direction of the mean over all prompts, the scale of a batch."""
    batch = batches(config, config.batch, data)

    def gradients(heads: Heads) -> Gradients:
        loss, direction = on_average(heads, config.width, config.n)
        return loss, direction, batch(heads)[2]

    return gradients


# --8<-- [end:ways]


# --8<-- [start:wait]
@dataclass
class Waiting:
    """Layers in training, and when each arrived."""

    heads: Heads
    adam: TwoGradientAdam
    arrived: np.ndarray  # (run,): the step, infinity before it

    @classmethod
    def new(cls, network: OneLayer, config: Config) -> "Waiting":
        heads = heads_of(network)
        adam = TwoGradientAdam.new(heads, config.learning_rate)
        return cls(heads, adam, np.full(config.n_runs, np.inf))

    def stuck(self) -> "Waiting":
        """A copy that goes on with those that have not arrived, from step 0."""
        which = torch.from_numpy(np.flatnonzero(np.isinf(self.arrived)))
        never = np.full(len(which), np.inf)
        return Waiting(self.heads.only(which), self.adam.only(which), never)

    def go_on(
        self, gradients: Callable, config: Config, ticks: Iterator[int], start: int = 0
    ) -> None:
        """Train all of them; note for each the end of the first 25 steps whose mean
        loss is below the limit."""
        total, limit = torch.zeros(len(self.arrived)), limit_of(config)
        for step, _ in enumerate(ticks, 1):
            loss, direction, scale = gradients(self.heads)
            self.adam.step(self.heads, direction, scale)
            total += loss
            if step % config.record_every == 0:
                low = (total / config.record_every < limit).numpy()
                self.arrived[low & np.isinf(self.arrived)] = start + step
                total.zero_()


# --8<-- [end:wait]


# --8<-- [start:long]
def wait_long(
    waiting: Waiting, config: Config, data: Generator, ticks: Iterator[int]
) -> np.ndarray:
    """Go on with the stuck to the last step, in pieces: before each, drop those that
    have arrived. Returns when each of all layers arrived."""
    gradients, arrived = batches(config, config.batch, data), waiting.arrived.copy()
    piece = config.stuck_at
    for done in range(piece, config.n_steps, piece):
        places = np.flatnonzero(np.isinf(arrived))
        if not len(places):
            break
        waiting = waiting.stuck()
        waiting.go_on(gradients, config, islice(ticks, piece), done)
        arrived[places] = waiting.arrived
    return arrived


# --8<-- [end:long]


# --8<-- [start:descent]
def descend(
    heads: Heads, largest: Tensor, config: Config, ticks: Iterator[int]
) -> np.ndarray:
    """Plain gradient descent on the mean over all prompts, near its flow: half of one
    over the largest curvature, no step longer than 0.05. Returns when each arrives."""
    heads = Heads(*(weights.double() for weights in heads))
    arrived, limit = np.full(len(heads.v), np.inf), limit_of(config)
    for step, _ in enumerate(ticks, 1):
        loss, by = on_average(heads, config.width, config.n)
        length = torch.stack([g.square().flatten(1).sum(1) for g in by]).sum(0).sqrt()
        rate = torch.minimum(0.5 / largest, 0.05 / length)
        for weights, g in zip(heads, by):
            weights.sub_(rate.view(-1, *[1] * (g.ndim - 1)) * g)
        arrived[(loss < limit).numpy() & np.isinf(arrived)] = step
    return arrived


# --8<-- [end:descent]

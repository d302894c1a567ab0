"""Train with a learning rate that was chosen within the run.

Each rate of a grid trains a network of its own, from the same first weights on the same
data, for the first part of the steps. The one with the least held-out loss goes on to
the end; the others are dropped.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from snippets.progress import steps


@dataclass(frozen=True)
class Schedule:
    rates: tuple[float, ...]
    n_tune: int  # steps that every rate gets
    n_steps: int  # steps that the best of them gets, the first n_tune included
    warm_up: int = 30

    def share(self, step: int) -> float:
        """Of the full rate: it rises from 0, stays, and falls to 0 in the last half."""
        left = (self.n_steps - step) / (self.n_steps / 2)
        return min(1.0, (step + 1) / self.warm_up, left)


# --8<-- [start:train]
def train(
    network: nn.Module,
    loss: Callable[[nn.Module, Generator], Tensor],
    held_out: Callable[[nn.Module], float],
    schedule: Schedule,
    seed: int,
) -> tuple[nn.Module, list[float]]:
    """The network of the best rate, trained to the end, and every rate's held-out loss
    when the rate was chosen. `loss` draws a batch from the generator it is given.

    Raises ValueError where there is no rate, or the tuning is longer than the training.
    """
    check(schedule)
    runs = []
    for number, rate in enumerate(schedule.rates):
        run = Run(copy.deepcopy(network), loss, schedule, rate, seed)
        for _ in steps(schedule.n_tune, loop=number, of=len(schedule.rates) + 1):
            run.step()
        with torch.no_grad():
            value = held_out(run.network)
        runs.append((value if math.isfinite(value) else math.inf, number, run))
    best = min(runs)[2]
    n_left, last = schedule.n_steps - schedule.n_tune, len(schedule.rates)
    for _ in steps(n_left, loop=last, of=last + 1):
        best.step()
    return best.network, [value for value, _, _ in runs]


class Run:
    """One network, its optimiser, and where both are."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[nn.Module, Generator], Tensor],
        schedule: Schedule,
        rate: float,
        seed: int,
    ) -> None:
        self.network, self.loss, self.schedule = network, loss, schedule
        self.rate, self.done = rate, 0
        self.generator = Generator().manual_seed(seed)
        self.optimizer = torch.optim.Adam(network.parameters(), rate, betas=(0.9, 0.98))

    def step(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * self.schedule.share(self.done)
        loss = self.loss(self.network, self.generator)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.done += 1


# --8<-- [end:train]


def check(schedule: Schedule) -> None:
    """Raise ValueError, in words, where nothing can be trained so."""
    if not schedule.rates:
        raise ValueError("there is no learning rate to try: give at least one")
    if not 1 <= schedule.n_tune <= schedule.n_steps:
        raise ValueError(
            f"{schedule.n_tune} tuning steps of {schedule.n_steps}: give at least 1 "
            "and at most all"
        )

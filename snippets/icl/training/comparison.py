"""Eight architectures on one task: what every such comparison shares.

A task draws prompts with n examples and queries. A network is trained on prompts of
some sizes, and its score is a function of n.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Generator, Tensor, nn

from snippets.icl.networks.same_block import Frame
from snippets.icl.training.fresh_batches import Network, train, trained

ATTENTION = ("decoder", "encoder-decoder", "prefix-lm")
CORRECTING = ("deltanet", "titans")  # memories that look before they write
MATRICES = ("linear-attention", *CORRECTING)
OTHERS = ("lstm", "convolution")

RATES = (0.001, 0.003, 0.01, 0.03, 0.1)  # those that were tried
Cells = Mapping[str, Mapping[str, Any]]  # what each architecture measured, by its name


@dataclass(frozen=True)
class Comparison(Frame):
    rate: float = 0.01
    train_sizes: tuple[int, ...] = ()  # examples in a prompt
    test_sizes: tuple[int, ...] = ()
    batch: int = 16  # prompts
    n_steps: int = 400
    n_test: int = 256  # prompts of each size, at the end


# --8<-- [start:fit]
@runtime_checkable
class Task(Protocol):
    """Prompts, and what a network's answers to them cost."""

    def draw(self, batch: int, n_examples: int, generator: Generator) -> Any: ...

    def loss(self, network: nn.Module, prompts: Any) -> Tensor: ...


def fit(network: Network, task: Task, c: Comparison, data: Generator) -> Network:
    """Trains on prompts of all sizes in turn."""

    def batch_loss() -> Tensor:
        which = int(torch.randint(len(c.train_sizes), (), generator=data))
        return task.loss(network, task.draw(c.batch, c.train_sizes[which], data))

    steps = train(network, batch_loss, c.n_steps, c.rate, 30, cool_down=0.5, clip=1.0)
    return trained(network, steps)


# --8<-- [end:fit]


def at(m: Cells, cell: str, n: int, name: str) -> float:
    """What an architecture measured with n examples."""
    found = np.asarray(m[cell][name])[np.asarray(m[cell]["size"]) == n]
    return float(found[0])


def most(m: Cells, cells: tuple[str, ...], n: int, name: str) -> float:
    return max(at(m, cell, n, name) for cell in cells)


def least(m: Cells, cells: tuple[str, ...], n: int, name: str) -> float:
    return min(at(m, cell, n, name) for cell in cells)

"""Train small networks side by side on the same sequences, and read their losses.

No network's loss depends on another's weights, so the sum of all losses has each one's
own gradient: this is training each by itself, only quicker.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.clamped import Clamp, Clamped
from snippets.icl.tasks.relabelled import Batch, Task, sample
from snippets.progress import steps


# --8<-- [start:config]
@dataclass(frozen=True)
class Training:
    task: Task = field(default_factory=Task)
    clamps: tuple[Clamp, ...] = ((),)  # a network for each
    n_heads: int = 1  # of layer 2
    std: float = 0.02  # of all first weights
    strength: float = 8.0  # of a clamped match or copy
    learning_rate: float = 1.0  # plain SGD
    batch: int = 32
    n_steps: int = 800
    evaluate_every: int = 10
    n_test: int = 512


# --8<-- [end:config]


def new_network(config: Training, generator: Generator) -> Clamped:
    c = config
    return Clamped(c.task, c.clamps, generator, c.n_heads, c.std, c.strength)


def losses(
    logits: Float[Tensor, "net batch n_labels"], answer: Int[Tensor, "batch"]
) -> Float[Tensor, "net"]:
    """The mean loss of each network."""
    every = F.cross_entropy(
        logits.flatten(0, 1), answer.repeat(len(logits)), reduction="none"
    )
    return every.reshape(len(logits), -1).mean(1)


# --8<-- [start:train]
def train(
    network: Clamped,
    vectors: Float[Tensor, "cls d"],
    config: Training,
    data: Generator,
    test: Batch,
) -> dict[str, np.ndarray]:
    """Train, and return the test losses and accuracies: (look, net)."""
    optimizer = torch.optim.SGD(network.parameters(), config.learning_rate)
    looks: dict[str, list] = {"step": [], "loss": [], "accuracy": []}
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                logits = network(test.tokens)[0]
            right = (logits.argmax(-1) == test.answer).float().mean(-1)
            looks["step"].append(step)
            looks["loss"].append(losses(logits, test.answer).numpy())
            looks["accuracy"].append(right.numpy())
        batch = sample(config.task, vectors, config.batch, data)
        optimizer.zero_grad()
        losses(network(batch.tokens)[0], batch.answer).sum().backward()
        optimizer.step()
    return {name: np.array(seen) for name, seen in looks.items()}


# --8<-- [end:train]


# --8<-- [start:wait]
def passes(steps: np.ndarray, loss: np.ndarray, level: float) -> float:
    """The step at which a loss falls through a level for the first time, on a straight
    line between two looks; infinity for never."""
    below = np.flatnonzero(loss < level)
    if not len(below):
        return math.inf
    i = below[0]
    if i == 0:
        return float(steps[0])
    share = (loss[i - 1] - level) / (loss[i - 1] - loss[i])
    return float(steps[i - 1] + share * (steps[i] - steps[i - 1]))


def wait(steps: np.ndarray, loss: np.ndarray, n_pairs: int) -> float:
    """Until the loss is half that of a guess among the labels shown."""
    return passes(steps, loss, math.log(n_pairs) / 2)


def lateness(steps: np.ndarray, loss: np.ndarray, n_pairs: int) -> float:
    """Which share of the wait is over when a quarter of its fall is. An exponential
    that falls from ln 8 to half of ln 3 has 0.15 of it."""
    low = math.log(n_pairs) / 2
    quarter = passes(steps, loss, loss[0] - (loss[0] - low) / 4)
    return quarter / wait(steps, loss, n_pairs)


# --8<-- [end:wait]

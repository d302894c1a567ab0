"""Train a small two-layer network on item-label sequences until it has jumped.

The network and the task are those of `two_layer` and `item_label`, with two changes
that make many short runs comparable. Every training sequence shows new classes, so that
nothing can be remembered. And the classifier's biases are held at zero: one negative
number for a whole layer can silence it, and a silent network looks like a stuck one.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.tasks.item_label import Task, World
from snippets.progress import steps


# --8<-- [start:training]
def new_classes(n_pairs: int, n_labels: int, d_item: int = 32) -> Task:
    """Contexts of N pairs with L labels, all of classes drawn for their batch alone."""
    return Task(
        n_pairs=n_pairs,
        n_labels=n_labels,
        n_classes=n_labels,
        d_item=d_item,
        n_slots=2 * n_pairs + 1,
        novel_share=1.0,
    )


@dataclass(frozen=True)
class Training:
    task: Task
    optimizer: str = "sgd"  # or "adam"
    learning_rate: float = 0.3
    scale: float = 1.0  # of the attention matrices at the start
    width: int = 64  # of the classifier
    batch: int = 64
    n_steps: int = 2500  # at most
    evaluate_every: int = 25
    n_test: int = 256  # sequences to test on

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such training."""
        if self.optimizer not in ("sgd", "adam"):
            raise ValueError(f"optimizer = {self.optimizer!r}: choose sgd or adam")
        if self.task.novel_share != 1:
            raise ValueError(
                f"novel_share = {self.task.novel_share} must be 1: every class is new"
            )


# --8<-- [end:training]


# --8<-- [start:train]
def train_to_the_jump(config: Training, seed: int) -> dict[str, Float[Tensor, "time"]]:
    """Loss and accuracy on new classes, every few steps until the loss is under half of
    ln N or `n_steps` are over."""
    generator = torch.Generator().manual_seed(seed)
    task = config.task
    world = World(task, generator)
    network = TwoLayerNetwork(
        task.d_model, task.d_item, task.n_labels, config.width, generator
    )
    with torch.no_grad():
        for bias in network.b_hidden:
            bias.zero_().requires_grad_(False)
        for matrices in (network.W_Q, network.W_K, network.W_V):
            matrices.mul_(config.scale)
    kind = torch.optim.SGD if config.optimizer == "sgd" else torch.optim.Adam
    learned = [p for p in network.parameters() if p.requires_grad]
    optimizer = kind(learned, lr=config.learning_rate)

    test, seen = world.novel(config.n_test), []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            with torch.no_grad():
                logits, _, _ = network(test.tokens)
            loss = F.cross_entropy(logits, test.answer).item()
            right = (logits.argmax(-1) == test.answer).double().mean().item()
            seen.append((step, loss, right, logits.std(0).mean().item()))
            if loss < math.log(task.n_pairs) / 2:
                break
        batch = world.novel(config.batch)
        optimizer.zero_grad()
        F.cross_entropy(network(batch.tokens)[0], batch.answer).backward()
        optimizer.step()
    names = ("step", "loss", "accuracy", "logit_spread")
    return dict(zip(names, torch.tensor(seen, dtype=torch.float64).unbind(1)))


# --8<-- [end:train]


def first_below(curves: dict[str, Float[Tensor, "time"]], level: float) -> float:
    """The first step with a loss under `level`, in nats, or infinity."""
    below = curves["loss"] < level
    return float(curves["step"][below][0]) if below.any() else math.inf

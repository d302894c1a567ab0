"""Train a small two-layer network on item-label sequences, and stop now and then to look.

The network and the task are those of `two_layer` and `item_label`. `new_classes` makes
tasks in which every training sequence shows new classes, so that nothing can be
remembered; `train_to_the_jump` stops as soon as a network has learned one of them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Task, World
from snippets.progress import steps

BLOCK = 25  # steps whose sequences are drawn at once: fewer and larger draws


# --8<-- [start:training]
@dataclass(frozen=True)
class Training:
    task: Task = field(default_factory=Task)
    optimizer: str = "sgd"  # without momentum or decay; or "adam"
    learning_rate: float = 0.5
    n_steps: int = 1500  # at most
    width: int = 64  # of the classifier's hidden layers
    batch: int = 64
    scale: float = 1.0  # of the attention matrices at the start
    biases: bool = False  # in the classifier, as the source's code has them
    evaluate_every: int = 25
    n_test: int = 512  # sequences to test on
    enough: float = 0.5  # to_the_jump stops when the loss is under this share of ln N

    # --8<-- [end:training]

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such training."""
        if self.optimizer not in ("sgd", "adam"):
            raise ValueError(f"optimizer = {self.optimizer!r}: choose sgd or adam")


def new_classes(n_pairs: int, n_labels: int, d_item: int = 32) -> Task:
    """Contexts of N pairs with L labels; every sequence has classes of its own."""
    return Task(
        n_pairs=n_pairs,
        n_labels=n_labels,
        n_classes=n_labels,  # as few as there can be: they are never shown
        d_item=d_item,
        n_slots=2 * n_pairs + 1,
        novel_share=1.0,
    )


# --8<-- [start:train]
def new_network(config: Training, generator: Generator) -> TwoLayerNetwork:
    t = config.task
    sizes = (t.d_model, t.d_item, t.n_labels, config.width)
    network = TwoLayerNetwork(*sizes, generator, config.biases)
    with torch.no_grad():
        for matrices in (network.W_Q, network.W_K, network.W_V):
            matrices.mul_(config.scale)
    return network


def train(
    network: TwoLayerNetwork, world: World, config: Training, generator: Generator
) -> Iterator[int]:
    """Train the network, and hand over the step whenever it is time to look at it."""
    kind = torch.optim.SGD if config.optimizer == "sgd" else torch.optim.Adam
    optimizer = kind(network.parameters(), lr=config.learning_rate)
    batches: Iterator[tuple[Tensor, Tensor]] = iter(())
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            yield step
        if step == config.n_steps:
            return
        if step % BLOCK == 0:  # fresh sequences at every step: nothing to overfit
            block = world.train(config.batch * BLOCK, generator)
            batches = zip(
                block.tokens.split(config.batch), block.answer.split(config.batch)
            )
        tokens, answer = next(batches)
        logits, _, _ = network(tokens)
        optimizer.zero_grad()
        F.cross_entropy(logits, answer).backward()
        optimizer.step()


# --8<-- [end:train]


# --8<-- [start:to_the_jump]
def train_to_the_jump(config: Training, seed: int) -> dict[str, Float[Tensor, "time"]]:
    """Loss and accuracy on new classes, every few steps until the loss is low enough or
    `n_steps` are over."""
    fixed, weights, data, exam = streams(seed, 4)
    world = World(config.task, fixed)
    network = new_network(config, weights)
    test, seen = world.novel(config.n_test, exam), []
    for step in train(network, world, config, data):
        with torch.no_grad():
            logits, _, _ = network(test.tokens)
        loss = F.cross_entropy(logits, test.answer).item()
        right = (logits.argmax(-1) == test.answer).double().mean().item()
        seen.append((step, loss, right, logits.std(0).mean().item()))
        if loss < config.enough * math.log(config.task.n_pairs):
            break
    names = ("step", "loss", "accuracy", "logit_spread")
    return dict(zip(names, torch.tensor(seen, dtype=torch.float64).unbind(1)))


# --8<-- [end:to_the_jump]


def first_below(curves: dict[str, Float[Tensor, "time"]], level: float) -> float:
    """The first step with a loss under `level`, in nats, or infinity."""
    below = curves["loss"] < level
    return float(curves["step"][below][0]) if below.any() else math.inf

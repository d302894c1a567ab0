"""Four heads in the second layer: which of them is needed?

Source: singh2024, figures 3 and 4, by the released runs (eight heads, each also trained
alone, with the others cut throughout). Here: four heads, the task of `clamps`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.clamped import Clamped
from snippets.icl.streams import streams
from snippets.icl.tasks.relabelled import Batch, Task, sample
from snippets.icl.training.clamped_networks import (
    Training,
    losses,
    new_network,
    train,
    wait,
)


@dataclass(frozen=True)
class Config:
    n_heads: int = 4
    n_steps: int = 600

    @property
    def training(self) -> Training:
        """A network with all heads, one without each, one with each alone."""
        clamps = ((),) * (1 + 2 * self.n_heads)
        return Training(
            Task(n_pairs=3),
            clamps,
            self.n_heads,
            n_steps=self.n_steps,
            evaluate_every=5,
        )


PRESETS = {"laptop": Config()}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    c, n_heads = config.training, config.n_heads
    fixed, weights, data, exam = streams(seed, 4)
    vectors = c.task.vectors(fixed)
    network = new_network(c, weights)
    for head in range(n_heads):
        network.cut(1 + head, head)  # network 1 + head lacks it from the start
        for other in set(range(n_heads)) - {head}:
            network.cut(1 + n_heads + head, other)  # and this one has no other
    test = sample(c.task, vectors, c.n_test, exam)
    curves = train(network, vectors, c, data, test)
    looks, n = curves["loss"].T, c.task.n_pairs
    return {
        "step": curves["step"],
        "loss": curves["loss"].astype(np.float32),
        "wait": np.array([wait(curves["step"], loss, n) for loss in looks]),
        **cut_one_by_one(network, test),
    }


# --8<-- [end:run]


# --8<-- [start:cut]
@torch.no_grad()
def cut_one_by_one(network: Clamped, test: Batch) -> dict[str, np.ndarray]:
    """Cut the strongest head of the trained network 0, then the strongest of the rest,
    and so on: loss and accuracy after each. And each head cut alone."""
    _, _, second = network(test.tokens)
    every = torch.arange(len(test.match))
    label = 1 + 2 * test.match  # where the right label stands
    strength = second[0][:, every, label].mean(1)  # attention of each head to it
    order = strength.argsort(descending=True).tolist()
    in_turn = [score(network, test, order[:k]) for k in range(len(order) + 1)]
    alone = [score(network, test, [head]) for head in range(len(order))]
    return {
        "strength": strength.numpy(),
        "in_turn": np.array(in_turn),  # (heads cut, loss and accuracy)
        "one_cut": np.array(alone),
    }


def score(network: Clamped, test: Batch, without: Sequence[int]) -> list[float]:
    """Loss and accuracy of network 0 without some heads; they are put back."""
    before: Tensor = network.on.clone()  # type: ignore[operator]
    for head in without:
        network.cut(0, head)
    logits = network(test.tokens)[0][:1]
    network.on.copy_(before)  # type: ignore[operator]
    right = (logits[0].argmax(-1) == test.answer).float().mean()
    return [float(losses(logits, test.answer)[0]), float(right)]


# --8<-- [end:cut]


def late(m: Measurements, networks: slice) -> np.ndarray:
    """Waits of some networks against that of the one with all heads."""
    return m["wait"][networks] / m["wait"][0]


# fmt: off
CLAIMS = [
    Claim("one-cut", lambda m: float(m["one_cut"][:, 1].min()), above(0.95), "",
          "Any one of the four heads can be cut from the trained network: it is right in 95 of 100.", digits=3),
    Claim("one-left", lambda m: float(m["in_turn"][3, 1]), above(0.8), "",
          "With the three strongest cut, one after the other, the last one is right in more than eight cases of ten.",
          digits=3),
    Claim("unsure", lambda m: float(m["in_turn"][3, 0] / m["in_turn"][0, 0]), above(4), "times the loss",
          "But the loss is more than four times that of all: the heads add up."),
    Claim("none-left", lambda m: float(m["in_turn"][4, 1]), below(0.25), "",
          "With all four cut it is right no more often than a guess."),
    Claim("without", lambda m: float(late(m, slice(1, 5)).max()), below(1.2), "times as long",
          "Trained without any one head from the start, it waits less than a fifth longer.", digits=3),
    Claim("alone", lambda m: float(late(m, slice(5, 9)).min()), above(1.05), "times as long",
          "A head trained alone waits longer than the four together."),
]
# fmt: on

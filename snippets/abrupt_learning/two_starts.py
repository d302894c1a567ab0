"""At one and the same weight decay, does a network's start decide whether it reads?

A network of *The jump*, smaller, is trained at several weight decays from two starts:
from first weights, and from the weights of a network that has its head. Where the one
stays on the plateau and the other keeps its head, for as long as we train, both are
there at once, as in a transition of first order.

Source: ours. Task and network are those of reddy2024, section 2: N = 4, L = 16, every
class new, items of 32 dimensions.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, between
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, World
from snippets.icl.training.held_back import (
    Weights,
    all_of,
    copies,
    one_of,
    repeated,
    train_held_back,
)
from snippets.icl.training.to_the_jump import Training, new_classes, new_network


@dataclass(frozen=True)
class Config:
    training: Training = field(
        default_factory=lambda: Training(
            new_classes(4, 16), learning_rate=0.4, batch=32, n_test=256
        )
    )
    # the first is small: there a network from first weights gets its head
    decays: tuple[float, ...] = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
    n_steps: int = 1800  # from first weights
    n_more: int = 900  # from the head
    look_every: int = 50
    has_it: float = 0.9  # accuracy from which a network counts as having its head


PRESETS = {"laptop": Config()}


# --8<-- [start:look]
@torch.no_grad()
def look(network: TwoLayerNetwork, weights: Weights, test: Batch) -> dict[str, Tensor]:
    """Of each copy: accuracy, and the target's attention to the right label."""
    logits, _, second = all_of(network, weights, test.tokens)
    right = (logits.argmax(-1) == test.answer).float().mean(-1)
    attention = (second[..., 1::2] * test.answer_shown).sum(-1).mean(-1)
    return {"accuracy": right, "attention": attention}


# --8<-- [end:look]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    t, decays = config.training, config.decays
    fixed, first, data, exam, more = streams(seed, 5)
    world = World(t.task, fixed)
    network = new_network(t, first)
    test = world.novel(t.n_test, exam)
    how: dict[str, Any] = {"batch": t.batch, "learning_rate": t.learning_rate}
    how |= {"look_every": config.look_every}

    weights, seen, head = copies(network, len(decays)), [], None
    ticks = train_held_back(
        network, weights, decays, world, data, n_steps=config.n_steps, **how
    )
    came = math.inf
    for step in ticks:
        seen.append(look(network, weights, test))
        if head is None and seen[-1]["accuracy"][0] > config.has_it:
            head, came = one_of(weights, 0), float(step)
    fresh = stacked(seen)
    if head is None:  # no head to start from: nothing more to measure
        return fresh_only(fresh, config)

    weights, seen = repeated(head, len(decays)), []
    for _ in train_held_back(
        network, weights, decays, world, more, n_steps=config.n_more, **how
    ):
        seen.append(look(network, weights, test))
    return named("fresh", fresh) | named("head", stacked(seen)) | {"came": came}


# --8<-- [end:run]


def stacked(seen: list[dict[str, Tensor]]) -> dict[str, np.ndarray]:
    return {
        name: torch.stack([one[name] for one in seen]).numpy() for name in seen[0]
    }  # (time, net)


def named(start: str, curves: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{start}_{name}": values for name, values in curves.items()}


def fresh_only(fresh: dict[str, np.ndarray], config: Config) -> Measurements:
    """Where no head ever came: the second half is as the first, at its start."""
    n_looks = config.n_more // config.look_every + 1
    head = {name: np.repeat(values[:1], n_looks, 0) for name, values in fresh.items()}
    return named("fresh", fresh) | named("head", head) | {"came": math.inf}


def at_the_end(m: Measurements, curve: str) -> np.ndarray:
    """(decay,): mean of a curve over the last five looks."""
    return m[curve][-5:].mean(0)


def came(m: Measurements) -> bool:
    """Whether there was a head to start from."""
    return math.isfinite(m["came"])


BOTH = slice(2, 5)  # decays 0.004, 0.008, 0.016
STRONG = 4  # 0.016


def least_kept(m: Measurements) -> float:
    return float(at_the_end(m, "head_attention")[BOTH].min())


def most_found(m: Measurements) -> float:
    return float(at_the_end(m, "fresh_attention")[BOTH].max())


def leap(m: Measurements) -> float:
    """The largest drop of a head's attention from one decay to the next."""
    return float(-np.diff(at_the_end(m, "head_attention")).min())


# fmt: off
CLAIMS = [
    Claim("came", lambda m: float(m["came"]), at_most(1800), "steps",
          "At the least decay a network has its head by step 1,800.", digits=4),
    Claim("keeps", least_kept, above(0.5), "of the attention",
          "From a head, at decays of 0.004, 0.008 and 0.016, the right label keeps more than half of the attention.",
          applies=came),
    Claim("right", lambda m: float(at_the_end(m, "head_accuracy")[3]), above(0.85), "",
          "At 0.008 such a network is right in more than 85 of a hundred prompts.", applies=came),
    Claim("stays", most_found, below(0.3), "of the attention",
          "From first weights, at the same three decays, it gets less than three tenths within 1,800 steps."),
    Claim("leap", leap, above(0.35), "",
          "From one decay to the next, twice as large, a head's attention drops by more than 0.35 at one place.",
          applies=came),
    Claim("dead", lambda m: float(at_the_end(m, "fresh_attention")[STRONG]), between(0.1, 0.125), "",
          "From first weights at 0.016 attention is even in the end: one in nine."),
]
# fmt: on

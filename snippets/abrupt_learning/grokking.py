"""Grokking beside it: why does a network that knows its examples learn the rule so late?

Source: power2022 and nanda2023, abstracts. Smaller and not a transformer: p = 31,
two layers with squares between them (gromov2023, abstract, has a two-layer
network too), all examples in each step, AdamW with a decay of 1.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.networks.parts import normal
from snippets.icl.streams import streams
from snippets.icl.tasks.modular_addition import Sums, table
from snippets.progress import steps


# --8<-- [start:config]
@dataclass(frozen=True)
class Config:
    p: int = 31
    share: float = 0.4  # of the table, for training
    width: int = 128
    learning_rate: float = 0.005
    weight_decay: float = 1.0
    n_steps: int = 2500
    every: int = 25


PRESETS = {"laptop": {"decay": Config(), "none": Config(weight_decay=0.0)}}
# --8<-- [end:config]


# --8<-- [start:network]
def new_weights(config: Config, generator: Generator) -> list[Tensor]:
    p, width = config.p, config.width
    W = normal(2 * p, width, std=(2 * p) ** -0.5, generator=generator)
    U = normal(width, p, std=width**-0.5, generator=generator)
    return [W, U]


def logits(
    weights: list[Tensor], pairs: Float[Tensor, "batch two_p"]
) -> Float[Tensor, "batch p"]:
    W, U = weights
    return (pairs @ W).square() @ U  # (a + b)^2 holds the product a b


# --8<-- [end:network]


@torch.no_grad()
def look(weights: list[Tensor], sides: dict[str, Sums]) -> dict[str, float]:
    """Loss and accuracy on both sides of the table, and the length of the weights."""
    seen = {"length": float(sum(w.square().sum() for w in weights)) ** 0.5}
    for name, side in sides.items():
        out = logits(weights, side.pairs)
        seen[f"{name}_loss"] = F.cross_entropy(out, side.answer).item()
        right = out.argmax(1) == side.answer
        seen[f"{name}_right"] = right.double().mean().item()
    return seen


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    split, first = streams(seed, 2)
    train, test = table(config.p, config.share, split)
    weights = new_weights(config, first)
    optimizer = torch.optim.AdamW(
        weights, config.learning_rate, (0.9, 0.98), weight_decay=config.weight_decay
    )
    history = []
    for step in steps(config.n_steps + 1):
        if step % config.every == 0:
            sides = {"train": train, "test": test}
            history.append({"step": step, **look(weights, sides)})
        loss = F.cross_entropy(logits(weights, train.pairs), train.answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        key: np.array([one[key] for one in history], np.float32) for key in history[0]
    }


# --8<-- [end:run]


def reaches(m: Measurements, name: str, level: float, cell: str = "decay") -> float:
    """The first measured step with a curve at or over a level, or infinity."""
    over = m[cell]["step"][m[cell][name] >= level]
    return float(over[0]) if len(over) else np.inf


def known(m: Measurements) -> float:
    """All training sums right: over 99 in 100."""
    return reaches(m, "train_right", 0.99)


def understood(m: Measurements) -> float:
    return reaches(m, "test_right", 0.9)


def groks(m: Measurements) -> bool:
    return bool(np.isfinite(understood(m)))


def when_known(m: Measurements) -> float:
    """Accuracy on the test at the step at which the training sums are known."""
    at = m["decay"]["step"] == known(m)
    return float(m["decay"]["test_right"][at][0])


def falls_on(m: Measurements) -> float:
    """The training loss when the rule is there, in units of when the sums are known."""
    step, loss = m["decay"]["step"], m["decay"]["train_loss"]
    late, early = loss[step == understood(m)], loss[step == known(m)]
    return float(late[0] / early[0])


# fmt: off
CLAIMS = [
    Claim("known", known, below(200), "steps",
          "Over 99 in 100 of the training sums are right before step 200."),
    Claim("not-yet", when_known, below(0.1), "of the other sums",
          "At that step fewer than one in ten of the other sums is right."),
    Claim("groks", understood, below(2400), "steps",
          "Nine in ten of the other sums are right before step 2,400.", digits=4),
    Claim("late", lambda m: understood(m) / known(m), above(4), "times as late",
          "The rule is there more than 4 times as late as the training sums.",
          Reported("power2022", "abstract",
                   "generalisation well past the point of overfitting", SMALLER), applies=groks),
    Claim("falls-on", falls_on, below(0.1), "of the loss when they were known",
          "In between the training loss falls to less than a tenth.", applies=groks),
    Claim("whole", lambda m: float(m["decay"]["test_right"][-1]), above(0.95), "of the other sums",
          "At the end more than 95 in 100 of the other sums are right.", digits=3),
    Claim("no-decay", lambda m: float(m["none"]["test_right"].max()), below(0.2), "of the other sums",
          "Without weight decay never more than a fifth of the other sums is right within the run."),
    Claim("no-decay-known", lambda m: float(m["none"]["train_right"][-1]), above(0.99), "of the training sums",
          "Without weight decay over 99 in 100 of the training sums are right at the end."),
]
# fmt: on

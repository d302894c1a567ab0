"""Do three numbers follow a network over the cliff?

Chapter 19's network is trained again. Along the way xi, alpha and beta are read off it:
beta from the first layer's attention, alpha from the second's, xi from how much
probability the labels of the context hold. Never from the loss: the loss that the three
numbers imply is then a prediction.

Source: reddy2024, abstract, which traces a network's abrupt learning to three nested
logits. What differs: the formula is our reconstruction, so is the way the numbers are
read off, and the network is smaller (32 dimensions instead of 63, no random shift of
positions, SGD at 0.3 instead of 0.01); preset `paper` has the source's setting.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.tasks.item_label import Task, World
from snippets.icl.theory.three_exponentials import context_mass, log_odds, loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    task: Task = field(default_factory=Task)
    width: int = 128  # of the classifier
    learning_rate: float = 0.3
    shrink: float = 1e-6  # what each step takes off every weight
    batch: int = 128
    n_steps: int = 2500
    every: int = 25  # steps between measurements
    n_worlds: int = 4  # sets of novel classes in a measurement
    n_each: int = 250  # sequences from each


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        task=Task(d_item=63, n_slots=65),
        learning_rate=0.01,
        n_steps=200_000,
        every=1000,
    ),
}


# --8<-- [start:measure]
@torch.no_grad()
def measure(network: TwoLayerNetwork, world: World, config: Config) -> dict[str, float]:
    """What the network does with classes that it has never seen."""
    labels = torch.arange(1, config.task.n_tokens, 2)  # positions of the label tokens
    seen = []
    for _ in range(config.n_worlds):
        batch = world.novel(config.n_each)
        logits, first, second = network(batch.tokens)
        shown = logits.softmax(-1).gather(1, batch.context_labels)
        to_labels, correct = second[:, labels], batch.answer_shown
        other = 1 - correct
        values = {
            "loss": F.cross_entropy(logits, batch.answer),
            "accuracy": (logits.argmax(-1) == batch.answer).float().mean(),
            # first layer: a label token to its own item
            "label_to_item": first[:, labels, labels - 1].mean(),
            # second layer: the target to the correct label token, and to each other one
            "target_to_correct": (to_labels * correct).sum(1).mean(),
            "target_to_other": ((to_labels * other).sum(1) / other.sum(1)).mean(),
            "context_mass": shown.sum(1).mean(),
        }
        seen.append({name: float(value) for name, value in values.items()})
    return {name: float(np.mean([one[name] for one in seen])) for name in seen[0]}


# --8<-- [end:measure]


# --8<-- [start:fit]
def fit_beta(
    label_to_item: Float[Tensor, "time"], n_pairs: int
) -> Float[Tensor, "time"]:
    """Solve y = e^beta / (e^beta + N)."""
    return torch.log(n_pairs * label_to_item / (1 - label_to_item))


def match_from_share(
    target_to_correct: Float[Tensor, "time"], n_pairs: int
) -> Float[Tensor, "time"]:
    """alpha y from the attention on the correct label alone: solve
    z = e^(alpha y) / (e^(alpha y) + 2N)."""
    return torch.log(2 * n_pairs * target_to_correct / (1 - target_to_correct))


def match_from_contrast(
    target_to_correct: Float[Tensor, "time"], target_to_other: Float[Tensor, "time"]
) -> Float[Tensor, "time"]:
    """alpha y from the attention on the correct label and on another one: in the
    formula their ratio is e^(alpha y)."""
    return torch.log(target_to_correct / target_to_other)


def fit_xi(
    mass: Float[Tensor, "time"],
    alpha: Float[Tensor, "time"],
    beta: Float[Tensor, "time"],
    n_pairs: int,
    n_labels: int,
) -> Float[Tensor, "time"]:
    """The xi at which the labels of the context hold probability `mass`."""
    low, high = torch.full_like(mass, -500.0), torch.full_like(mass, 500.0)
    for _ in range(60):  # bisection: more xi, more mass
        xi = (low + high) / 2
        theta = torch.stack([xi, alpha, beta], -1)
        short = context_mass(theta, n_pairs, n_labels) < mass
        low, high = torch.where(short, xi, low), torch.where(short, high, xi)
    return (low + high) / 2


def fit(
    seen: dict[str, Tensor], task: Task, match: Float[Tensor, "time"]
) -> Float[Tensor, "time 3"]:
    """(xi, alpha, beta) at each measurement, with alpha y = `match`."""
    beta = fit_beta(seen["label_to_item"], task.n_pairs)
    alpha = match / seen["label_to_item"]
    xi = fit_xi(seen["context_mass"], alpha, beta, task.n_pairs, task.n_labels)
    return torch.stack([xi, alpha, beta], -1)


# --8<-- [end:fit]


# --8<-- [start:run]
def train(config: Config, seed: int) -> dict[str, Float[Tensor, "time"]]:
    """Chapter 19's training, measured every few steps."""
    generator = Generator().manual_seed(seed)
    task = config.task
    world = World(task, generator)
    network = TwoLayerNetwork(
        task.d_model, task.d_item, task.n_labels, config.width, generator
    )
    rate, decay = config.learning_rate, config.shrink / config.learning_rate
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, weight_decay=decay)
    seen = [{"step": 0, **measure(network, world, config)}]
    for step in steps(config.n_steps):
        batch = world.train(config.batch)
        F.cross_entropy(network(batch.tokens)[0], batch.answer).backward()
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % config.every == 0:
            seen.append({"step": step + 1, **measure(network, world, config)})
    columns = {name: [one[name] for one in seen] for name in seen[0]}
    return {name: torch.tensor(c, dtype=torch.float64) for name, c in columns.items()}


def first_step(reached: Bool[Tensor, "time"], step: Float[Tensor, "time"]) -> float:
    return float(step[reached][0]) if reached.any() else math.inf


def run(config: Config, seed: int) -> Measurements:
    task = config.task
    n, n_labels = task.n_pairs, task.n_labels
    seen = train(config, seed)
    correct, other = seen["target_to_correct"], seen["target_to_other"]
    contrast = fit(seen, task, match_from_contrast(correct, other))
    share = fit(seen, task, match_from_share(correct, n))
    return {name: values.numpy() for name, values in seen.items()} | {
        "fitted": contrast.numpy(),  # (time, 3): xi, alpha, beta
        "fitted_from_share": share.numpy(),
        "predicted_loss": loss(contrast, n, n_labels).numpy(),
        "predicted_loss_from_share": loss(share, n, n_labels).numpy(),
        "edge": first_step(log_odds(contrast, n) >= 1, seen["step"]),
    }


# --8<-- [end:run]


def before(m: Measurements) -> ndarray:
    """Which measurements lie between seven and nine tenths of the way to the edge."""
    way = m["step"] / min(float(m["edge"]), float(m["step"][-1]))
    return (way > 0.7) & (way < 0.9)


def share_before(m: Measurements, index: int) -> float:
    """Number `index` of (xi, alpha, beta) before the edge, as a share of its last."""
    values = m["fitted"][:, index]
    return float(np.median(values[before(m)]) / np.median(values[-10:]))


def halfway_step(m: Measurements, values: ndarray) -> float:
    """When `values` first pass the middle between before the edge and the end."""
    goal = (np.median(values[before(m)]) + np.median(values[-10:])) / 2
    return float(m["step"][(m["step"] > 0.7 * m["edge"]) & (values > goal)][0])


def apart(m: Measurements) -> float:
    """Time between the half-way marks of y and alpha y; the time to the edge is 1."""
    y_halfway = halfway_step(m, m["label_to_item"])
    return abs(y_halfway - halfway_step(m, match(m))) / float(m["edge"])


def match(m: Measurements) -> ndarray:
    """alpha y, from the contrast."""
    return m["fitted"][:, 1] * m["label_to_item"]


def match_by_share(m: Measurements) -> ndarray:
    """alpha y, from the share."""
    return m["fitted_from_share"][:, 1] * m["label_to_item"]


def deepest_dip(m: Measurements) -> float:
    """The least y before the edge, in units of the first."""
    y = m["label_to_item"]
    return float(y[m["step"] < m["edge"]].min() / y[0])


def correlation(m: Measurements) -> float:
    """Of the measured loss with the loss that the three numbers imply."""
    return float(np.corrcoef(m["predicted_loss"], m["loss"])[0, 1])


def mass_at_edge(m: Measurements) -> float:
    """Probability of the labels of the context."""
    return float(m["context_mass"][m["step"] >= m["edge"]][0])


def has_edge(m: Measurements) -> bool:
    """False where the network never learned; every claim about the edge then fails."""
    return bool(np.isfinite(m["edge"]))


# fmt: off
CLAIMS = [
    Claim("xi-first", lambda m: share_before(m, 0) if has_edge(m) else 0.0, above(1), "times its final value",
          "Well before the edge, xi is already above the value that it has at the end.",
          Reported("reddy2024", "abstract", "three nested logits are learned one after another", SMALLER)),
    Claim("alpha-later", lambda m: share_before(m, 1) if has_edge(m) else math.inf,
          below(0.25), "times its final value",
          "At that time alpha has less than a quarter of its final value."),
    Claim("together", lambda m: apart(m) if has_edge(m) else math.inf, below(0.1), "of the time to the edge",
          "Then y and alpha y pass their half-way marks together, within a tenth of the time to the edge."),
    Claim("beta-dips", deepest_dip, below(0.9), "of its first value at the lowest",
          "Before the edge, the first layer's attention to the own item falls below nine tenths of its first "
          "value."),
    Claim("share-misleads", lambda m: float(np.median((match_by_share(m) - match(m))[before(m)])), above(0.4), "more",
          "Before the edge, alpha y read off the share is larger than alpha y read off the contrast by over "
          "0.4."),
    Claim("tracks", lambda m: correlation(m) if has_edge(m) else 0.0, above(0.95), "",
          "Over training, the loss that the three numbers imply correlates with the measured loss above "
          "0.95.",
          digits=3),
    Claim("too-low", lambda m: float(np.median((m["loss"] - m["predicted_loss"])[before(m)])),
          above(0.15), "nats too low",
          "Before the edge, the loss that the three numbers imply is too low by more than 0.15 nats."),
    Claim("worst-on-the-cliff", lambda m: float(np.abs(m["loss"] - m["predicted_loss"]).max()),
          above(0.8), "nats at worst",
          "On the way down it is off by more than 0.8 nats at some point."),
    Claim("edge-above-plateau", lambda m: mass_at_edge(m) if has_edge(m) else math.inf,
          below(0.8), "of the probability",
          "At the edge the labels of the context hold less than four fifths of the probability: the network, "
          "too, leaves the slope before it reaches ln N."),
]
# fmt: on

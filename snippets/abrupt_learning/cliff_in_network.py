"""Do three numbers follow a network over the cliff?

The networks of *The jump* are trained again, seed by seed the same. Along the way xi,
alpha and beta are read off: beta from the first layer's attention, alpha from the
second's, xi from how much probability the labels of the context hold. The last is half
of the loss already, so a guess by that half alone is measured beside it.

Source: reddy2024, abstract, which traces a network's abrupt learning to three nested
logits. What differs: the formula is our reconstruction, so is the way the numbers are
read off, and the network is smaller (see `jump`); preset `paper` has the source's
setting.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, Task, World
from snippets.icl.theory.three_exponentials import context_mass, log_odds, loss
from snippets.icl.training.to_the_jump import Training, new_network, train

PRESETS = {
    "laptop": Training(),
    "paper": Training(
        Task(d_item=63, n_slots=65),
        learning_rate=0.01,
        n_steps=200_000,
        width=128,
        batch=128,
        biases=True,
        evaluate_every=1000,
    ),
}

Curve = Float[Tensor, "time"]


# --8<-- [start:measure]
@torch.no_grad()
def measure(network: TwoLayerNetwork, batch: Batch) -> dict[str, float]:
    """What the network does with classes that it has never seen."""
    logits, first, second = network(batch.tokens)
    labels = torch.arange(1, first.shape[1], 2)  # positions of the label tokens
    shown = logits.softmax(-1).gather(1, batch.context_labels)
    to_labels, correct = second[:, labels], batch.answer_shown
    other = 1 - correct
    values = {
        "loss": F.cross_entropy(logits, batch.answer),
        # first layer: a label token to its own item
        "label_to_item": first[:, labels, labels - 1].mean(),
        # second layer: the target to the correct label token, and to each other one
        "target_to_correct": (to_labels * correct).sum(1).mean(),
        "target_to_other": ((to_labels * other).sum(1) / other.sum(1)).mean(),
        "context_mass": shown.sum(1).mean(),
    }
    return {name: float(value) for name, value in values.items()}


# --8<-- [end:measure]


# --8<-- [start:fit]
def fit_beta(label_to_item: Curve, n_pairs: int) -> Curve:
    """Solve y = e^beta / (e^beta + N)."""
    return torch.log(n_pairs * label_to_item / (1 - label_to_item))


def match_from_share(target_to_correct: Curve, n_pairs: int) -> Curve:
    """alpha y from the attention on the correct label alone: solve
    z = e^(alpha y) / (e^(alpha y) + 2N)."""
    return torch.log(2 * n_pairs * target_to_correct / (1 - target_to_correct))


def match_from_contrast(target_to_correct: Curve, target_to_other: Curve) -> Curve:
    """alpha y from the attention on the correct label and on another one: in the
    formula their ratio is e^(alpha y)."""
    return torch.log(target_to_correct / target_to_other)


def fit_xi(
    mass: Curve,
    alpha: Curve,
    beta: Curve,
    n_pairs: int,
    n_labels: int,
) -> Curve:
    """The xi at which the labels of the context hold probability `mass`."""
    low, high = torch.full_like(mass, -500.0), torch.full_like(mass, 500.0)
    for _ in range(60):  # bisection: more xi, more mass
        xi = (low + high) / 2
        theta = torch.stack([xi, alpha, beta], -1)
        short = context_mass(theta, n_pairs, n_labels) < mass
        low, high = torch.where(short, xi, low), torch.where(short, high, xi)
    return (low + high) / 2


def fit(seen: dict[str, Tensor], task: Task, match: Curve) -> Float[Tensor, "time 3"]:
    """(xi, alpha, beta) at each measurement, with alpha y = `match`."""
    beta = fit_beta(seen["label_to_item"], task.n_pairs)
    alpha = match / seen["label_to_item"]
    xi = fit_xi(seen["context_mass"], alpha, beta, task.n_pairs, task.n_labels)
    return torch.stack([xi, alpha, beta], -1)


# --8<-- [end:fit]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)
    world = World(config.task, fixed)
    network = new_network(config, weights)
    test, history = world.novel(config.n_test, exam), []
    for step in train(network, world, config, data):
        history.append({"step": step, **measure(network, test)})
    seen = {
        name: torch.tensor([one[name] for one in history], dtype=torch.float64)
        for name in history[0]
    }

    task, n = config.task, config.task.n_pairs
    correct, other = seen["target_to_correct"], seen["target_to_other"]
    contrast = fit(seen, task, match_from_contrast(correct, other))
    share = fit(seen, task, match_from_share(correct, n))
    over = seen["step"][log_odds(contrast, n) >= 1]
    return {name: values.numpy() for name, values in seen.items()} | {
        "fitted": contrast.numpy(),  # (time, 3): xi, alpha, beta
        "fitted_from_share": share.numpy(),
        "predicted_loss": loss(contrast, n, task.n_labels).numpy(),
        "predicted_loss_from_share": loss(share, n, task.n_labels).numpy(),
        # an even guess among the labels of the context, with the mass they hold
        "loss_from_mass": (math.log(n) - seen["context_mass"].log()).numpy(),
        "edge": float(over[0]) if len(over) else math.inf,
    }


# --8<-- [end:run]


def before(m: Measurements) -> ndarray:
    """Which measurements lie between seven and nine tenths of the way to the edge."""
    way = m["step"] / float(m["edge"])
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


def correlation(one: ndarray, other: ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def beyond_mass(m: Measurements) -> float:
    """Correlation of measured and implied loss, less what xi's own mass says of it."""
    mass = m["loss_from_mass"]
    return correlation(m["predicted_loss"] - mass, m["loss"] - mass)


def worst_on_the_cliff(m: Measurements) -> float:
    """By how much the implied loss misses the measured one, at worst, from shortly before the edge on."""
    down = m["step"] >= 0.9 * m["edge"]
    return float(np.abs(m["loss"] - m["predicted_loss"])[down].max())


def mass_at_edge(m: Measurements) -> float:
    """Probability of the labels of the context."""
    return float(m["context_mass"][m["step"] >= m["edge"]][0])


def has_edge(m: Measurements) -> bool:
    """False where the network never learned: then nothing can be said of its edge."""
    return bool(np.isfinite(m["edge"]))


# fmt: off
CLAIMS = [
    Claim("has-edge", lambda m: float(m["edge"]), below(1400), "steps",
          "The network goes over the edge before step 1,400.", digits=4),
    Claim("xi-first", lambda m: share_before(m, 0), above(1), "times its final value",
          "Well before the edge, xi is already above the value that it has at the end.",
          Reported("reddy2024", "abstract", "three nested logits are learned one after another", SMALLER),
          applies=has_edge),
    Claim("alpha-later", lambda m: share_before(m, 1), below(0.25), "times its final value",
          "At that time alpha has less than a quarter of its final value.", applies=has_edge),
    Claim("together", apart, below(0.1), "of the time to the edge",
          "Then y and alpha y pass their half-way marks together, within a tenth of the time to the edge.",
          applies=has_edge),
    Claim("beta-dips", deepest_dip, below(0.9), "of its first value at the lowest",
          "Before the edge, the first layer's attention to the own item falls below nine tenths of its first value.",
          applies=has_edge),
    Claim("share-misleads", lambda m: float(np.median((match_by_share(m) - match(m))[before(m)])), above(0.4), "more",
          "Before the edge, alpha y read off the share is larger than alpha y read off the contrast by over 0.4.",
          applies=has_edge),
    Claim("tracks", lambda m: correlation(m["predicted_loss"], m["loss"]), above(0.95), "",
          "Over training, the loss that the three numbers imply correlates with the measured loss above 0.95.",
          digits=3, applies=has_edge),
    Claim("mass-alone", lambda m: correlation(m["loss_from_mass"], m["loss"]), above(0.9), "",
          "So does, above 0.9, the loss of an even guess among the labels shown, which is made of the mass alone.",
          digits=3, applies=has_edge),
    Claim("beyond-mass", beyond_mass, above(0.9), "",
          "What the three numbers add to that guess correlates above 0.9 with what the measured loss adds to it.",
          digits=3, applies=has_edge),
    Claim("too-low", lambda m: float(np.median((m["loss"] - m["predicted_loss"])[before(m)])),
          above(0.15), "nats too low",
          "Before the edge, the loss that the three numbers imply is too low by more than 0.15 nats.",
          applies=has_edge),
    Claim("worst-on-the-cliff", worst_on_the_cliff, above(0.8), "nats at worst",
          "On the way down it is off by more than 0.8 nats at some point.", applies=has_edge),
    Claim("edge-above-plateau", mass_at_edge, below(0.8), "of the probability",
          "At the edge the labels of the context hold less than four fifths of the probability: the network, "
          "too, leaves the slope before it reaches ln N.", applies=has_edge),
]
# fmt: on

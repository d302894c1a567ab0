"""An induction head needs three parts. Given one of them, or two, from the first step on,
how long does a network wait for the rest?

Source: singh2024, figure 5b, by the released runs: parts clamped to the ideal throughout
training, one head in the second layer. There: two pairs, features of images, rotary
positions, layer norm, Adam at 1e-5, and a clamped match is ideal attention. Here: three
pairs, one-hot classes, a learned score for each distance, SGD, and a clamped match still
needs what the first layer brings. With two pairs our network takes another way: cell two.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from snippets.contract import (
    Claim,
    Measurements,
    above,
    below,
    between,
)
from snippets.icl.networks.clamped import all_clamps
from snippets.icl.streams import streams
from snippets.icl.tasks.relabelled import Task, sample
from snippets.icl.training.clamped_networks import (
    Training,
    lateness,
    new_network,
    train,
    wait,
)

ALL = tuple(all_clamps())  # (), three of one part, three of two
SINGLES, PAIRS = range(1, 4), range(4, 7)
BASE = Training(Task(n_pairs=3), ALL, n_steps=500, evaluate_every=5, n_test=256)
SHORT = replace(BASE, clamps=ALL[:4], n_steps=400)  # three clamps of one part
PRESETS = {
    "laptop": {
        "base": BASE,
        "weak": replace(SHORT, strength=4.0),
        "strong": replace(SHORT, strength=16.0),
        "small": replace(BASE, clamps=ALL[:1], std=BASE.std / 4),
        "two": replace(BASE, clamps=ALL[:1], task=Task(n_pairs=2), n_steps=700),
    }
}


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)
    vectors = config.task.vectors(fixed)
    network = new_network(config, weights)
    test = sample(config.task, vectors, config.n_test, exam)
    curves = train(network, vectors, config, data, test)
    with torch.no_grad():
        _, first, _ = network(test.tokens)
    labels = torch.arange(1, config.task.n_tokens, 2)
    own = first[0].mean(0)[labels, labels - 1]  # of the network without clamps
    n, losses = config.task.n_pairs, curves["loss"].T
    return {
        "step": curves["step"],
        "loss": curves["loss"].astype(np.float32),
        "accuracy": curves["accuracy"][-1],
        "wait": np.array([wait(curves["step"], loss, n) for loss in losses]),
        "late": np.array([lateness(curves["step"], loss, n) for loss in losses]),
        "own_item": own.numpy(),  # attention of each label to its item, at the end
    }


# --8<-- [end:run]


def against_none(m: Measurements, net: int) -> float:
    """The wait with a clamp, as a share of that without."""
    return float(m["base"]["wait"][net] / m["base"]["wait"][0])


def share(net: int) -> Callable[[Measurements], float]:
    return lambda m: against_none(m, net)


def previous_against(m: Measurements) -> float:
    """Wait with `previous` clamped over the longer of those with match and with copy,
    at the strength where that is least."""
    waits = [m[cell]["wait"] for cell in ("weak", "base", "strong")]
    return float(min(w[1] / max(w[2], w[3]) for w in waits))


def copy_against_match(cell: str) -> Callable[[Measurements], float]:
    return lambda m: float(m[cell]["wait"][3] / m[cell]["wait"][2])


# fmt: off
CLAIMS = [
    Claim("none", lambda m: float(m["base"]["wait"][0]), between(150, 500), "steps",
          "Without a clamp the loss is half of a guess among shown labels after 150 to 500 steps.", digits=3),
    Claim("previous", share(1), between(0.4, 0.85), "of the wait",
          "With the look back by one clamped the wait is shorter, but more than four tenths of it stay."),
    Claim("match", share(2), below(0.4), "of the wait",
          "With the match clamped less than four tenths of the wait stay."),
    Claim("copy", share(3), below(0.4), "of the wait",
          "With the copy clamped less than four tenths of the wait stay."),
    Claim("least", previous_against, above(1), "times",
          "At each of three strengths the look back is the clamp that helps least."),
    Claim("copy-weak", copy_against_match("weak"), above(1), "times",
          "Clamped at half the strength, the copy shortens the wait less than the match does."),
    Claim("copy-strong", copy_against_match("strong"), below(1), "times",
          "Clamped at twice the strength, it shortens the wait more."),
    Claim("two-parts", lambda m: max(against_none(m, net) for net in PAIRS), below(0.25), "of the wait",
          "With any two parts clamped less than a quarter of the wait stays."),
    Claim("late", lambda m: float(m["base"]["late"][0]), above(0.5), "",
          "Without a clamp more than half of the wait passes before a quarter of the fall is over."),
    Claim("late-two", lambda m: float(max(m["base"]["late"][net] for net in PAIRS)), below(0.33), "",
          "With two parts clamped a quarter of the fall is over in less than a third of the wait."),
    Claim("late-one", lambda m: float(min(m["base"]["late"][net] for net in SINGLES)), above(0.33), "",
          "With one part clamped it takes more than a third of the wait, whichever part it is."),
    Claim("start", lambda m: float(m["small"]["wait"][0] / m["base"]["wait"][0]), between(0.9, 1.1), "times",
          "First weights a quarter as large change the network's wait by less than a tenth.", digits=3),
    Claim("looks-back", lambda m: float(m["base"]["own_item"].min()), above(0.9), "",
          "After training each label looks at its own item."),
    Claim("two-pairs", lambda m: float(m["two"]["own_item"][-1]), below(0.3), "",
          "With two pairs the second label does not look at its item."),
    Claim("two-right", lambda m: float(m["two"]["accuracy"][0]), above(0.9), "",
          "With two pairs the network is right all the same."),
]
# fmt: on

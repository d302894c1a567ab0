"""Which meetings of content, position and what layer 1 wrote does a trained head use?

The network of *The jump* is trained again. Its attention scores are taken apart into
position, content and written part of query and key. The head built by hand uses one
meeting in each layer; here it is measured how much the trained one uses the others.

Source: ours. Task and network are those of reddy2024, section 2, as in `jump`.
"""

import numpy as np
import torch

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.score_blocks import layer_1, layer_2, shares, with_only
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, World
from snippets.icl.training.to_the_jump import Training, new_network, train

PRESETS = {"laptop": Training(evaluate_every=75, n_test=256)}
BY_HAND_1 = torch.tensor([[True, False], [False, False]])  # position meets position
BY_HAND_2 = torch.zeros(3, 3, dtype=torch.bool)
BY_HAND_2[1, 2] = True  # the target's content meets what layer 1 wrote
ALL_1, ALL_2 = torch.ones_like(BY_HAND_1), torch.ones_like(BY_HAND_2)

TREATMENTS = {  # what reaches the scores of layer 1 and of layer 2
    "whole": (ALL_1, ALL_2),
    "one in layer 1": (BY_HAND_1, ALL_2),
    "one in layer 2": (ALL_1, BY_HAND_2),
    "one in each": (BY_HAND_1, BY_HAND_2),
    "three others in layer 1": (~BY_HAND_1, ALL_2),
    "eight others in layer 2": (ALL_1, ~BY_HAND_2),
}


# --8<-- [start:look]
@torch.no_grad()
def look(network: TwoLayerNetwork, test: Batch, n_slots: int) -> dict[str, np.ndarray]:
    """Shares of the blocks of each layer, and accuracy."""
    x = test.tokens
    logits, first, _ = network(x)
    n = x.shape[1]
    labels = torch.arange(1, n, 2)  # layer 1: only the labels have something to find
    seen = torch.ones(n, n, dtype=torch.bool).tril()[labels]
    one = shares(layer_1(network, x, n_slots)[..., labels, :], seen)
    every = torch.ones(1, n, dtype=torch.bool)
    two = shares(layer_2(network, x, n_slots, first), every)
    right = (logits.argmax(-1) == test.answer).float().mean()
    found = {"layer_1": one, "layer_2": two, "accuracy": right}
    return {name: values.numpy() for name, values in found.items()}


# --8<-- [end:look]


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)
    world = World(config.task, fixed)
    network, slots = new_network(config, weights), config.task.n_slots
    test, seen, steps = world.novel(config.n_test, exam), [], []
    for step in train(network, world, config, data):
        steps.append(step)
        seen.append(look(network, test, slots))
    with torch.no_grad():
        right = [
            (with_only(network, test.tokens, slots, *kept).argmax(-1) == test.answer)
            for kept in TREATMENTS.values()
        ]
    return {name: np.stack([one[name] for one in seen]) for name in seen[0]} | {
        "step": np.array(steps),
        "kept": np.array([float(one.float().mean()) for one in right]),
    }


# --8<-- [end:run]


def learned(m: Measurements) -> bool:
    """Whether the network reads in the end."""
    return bool(m["accuracy"][-1] > 0.9)


def before(m: Measurements) -> np.ndarray:
    """(3, 3): shares in layer 2 at four fifths of the way to a quarter right."""
    onset = int(np.flatnonzero(m["accuracy"] > 0.25)[0])
    return m["layer_2"][int(0.8 * onset)]


def largest_other(m: Measurements) -> float:
    """The largest share of those eight in layer 2 that the head by hand has not."""
    return float(m["layer_2"][-1][~BY_HAND_2.numpy()].max())


def kept(m: Measurements, treatment: str) -> float:
    return float(m["kept"][list(TREATMENTS).index(treatment)])


# fmt: off
CLAIMS = [
    Claim("layer-1", lambda m: float(m["layer_1"][-1][0, 0]), above(0.85), "of the variance",
          "In layer 1 more than 0.85 of the variance of the labels' scores is position meeting position.",
          applies=learned),
    Claim("layer-2", lambda m: float(m["layer_2"][-1][1, 2]), above(0.75), "of the variance",
          "In layer 2 over three quarters of that of the target's scores is its content meeting what layer 1 wrote.",
          applies=learned),
    Claim("others", largest_other, below(0.15), "of the variance",
          "None of the eight other meetings in layer 2 has as much as 0.15.", applies=learned),
    Claim("one-in-each", lambda m: kept(m, "one in each"), above(0.8), "",
          "With these two alone, one in each layer, the network is right in more than eight prompts of ten.",
          applies=learned),
    Claim("without-first", lambda m: kept(m, "three others in layer 1"), below(0.35), "",
          "With the three others alone in layer 1 it is right in less than 35 of a hundred.", applies=learned),
    Claim("without-second", lambda m: kept(m, "eight others in layer 2"), below(0.2), "",
          "With the eight others alone in layer 2 it is right in less than a fifth: a guess among labels.",
          applies=learned),
    Claim("before", lambda m: float(before(m)[0, 0]), above(0.25), "of the variance",
          "Before the jump more than a quarter of it is position meeting position.", applies=learned),
    Claim("before-match", lambda m: float(before(m)[1, 2]), below(0.25), "of the variance",
          "There the target's content meeting what was written has less than a quarter.", applies=learned),
]
# fmt: on

"""Does a network learn to use its context little by little, or all at once?

Source: reddy2024, figures 1, 3 and 4. Here: items of 32 dimensions instead of 63, no
random shift of positions (17 slots instead of 65), a classifier 64 wide and without
biases, batches of 64 instead of 128, SGD at 0.5 for 1,500 steps instead of 0.01, and no
decay. The `paper` preset keeps the source's numbers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, Task, World
from snippets.icl.tasks.item_label import label_to_item as edges_to_items
from snippets.icl.training.to_the_jump import Training, new_network, train
from snippets.icl.training.two_looks import (
    label_to_item,
    names_a_shown_label,
    share_right,
    target_to_label,
)

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


def where_the_target_looks(
    second: Float[Tensor, "batch pos"], batch: Batch
) -> list[float]:
    """Second layer: attention to the answer's label and item, to the other labels and
    items, and to the target itself."""
    items, labels, itself = second[:, :-1:2], second[:, 1::2], second[:, -1]
    shown, others = batch.answer_shown, 1 - batch.answer_shown
    parts = [
        (labels * shown).sum(1),
        (items * shown).sum(1),
        (labels * others).sum(1),
        (items * others).sum(1),
        itself,
    ]
    return [part.mean().item() for part in parts]


# --8<-- [start:look]
@torch.no_grad()
def look(network: TwoLayerNetwork, tests: dict[str, Batch]) -> dict[str, Any]:
    """Every measure at one step; all but two accuracies on classes never seen."""
    novel = tests["novel"]
    logits, first, second = network(novel.tokens)
    right = {
        f"accuracy_{name}": share_right(network(test.tokens)[0], test.answer)
        for name, test in tests.items()
    }
    return right | {
        "loss": F.cross_entropy(logits, novel.answer).item(),
        "label_in_context": names_a_shown_label(logits.argmax(-1), novel),
        "label_to_item": label_to_item(first),
        "target_to_label": target_to_label(second, novel),
        "target_looks": where_the_target_looks(second, novel),
        "map": first.mean(0).numpy(),
    }


# --8<-- [end:look]


# --8<-- [start:cut]
@torch.no_grad()
def without_edges(network: TwoLayerNetwork, batch: Batch) -> dict[str, float]:
    """Accuracy of the trained network without some edges from a label to its item.
    What is left of a label's attention is not scaled up to fill the gap."""
    _, first, _ = network(batch.tokens)
    labels = torch.arange(1, first.shape[1], 2)
    its = batch.answer_shown.bool()  # (batch, pair): the pair that the target repeats
    found = {}
    for name, gone in {"all": its | ~its, "its": its, "others": ~its}.items():
        left = first.clone()
        left[:, labels, labels - 1] *= ~gone
        logits, _, _ = network(batch.tokens, left)
        found[f"without_{name}"] = share_right(logits, batch.answer)
    return found


@torch.no_grad()
def edges_moved(network: TwoLayerNetwork, batch: Batch) -> float:
    """Let each label look at the item one pair further back, instead of its own. How
    often is the answer now the label after the right one?"""
    _, first, _ = network(batch.tokens)
    labels = torch.arange(1, first.shape[1], 2)
    own = first[:, labels, labels - 1]
    first[:, labels, labels - 1] = 0
    first[:, labels[1:], labels[1:] - 3] += own[:, 1:]
    logits, _, _ = network(batch.tokens, first)
    # the last pair has no label behind it: leave out targets that repeat it
    pair = batch.answer_shown.argmax(1)
    has_next = pair < len(labels) - 1
    following = batch.context_labels[has_next, pair[has_next] + 1]
    return share_right(logits[has_next], following)


# --8<-- [end:cut]


@torch.no_grad()
def only_edges(network: TwoLayerNetwork, batch: Batch) -> float:
    """Accuracy where each label attends to its item alone, and other tokens to nothing."""
    edges = edges_to_items(batch.tokens.shape[1]).float()
    logits, _, _ = network(batch.tokens, edges.expand(len(batch.tokens), -1, -1))
    return share_right(logits, batch.answer)


# --8<-- [start:run]
def run(config: Training, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)  # no test sequence was trained on
    world = World(config.task, fixed)
    network = new_network(config, weights)
    tests = {
        "novel": world.novel(config.n_test, exam),
        "rotated": world.rotated(config.n_test, exam),
        "from_memory": world.from_memory(config.n_test, exam),
    }
    history = []
    for step in train(network, world, config, data):
        history.append({"step": step, **look(network, tests)})
    seen = {name: np.stack([one[name] for one in history]) for name in history[0]}
    maps, moments = seen.pop("map"), [0, last_before_the_jump(seen), -1]
    return seen | {
        "maps": maps[moments],
        "target_looks": seen["target_looks"][moments],
        **without_edges(network, tests["novel"]),
        "edges_moved": edges_moved(network, tests["novel"]),
        "only_edges": only_edges(network, tests["novel"]),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]


def first_step(m: Measurements, name: str, threshold: float) -> float:
    """The first measured step with a curve at or over a threshold, or infinity."""
    over = m["step"][m[name] >= threshold]
    return float(over[0]) if len(over) else np.inf


def onset(m: Measurements) -> float:
    """Where the jump begins: accuracy reaches twice that of guessing a shown label."""
    return first_step(m, "accuracy_novel", 0.25)


def arrival(m: Measurements) -> float:
    return first_step(m, "accuracy_novel", 0.9)


def jumps(m: Measurements) -> bool:
    return bool(np.isfinite(arrival(m)))


def last_before_the_jump(m: Measurements) -> int:
    """Index of the last look before the onset, or of the last look."""
    return int(np.flatnonzero(m["step"] < onset(m))[-1])


def rise(m: Measurements) -> float:
    """How long the jump takes, as a share of the time before it."""
    return (arrival(m) - onset(m)) / onset(m)


def before_the_jump(m: Measurements, name: str) -> float:
    """Mean of a curve over the last fifth of the time to the onset."""
    late = (m["step"] < onset(m)) & (m["step"] >= 0.8 * onset(m))
    return float(m[name][late].mean())


def half_way(m: Measurements, name: str) -> float:
    """The step at which a curve is half way from where it started to where it ended."""
    return first_step(m, name, (m[name][0] + m[name][-1]) / 2)


def half_way_spread(m: Measurements) -> float:
    """Steps from the first to the last of three curves to be half way."""
    curves = ("accuracy_novel", "label_to_item", "target_to_label")
    there = [half_way(m, name) for name in curves]
    return max(there) - min(there)


def at_the_end(m: Measurements, name: str) -> float:
    return float(m[name][-5:].mean())


def before(name: str) -> Callable[[Measurements], float]:
    return partial(before_the_jump, name=name)


def end(name: str) -> Callable[[Measurements], float]:
    return partial(at_the_end, name=name)


# fmt: off
CLAIMS = [
    Claim("jumps", arrival, below(1400), "steps",
          "Accuracy on new classes passes nine tenths before step 1,400.",
          digits=4),
    Claim("sharp", rise, below(0.2), "of the time before",
          "It climbs from a quarter to nine tenths in less than a fifth of the time before.",
          Reported("reddy2024", "figure 3a", "a slow phase, then an abrupt jump", SMALLER), applies=jumps),
    Claim("onset", onset, between(600, 1300), "steps",
          "The jump begins after step 600 and before step 1,300.",
          digits=4),
    Claim("slow", before("label_in_context"), above(0.7), "of guesses",
          "Before the jump more than seven guesses in ten name a label of the context.",
          Reported("reddy2024", "figure 4", "the guess falls among the context's labels before it is right", SMALLER),
          applies=jumps),
    Claim("guessing", before("accuracy_novel"), between(0.09, 0.19), "",
          "Before the jump accuracy is near one in N, 0.125: any shown label, at random.", applies=jumps),
    Claim("together", half_way_spread, at_most(100), "steps",
          "Accuracy and the two attention patterns reach their half-way points within 100 steps of each other.",
          Reported("reddy2024", "figures 3b and 4", "both attention patterns appear with the jump", SMALLER),
          applies=jumps),
    Claim("new-classes", end("accuracy_novel"), above(0.95), "",
          "At the end it labels more than 95 in 100 items of classes that it never saw in training.",
          Reported("reddy2024", "figure 3a", "near-perfect accuracy on novel classes", SMALLER),
          digits=3),
    Claim("rotated", end("accuracy_rotated"), above(0.95), "",
          "Where the context contradicts the labels of training, it follows the context in more than 95 of 100 cases.",
          Reported("reddy2024", "figure 1d", "swapped labels in the context are followed", SMALLER),
          digits=3),
    Claim("memory", end("accuracy_from_memory"), below(0.0625), "",
          "From memory alone it is right less than twice as often as chance, one in L.", applies=jumps),
    Claim("without-its", lambda m: float(m["without_its"]), below(0.125), "",
          "Without one edge of eight, from the answer's label to its item, the trained network does worse than a guess "
          "among the labels shown.", applies=jumps),
    Claim("without-others", lambda m: float(m["without_others"]), above(0.9), "",
          "Without the seven others it is still right more than nine times in ten.", applies=jumps),
    Claim("moved", lambda m: float(m["edges_moved"]), above(0.8), "",
          "Where each label is made to look at the item one pair further back, the network names the label one pair "
          "further on, in more than eight cases of ten.", applies=jumps),
]
# fmt: on

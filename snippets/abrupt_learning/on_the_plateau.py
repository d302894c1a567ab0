"""What goes on in a network while its loss waits?

Source: gopalani2025 (abstract) for the questions: do outputs repeat, do hidden states turn
parallel, does attention learn before it shows, and does helping attention end the wait?
The task and the network are those of jump, after reddy2024. All measures are ours.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.shapes import Logits, Pattern, Stream
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, World
from snippets.icl.tasks.item_label import label_to_item as edges_to_items
from snippets.icl.training.to_the_jump import Training, train
from snippets.icl.training.two_looks import (
    label_to_item,
    share_right,
    target_to_label,
)


@dataclass(frozen=True)
class Config(Training):
    help: float = (
        0.0  # share of the first layer's attention that is put where it belongs
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what is no share, or no training."""
        super().__post_init__()
        if not 0 <= self.help <= 1:
            raise ValueError(f"help = {self.help}: a share of attention is 0 to 1")


PRESETS = {"laptop": {"alone": Config(), "helped": Config(help=0.2)}}


# --8<-- [start:states]
def mean_cosine(states: Float[Tensor, "prompt d"]) -> float:
    """Mean cosine between the states of two different prompts."""
    n, total = len(states), F.normalize(states, dim=1).sum(0)
    # the squared length of the sum counts every pair twice, and every state with itself
    return ((total @ total - n) / (n * (n - 1))).item()


def repeats(guess: Tensor) -> float:
    """The share of the commonest answer: 1 if all prompts get the same."""
    return (guess.bincount().max() / len(guess)).item()


@torch.no_grad()
def look(network: TwoLayerNetwork, test: Batch) -> dict[str, Any]:
    """One look at the network, on classes never seen."""
    logits, first, second = network(test.tokens)
    return {
        "loss": F.cross_entropy(logits, test.answer).item(),
        "accuracy": share_right(logits, test.answer),
        "repeats": repeats(logits.argmax(-1)),
        "answers": mean_cosine(logits - logits.mean(1, keepdim=True)),
        "label_to_item": label_to_item(first),
        "target_to_label": target_to_label(second, test),
    }


# --8<-- [end:states]


# --8<-- [start:help]
class Helped(TwoLayerNetwork):
    """A network whose first layer has part of its attention set from outside: each label
    looks at its item with at least the share `help`."""

    def __init__(self, config: Config, generator: Generator) -> None:
        t = config.task
        super().__init__(t.d_model, t.d_item, t.n_labels, config.width, generator)
        self.help = config.help

    def forward(
        self, x: Stream, first: Pattern | None = None
    ) -> tuple[Logits, Pattern, Float[Tensor, "batch pos"]]:
        if first is None and self.help:
            own, edges = super().forward(x)[1], edges_to_items(x.shape[1])
            labels = edges.any(1)[:, None]  # only labels are helped
            first = torch.where(labels, (1 - self.help) * own + self.help * edges, own)
        return super().forward(x, first)


# --8<-- [end:help]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    fixed, weights, data, exam = streams(seed, 4)
    world = World(config.task, fixed)
    network = Helped(config, weights)
    test = world.novel(config.n_test, exam)
    seen = [
        {"step": step} | look(network, test)
        for step in train(network, world, config, data)
    ]
    return {name: np.array([one[name] for one in seen], np.float32) for name in seen[0]}


# --8<-- [end:run]
def onset(m: Measurements) -> float:
    """The first step with twice the accuracy of naming some label of the prompt, 1/N."""
    over = m["step"][m["accuracy"] >= 0.25]
    return float(over[0]) if len(over) else np.inf


def waiting(m: Measurements, name: str) -> float:
    """Mean of a curve over the last third of the time to the onset."""
    late = (m["step"] < onset(m)) & (m["step"] >= onset(m) * 2 / 3)
    return float(m[name][late].mean())


def end(m: Measurements, name: str) -> float:
    return float(m[name][-5:].mean())


def progress(m: Measurements, name: str) -> float:
    """How far a curve has come while the loss waits, of the way from start to end."""
    return (waiting(m, name) - float(m[name][0])) / (end(m, name) - float(m[name][0]))


def sooner(m: Measurements) -> float:
    return onset(m["helped"]) / onset(m["alone"])


# fmt: off
CLAIMS = [
    Claim("parallel-first", lambda m: float(m["alone"]["answers"][0]), above(0.45), "",
          "Before training the answers to two prompts have a mean cosine of more than 0.45."),
    Claim("not-parallel", lambda m: waiting(m["alone"], "answers"), below(0.4), "",
          "In the last third of the wait their mean cosine is below 0.4."),
    Claim("repeats", lambda m: waiting(m["alone"], "repeats") / end(m["alone"], "repeats"), above(2), "times as often",
          "In the last third of the wait the commonest answer is given more than twice as often as the commonest at "
          "the end."),
    Claim("second-stirs", lambda m: waiting(m["alone"], "target_to_label") / float(m["alone"]["target_to_label"][0]),
          above(1.5), "times its start",
          "In that time the second layer's attention on the right label is more than one and a half times what it "
          "began with."),
    Claim("second-little", lambda m: progress(m["alone"], "target_to_label"), below(0.2), "of the way",
          "And yet it has come less than a fifth of the way to where it ends."),
    Claim("first-waits", lambda m: progress(m["alone"], "label_to_item"), below(0.15), "of the way",
          "The first layer's attention from a label to its item has come less than 0.15 of its way."),
    Claim("sooner", sooner, below(0.85), "of the wait alone",
          "With a fifth of each label's attention put on its item from outside, the wait is shorter: less than 0.85."),
    Claim("still-waits", sooner, above(0.3), "of the wait alone",
          "And it does not end: more than three tenths of it stay."),
]
# fmt: on

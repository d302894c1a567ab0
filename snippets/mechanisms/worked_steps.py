"""Does it help to write the steps out, and how far beyond the lengths it has seen?

The same small transformer is trained three times from the same first weights: to name
the end of a chain at once, after dots that mean nothing, or with every step written
out. The first gets three times as many examples as the others. All are tested on longer
chains and on twice as many notes.

Source: nye2021, abstract (steps written into a scratchpad, by large language models);
the task, the network and the numbers are ours.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.treasure_hunt import (
    N_KINDS,
    Drawn,
    Hunts,
    as_vectors,
    draw,
    may_read,
    prompts,
)
from snippets.icl.training.fresh_batches import train, trained
from snippets.icl.training.treasure_hunt_training import (
    longer,
    loss_of,
    padded,
    unwritten,
    written,
)


@dataclass(frozen=True)
class Config:
    mode: str  # one of MODES
    n_steps: int = 300
    hunts: Hunts = field(default_factory=Hunts)
    most_hops: int = 4  # in training: 1, 2, ... up to this, an equal share each
    test_hops: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8)
    more_notes: int = 24  # in the test with twice as many
    more_hops: tuple[int, ...] = (1, 2, 4, 8, 12, 16, 20)
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 4
    batch: int = 48
    rate: float = 0.006
    n_test: int = 100


PRESETS = {
    "laptop": {
        "at-once": Config("at once", n_steps=900),  # three times as many examples
        "dots": Config("dots"),
        "steps": Config("steps"),
    }
}


# --8<-- [start:batch]
def batch_loss(network: MaskedTransformer, c: Config, data: Generator) -> Tensor:
    """On fresh prompts, in which every number of hops has an equal share."""
    drawn = [
        prompts(c.hunts, draw(c.hunts, c.batch // c.most_hops, hops, data), c.mode)
        for hops in range(1, c.most_hops + 1)
    ]
    return loss_of(network, c.hunts, padded(drawn))


# --8<-- [end:batch]


# --8<-- [start:measures]
@torch.no_grad()
def share_right(
    network: MaskedTransformer, task: Hunts, drawn: Drawn, mode: str
) -> float:
    """How often the right treasure is named."""
    if mode == "steps":  # four words more than it takes are allowed
        n_words = drawn.path.shape[1] + 4
        found, _ = written(network, task, unwritten(task, drawn), n_words)
    else:
        p = prompts(task, drawn, mode)
        logits = network(as_vectors(task, p), may_read(task, p.place.shape[1]))
        found = logits[:, -1].argmax(-1)
    return (found == drawn.path[:, -1]).float().mean().item()


@torch.no_grad()
def misled(
    network: MaskedTransformer, task: Hunts, drawn: Drawn
) -> tuple[float, float]:
    """Write a place of another hunt as the first step, and let it go on. How often does
    it dig at that hunt's end, and how often at its own?"""
    hops = drawn.path.shape[1] - 1
    planted = longer(unwritten(task, drawn), drawn.place[:, hops + 1])
    found, _ = written(network, task, planted, task.n_notes)
    rest = drawn.points_to[:, hops + 1 :] == task.dig  # the other hunts' ends, in order
    end = drawn.place[:, hops + 1 :].gather(1, rest.int().argmax(1, keepdim=True))[:, 0]
    own = (found == drawn.path[:, -1]).float().mean().item()
    return (found == end).float().mean().item(), own


# --8<-- [end:measures]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    c, task = config, config.hunts
    d_in = 2 * task.n_places + 1 + N_KINDS
    network = MaskedTransformer(
        d_in, task.n_places + 1, c.d_model, c.n_layers, c.n_heads, weights
    )
    with torch.no_grad():
        network.W_out.mul_(10)  # it begins with answers that differ, and learns sooner
    trained(
        network, train(network, lambda: batch_loss(network, c, data), c.n_steps, c.rate)
    )
    more = replace(task, n_notes=c.more_notes)

    def rights(task: Hunts, hops: tuple[int, ...]) -> np.ndarray:
        exams = [draw(task, c.n_test, n, test) for n in hops]
        return np.array([share_right(network, task, exam, c.mode) for exam in exams])

    found: dict[str, Any] = {
        "hops": np.array(c.test_hops),
        "right": rights(task, c.test_hops),
        "more_hops": np.array(c.more_hops),
        "right_more": rights(more, c.more_hops),
        "n_parameters": sum(w.numel() for w in network.parameters()),
    }
    if c.mode == "steps":
        exam = draw(task, c.n_test, c.most_hops, test)
        found["misled"], found["unmoved"] = misled(network, task, exam)
    return found


# --8<-- [end:run]


def least_beyond(m: Measurements, least: int) -> float:
    """Of the network that writes steps, with twice the notes, from so many hops on."""
    far = m["steps"]["more_hops"] >= least
    return float(m["steps"]["right_more"][far].min())


def within(m: Measurements, cell: str, of) -> float:
    """The least or the most, over the numbers of hops that training showed."""
    return float(of(m[cell]["right"][m[cell]["hops"] <= 4]))


# fmt: off
CLAIMS = [
    Claim("steps", lambda m: within(m, "steps", np.min), above(0.9), "",
          "With its steps written out, the network is right in over nine tenths, at each number of hops that "
          "training showed."),
    Claim("at-once", lambda m: within(m, "at-once", np.max), below(0.6), "",
          "With three times as many examples, the one that answers at once is right in less than six tenths, at each "
          "of these."),
    Claim("dots", lambda m: within(m, "dots", np.max), below(0.6), "",
          "With as many examples, so is the one that writes dots before it answers."),
    Claim("extends", lambda m: least_beyond(m, 8), above(0.8), "",
          "Trained up to 4 hops, the one that writes its steps is right in over eight tenths at 8, 12, 16 and "
          "20 hops, among twice as many notes."),
    Claim("gap", lambda m: within(m, "steps", np.min) - within(m, "at-once", np.max), above(0.3), "",
          "Its worst is better than the best of answering at once, by over 30 in 100."),
    Claim("misled", lambda m: float(m["steps"]["misled"]), above(0.8), "",
          "If a place of another hunt is written as its first step, it ends at that hunt's treasure in over "
          "eight tenths."),
    Claim("unmoved", lambda m: float(m["steps"]["unmoved"]), below(0.1), "",
          "It comes back to its own treasure in less than a tenth."),
]
# fmt: on

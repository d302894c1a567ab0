"""Does it help to write the steps out, and how far beyond the lengths it has seen?

The same small transformer is trained three times from the same first weights, with as
many examples each: to name the end of a chain at once, after dots that mean nothing, or
with every step written out. The first gets three times as many examples once more. All
are tested on longer chains and on twice as many notes.

Source: nye2021, abstract (steps written into a scratchpad, by large language models);
the task, the network and the numbers are ours.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.treasure_hunt import (
    N_KINDS,
    NOTHING,
    WRITTEN,
    Drawn,
    Hunts,
    Prompts,
    as_vectors,
    draw,
    may_read,
    prompts,
)
from snippets.icl.training.fresh_batches import train, trained


@dataclass(frozen=True)
class Config:
    mode: str  # one of MODES
    n_steps: int = 400
    hunts: Hunts = field(default_factory=Hunts)
    most_hops: int = 4  # in training: 1, 2, ... up to this, an equal share each
    test_hops: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8)
    more_notes: int = 24  # in the test with twice as many
    more_hops: tuple[int, ...] = (1, 2, 4, 8, 12, 16, 20)
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 2
    batch: int = 48
    rate: float = 0.01
    n_test: int = 200


PRESETS = {
    "laptop": {
        "at-once": Config("at once"),
        "dots": Config("dots"),
        "steps": Config("steps"),
        "longer": Config("at once", n_steps=1200),
    }
}


# --8<-- [start:loss]
def loss_of(network: MaskedTransformer, task: Hunts, p: Prompts) -> Tensor:
    """Cross-entropy of the words wanted, averaged within each example, so that long
    answers count no more than short ones."""
    logits = network(as_vectors(task, p), may_read(task, p.place.shape[1]))
    each = F.cross_entropy(logits.mT, p.wanted, ignore_index=NOTHING, reduction="none")
    return (each.sum(1) / (p.wanted != NOTHING).sum(1)).mean()


def batch_loss(network: MaskedTransformer, c: Config, data: Generator) -> Tensor:
    """On fresh prompts, in which every number of hops has an equal share."""
    drawn = [
        prompts(c.hunts, draw(c.hunts, c.batch // c.most_hops, hops, data), c.mode)
        for hops in range(1, c.most_hops + 1)
    ]
    return loss_of(network, c.hunts, padded(drawn))


def padded(several: list[Prompts]) -> Prompts:
    """One batch of prompts of different lengths; what is added asks for nothing."""
    longest = max(p.place.shape[1] for p in several)

    def joined(name: str) -> Tensor:
        parts = [getattr(p, name) for p in several]
        fill = WRITTEN if name == "kind" else NOTHING
        return torch.cat(
            [F.pad(part, (0, longest - part.shape[1]), value=fill) for part in parts]
        )

    return Prompts(*(joined(name) for name in Prompts.__dataclass_fields__))


# --8<-- [end:loss]


# --8<-- [start:write]
def written(
    network: MaskedTransformer, task: Hunts, p: Prompts, n_words: int
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    """Where it wrote *dig*, and how many words it had written by then. It reads what it
    wrote itself, right or wrong; NOTHING if it does not dig within so many words."""
    found = torch.full((len(p.place),), NOTHING)
    words = torch.zeros_like(found)
    for _ in range(n_words):
        logits = network(as_vectors(task, p), may_read(task, p.place.shape[1]))
        word, here = logits[:, -1].argmax(-1), p.place[:, -1]
        words += found == NOTHING
        found = torch.where((found == NOTHING) & (word == task.dig), here, found)
        if (found != NOTHING).all():
            break
        p = longer(p, word.clamp(max=task.n_places - 1))
    return found, words


def longer(p: Prompts, word: Int[Tensor, "batch"]) -> Prompts:
    """The prompt with one more place written."""
    none = torch.full_like(word, NOTHING)[:, None]
    return Prompts(
        torch.cat([p.place, word[:, None]], 1),
        torch.cat([p.points_to, none], 1),
        torch.cat([p.kind, torch.full_like(none, WRITTEN)], 1),
        torch.cat([p.wanted, none], 1),
    )


def unwritten(task: Hunts, drawn: Drawn) -> Prompts:
    """The prompt that asks for steps, with none written."""
    p = prompts(task, drawn, "steps")
    end = task.n_notes + 1
    return Prompts(
        *(getattr(p, name)[:, :end] for name in Prompts.__dataclass_fields__)
    )


# --8<-- [end:write]


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
    loop = train(network, lambda: batch_loss(network, c, data), c.n_steps, c.rate)
    network = trained(network, loop)
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


def right_at(m: Measurements, cell: str, hops: int, more: str = "") -> float:
    row = m[cell]["more_hops" if more else "hops"].tolist().index(hops)
    return float(m[cell][f"right{more}"][row])


CLAIMS: list[Claim] = []

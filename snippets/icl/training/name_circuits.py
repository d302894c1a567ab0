"""What carries the answer in networks that name the other person?

Every measure is about one number, the lead: the logit of the right name less that of
the repeated one. A counterpart is the same prompt with the two names in each other's
place, so its lead, counted for the same name, is negative.

Source: wang2022 measures the same difference of logits, and finds heads by putting in
what they write on other prompts (abstract). The cuts and the three ways are ours.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from snippets.icl.networks.two_readers import TwoReaders
from snippets.icl.tasks.repeated_names import Batch, Task, swapped

WAYS = ("query", "key", "value")  # how layer 1 can speak to layer 2
PLACES = ("odd", "earlier", "later", "words", "end")  # what stands at a position


# --8<-- [start:seen]
@dataclass(frozen=True)
class Seen:
    """Everything that is computed on the way to the answers of one batch."""

    x: Float[Tensor, "run batch pos d_model"]  # embeddings
    first: Float[
        Tensor, "run head batch pos d_model"
    ]  # what layer 1 adds at each place
    looks: Float[Tensor, "run head batch pos pos"]
    last: Float[Tensor, "run head batch pos d_model"]  # what layer 2 reads, by place
    reads: Float[Tensor, "run head batch pos"]
    logits: Float[Tensor, "run batch n_names"]


def see(networks: TwoReaders, tokens: Int[Tensor, "batch pos"]) -> Seen:
    x = networks.embed(tokens.expand(len(networks.W_E), -1, -1))
    first, looks = networks.first(x)
    h = x + first.sum(1)
    last, reads = networks.last(h, h, h)
    logits = networks.answer(h[:, :, -1] + last.sum((1, 3)))
    return Seen(x, first, looks, last, reads, logits)


# --8<-- [end:seen]


def lead(
    logits: Float[Tensor, "run batch n_names"], test: Batch
) -> Float[Tensor, "run"]:
    """How far the right name is ahead of the repeated one, on average."""
    every = torch.arange(len(test.answer))
    return (logits[:, every, test.answer] - logits[:, every, test.repeated]).mean(1)


def accuracy(
    logits: Float[Tensor, "run batch n_names"], test: Batch
) -> Float[Tensor, "run"]:
    return (logits.argmax(-1) == test.answer).float().mean(1)


def places(test: Batch) -> dict[str, Float[Tensor, "batch pos"]]:
    """1 at the positions of each kind, 0 elsewhere."""
    size = test.tokens.shape
    at = [torch.zeros(size).scatter(1, test.slots[:, [s]], 1) for s in range(3)]
    at_slot, odd = torch.stack(at, 1), test.odd[:, None]  # (batch, slot, pos)
    repeats = torch.arange(3).expand(len(odd), -1)
    repeats = repeats[repeats != odd].view(-1, 2)  # the two slots of the repeated name
    every = torch.arange(len(odd))
    end = torch.zeros(size)
    end[:, -1] = 1
    found = {
        "odd": at_slot[every, test.odd],
        "earlier": at_slot[every, repeats[:, 0]],
        "later": at_slot[every, repeats[:, 1]],
    }
    words = 1 - end - at_slot.sum(1)
    return found | {"words": words, "end": end}


# --8<-- [start:ablate]
def without_head(networks: TwoReaders, s: Seen, layer: int, head: int) -> Tensor:
    """Logits where one head writes its mean over prompts, at each position."""
    n_heads = networks.shape.n_heads
    if not (0 <= layer < 2 and 0 <= head < n_heads):
        raise ValueError(
            f"there is no head {head} in layer {layer}: the networks have 2 layers of "
            f"{n_heads} heads, counted from 0"
        )
    first, h = s.first, s.x + s.first.sum(1)
    if layer == 0:
        mean = first[:, head].mean(1, keepdim=True)
        h = h - first[:, head] + mean
    last = networks.last(h, h, h)[0].sum(3)  # (run, head, batch, d_model)
    if layer == 1:
        last = last.clone()
        last[:, head] = last[:, head].mean(1, keepdim=True)
    return networks.answer(h[:, :, -1] + last.sum(1))


# --8<-- [end:ablate]


# --8<-- [start:ways]
def by_way(networks: TwoReaders, s: Seen, other: Seen, way: str) -> Tensor:
    """Logits where layer 2's queries, keys or values alone hear what layer 1 wrote on
    the counterpart. Embeddings stay."""
    own, false = s.x + s.first.sum(1), s.x + other.first.sum(1)
    streams = [false if way == name else own for name in WAYS]
    return networks.answer(own[:, :, -1] + networks.last(*streams)[0].sum((1, 3)))


def by_place(
    networks: TwoReaders, s: Seen, other: Seen, at: Float[Tensor, "batch pos"]
) -> Tensor:
    """Logits where layer 1 writes at these positions what it wrote on the counterpart."""
    first, false = s.first.sum(1), other.first.sum(1)
    h = s.x + torch.where(at[..., None] > 0, false, first)
    return networks.answer(h[:, :, -1] + networks.last(h, h, h)[0].sum((1, 3)))


# --8<-- [end:ways]


# --8<-- [start:reads]
def reads_from(
    networks: TwoReaders, s: Seen, test: Batch, at: Float[Tensor, "batch pos"]
) -> Float[Tensor, "run"]:
    """The part of the lead that layer 2 brings from these positions. Parts add up to
    the lead, with that of the last token itself: the last norm is that of the whole."""
    h = s.x + s.first.sum(1)
    whole = h[:, :, -1] + s.last.sum((1, 3))
    size = whole.square().mean(-1, keepdim=True).sqrt()
    part = (s.last * at[..., None]).sum((1, 3)) / size
    return lead(part @ networks.W_U, test)


def blind_to(
    networks: TwoReaders, s: Seen, at: Float[Tensor, "batch pos"]
) -> Float[Tensor, "run batch n_names"]:
    """Logits where nothing is brought from these positions."""
    h = s.x + s.first.sum(1)
    kept = (s.last * (1 - at)[..., None]).sum((1, 3))
    return networks.answer(h[:, :, -1] + kept)


# --8<-- [end:reads]


# --8<-- [start:written]
def written(
    networks: TwoReaders, s: Seen, test: Batch, spot: Float[Tensor, "batch pos"]
) -> Float[Tensor, "run 2"]:
    """What layer 2 writes from places where `spot` is 1, along the odd and the repeated
    name, less what names outside the prompt get: logits, but for the last norm."""
    every = torch.arange(len(test.answer))
    names = (s.last * spot[..., None]).sum((1, 3)) @ networks.W_U
    odd, twice = names[:, every, test.answer], names[:, every, test.repeated]
    outside = (names.sum(-1) - odd - twice) / (names.shape[-1] - 2)
    return torch.stack([odd - outside, twice - outside], -1).mean(1)


# --8<-- [end:written]


@torch.no_grad()
def examine(networks: TwoReaders, task: Task, test: Batch) -> dict[str, np.ndarray]:
    """All measures, each (run, ...)."""
    s, other = see(networks, test.tokens), see(networks, swapped(task, test).tokens)
    at = places(test)
    ahead, behind = lead(s.logits, test), lead(other.logits, test)
    heads = [(layer, h) for layer in (0, 1) for h in range(networks.shape.n_heads)]
    cut = [without_head(networks, s, *head) for head in heads]
    ways = [by_way(networks, s, other, way) for way in WAYS]
    spots = [by_place(networks, s, other, at[place]) for place in PLACES]
    gone = {
        name: torch.stack([lead(x, test) for x in tried], 1)
        for name, tried in (("ways", ways), ("spots", spots), ("cut", cut))
    }
    ahead, behind = ahead[:, None], behind[:, None]
    parts = [reads_from(networks, s, test, at[place]) for place in PLACES]
    found = {
        "lead": ahead[:, 0],
        "accuracy": accuracy(s.logits, test),
        "without": torch.stack([accuracy(c, test) for c in cut], 1),
        "lost_without": 1 - gone["cut"] / ahead,
        "ways": (ahead - gone["ways"]) / (ahead - behind),  # 1: all of it, as if the
        "spots": (ahead - gone["spots"])
        / (ahead - behind),  # whole prompt were changed
        "parts": torch.stack(parts, 1) / ahead,
        "written": torch.stack([written(networks, s, test, at[p]) for p in PLACES], 1),
        **looks(networks, s, test, at),
    }
    return {name: value.numpy().astype(np.float32) for name, value in found.items()}


def looks(
    networks: TwoReaders, s: Seen, test: Batch, at: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Where the heads look, and what is right without some of what they see."""
    back = s.looks * (at["later"][..., None] * at["earlier"][..., None, :])
    reads = [(s.reads * at[place]).sum(-1).mean(2) for place in PLACES]
    first = [(s.looks[:, :, :, -1] * at[place]).sum(-1).mean(2) for place in PLACES]
    twice = at["earlier"] + at["later"]
    return {
        "reads": torch.stack(reads, 2),  # (run, head, place): layer 2
        "end_looks": torch.stack(first, 2),  # the last token in layer 1
        "looks_back": back.sum((-2, -1)).mean(2),  # (run, head)
        "blind_odd": accuracy(blind_to(networks, s, at["odd"]), test),
        "blind_twice": accuracy(blind_to(networks, s, twice), test),
    }

"""Training on treasure hunts, and letting a network write: what is wanted, what it writes."""

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.tasks.treasure_hunt import (
    NOTHING,
    WRITTEN,
    Drawn,
    Hunts,
    Prompts,
    as_vectors,
    may_read,
    prompts,
)


# --8<-- [start:loss]
def loss_of(network: MaskedTransformer, task: Hunts, p: Prompts) -> Tensor:
    """Cross-entropy of the words wanted, averaged within each example, so that long
    answers count no more than short ones."""
    logits = network(as_vectors(task, p), may_read(task, p.place.shape[1]))
    each = F.cross_entropy(logits.mT, p.wanted, ignore_index=NOTHING, reduction="none")
    return (each.sum(1) / (p.wanted != NOTHING).sum(1)).mean()


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

"""Pretraining a small language model on real text, and its loss on held-out tokens with
more or less of the text before them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.language_model import LanguageModel, losses
from snippets.icl.tasks.byte_pairs import windows
from snippets.icl.training.fresh_batches import train


@dataclass(frozen=True)
class Pretraining:
    corpus: str = "novel"
    n_vocab: int = 512
    context: int = 128  # tokens that can be read
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 4
    batch: int = 4  # windows of text a step
    n_steps: int = 400
    learning_rate: float = 7e-3
    share: float = 1.0  # of the training text
    n_targets: int = 8192  # held-out tokens, the same ones with each context


def new_model(config: Pretraining, weights: Generator) -> LanguageModel:
    c = config
    return LanguageModel(
        c.n_vocab, c.context, c.d_model, c.n_layers, c.n_heads, weights
    )


# --8<-- [start:pretrain]
def pretrain(
    model: LanguageModel, text: Int[Tensor, "token"], c: Pretraining, data: Generator
) -> Iterator[int]:
    """The loss of every token of some windows of text, all at once, at each step."""

    def batch_loss() -> Float[Tensor, ""]:
        return losses(model, windows(text, c.context + 1, c.batch, data)).mean()

    return train(model, batch_loss, c.n_steps, c.learning_rate, clip=1.0)


# --8<-- [end:pretrain]


# --8<-- [start:same]
@torch.no_grad()
def with_context(
    model: LanguageModel,
    row: Int[Tensor, "token"],
    targets: range,
    longest: int,
    stride: int,
) -> Float[Tensor, "block target"]:
    """Losses of the *same* tokens with more and more before them: in block b, between
    b * stride + 1 and (b + 1) * stride tokens.

    Windows start every `stride` tokens, so that each block of positions sees each target
    once: block b of window i holds what block b - 1 of window i + 1 holds.
    """
    check_targets(row, targets, longest, stride)
    n_blocks, n = longest // stride, len(targets) // stride
    first = targets.start - longest + stride - 1  # where the first window starts
    starts = first + stride * torch.arange(n + n_blocks - 1)
    found = []
    for some in starts.split(256):
        tokens = row[some[:, None] + torch.arange(longest + 1)]
        found.append(losses(model, tokens).unflatten(1, (n_blocks, stride)))
    loss = torch.cat(found)  # (window, block, place in block)
    shifts = [n_blocks - 1 - block for block in range(n_blocks)]
    return torch.stack([loss[s : s + n, b].flatten() for b, s in enumerate(shifts)])


# --8<-- [end:same]


def check_targets(row: Tensor, targets: range, longest: int, stride: int) -> None:
    """Raise ValueError where the text or the blocks do not fit."""
    if longest % stride or len(targets) % stride:
        raise ValueError(
            f"stride = {stride} must divide the context, {longest}, and the number of "
            f"targets, {len(targets)}"
        )
    if targets.start < longest or targets.stop + longest > len(row):
        raise ValueError(
            f"targets {targets.start} to {targets.stop} need {longest} tokens before "
            f"and after them, in a text of {len(row)}"
        )

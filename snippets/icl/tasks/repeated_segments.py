"""Sequences in which one random segment returns, over a background of bigrams.

The background is a Markov chain whose table never changes: what follows a token there
can be learned by heart. The segment is new in every sequence: where it returns, only
the context can tell what comes next.

Source: the task is ours. olsson2022 tests heads on repeated random tokens; a background
gives the network something to learn before.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from snippets.icl.streams import as_numpy


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_vocab: int = 32  # V
    n_tokens: int = 64  # T, tokens that a network reads
    segment: int = 12  # S, tokens of the segment
    copies: int = 3  # R, how often it stands in a sequence
    concentration: float = 0.1  # of the Dirichlet law of the table's rows: low is peaky

    # --8<-- [end:task]

    def __post_init__(self) -> None:
        """Raise ValueError where no such sequences exist."""
        for name in ("n_vocab", "n_tokens", "segment", "copies", "concentration"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} = {getattr(self, name)} is not above zero")
        if self.segment * self.copies > self.n_tokens:
            raise ValueError(
                f"{self.copies} copies of {self.segment} tokens do not fit into "
                f"n_tokens = {self.n_tokens}"
            )


@dataclass(frozen=True)
class Batch:
    """Sequences of T + 1 tokens: a network reads the first T and is asked for the
    last T."""

    tokens: Int[Tensor, "batch token"]
    copy: Int[Tensor, "batch token"]  # which copy of the segment, or -1: background

    @property
    def read(self) -> Int[Tensor, "batch pos"]:
        return self.tokens[:, :-1]

    @property
    def wanted(self) -> Int[Tensor, "batch pos"]:
        return self.tokens[:, 1:]

    @property
    def repeats(self) -> Bool[Tensor, "batch pos"]:
        """Where the next token is told by the context: it and the token before it
        belong to one copy of the segment, and not to the first."""
        now, following = self.copy[:, :-1], self.copy[:, 1:]
        return (now == following) & (following >= 1)

    @property
    def background(self) -> Bool[Tensor, "batch pos"]:
        """Where the next token is told by the table: both tokens are background."""
        return (self.copy[:, :-1] < 0) & (self.copy[:, 1:] < 0)


class World:
    """The fixed part of the task: one table of bigrams."""

    # --8<-- [start:world]
    def __init__(self, task: Task, stream: Generator) -> None:
        self.task = task
        rows = np.full(task.n_vocab, task.concentration)
        # row: now, column: next
        self.table = as_numpy(stream).dirichlet(rows, task.n_vocab)

    def draw(self, batch: int, stream: Generator) -> Batch:
        """Fresh sequences: a chain, and a random segment pasted R times over it."""
        t, random = self.task, as_numpy(stream)
        tokens = self.chain(batch, t.n_tokens + 1, random)
        segment = random.integers(t.n_vocab, size=(batch, t.segment))  # uniform

        # R starts at random, in order, without overlap: choose R of the slots that are
        # left when each copy takes one slot, then give every copy its S tokens back
        n_slots = t.n_tokens + 1 - t.copies * (t.segment - 1)
        slots = random.random((batch, n_slots)).argsort(1)[:, : t.copies]
        starts = np.sort(slots, 1) + np.arange(t.copies) * (t.segment - 1)
        places = (starts[:, :, None] + np.arange(t.segment)).reshape(batch, -1)

        copy = np.full(tokens.shape, -1)
        which = np.repeat(np.arange(t.copies), t.segment)
        np.put_along_axis(tokens, places, np.tile(segment, t.copies), 1)
        np.put_along_axis(copy, places, np.broadcast_to(which, places.shape), 1)
        return Batch(torch.from_numpy(tokens), torch.from_numpy(copy))

    def chain(self, batch: int, length: int, random: np.random.Generator) -> np.ndarray:
        """Markov chains from their stationary law."""
        sums = self.table.cumsum(1)
        last = self.task.n_vocab - 1  # sums may end a rounding error below 1
        tokens = np.empty((batch, length), dtype=np.int64)
        for i in range(length):
            dice = random.random((batch, 1))
            below = sums[tokens[:, i - 1]] if i else self.stationary().cumsum()[None]
            tokens[:, i] = np.minimum((below < dice).sum(1), last)
        return tokens

    # --8<-- [end:world]

    def stationary(self) -> np.ndarray:
        """How often each token occurs in a long chain."""
        return np.linalg.matrix_power(self.table, 1024)[0]

    def entropy(self) -> float:
        """Nats a token of the chain has left when the token before it is known: no
        network can predict the background better, on average."""
        p = self.table
        logs = np.log(p, where=p > 0, out=np.zeros_like(p))
        return float(-(self.stationary()[:, None] * p * logs).sum())


# --8<-- [start:context_free]
def context_free(data: Batch, n_vocab: int) -> Float[Tensor, "n_vocab n_vocab"]:
    """Log-probability of each token after each, by counting in `data`: the best that a
    prediction can be which looks at the present token and at no other."""
    pairs = data.read.flatten() * n_vocab + data.wanted.flatten()
    counts = torch.bincount(pairs, minlength=n_vocab**2).view(n_vocab, n_vocab) + 1
    return (counts / counts.sum(1, keepdim=True)).log()


# --8<-- [end:context_free]

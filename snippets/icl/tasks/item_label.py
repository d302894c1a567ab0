"""Item-label sequences: a few-shot classification task whose items are points.

A context holds N item-label pairs and ends with one more item, the target:

    x_1, l_1, x_2, l_2, ..., x_N, l_N, x_target      2N + 1 tokens

The label of x_target is to be predicted. An item is a noisy copy of its class's mean.
Each class has one of L labels, and each label is a fixed random vector.

Source: reddy2024, section 2; the sampling follows the author's released JAX code where
the text is silent. What differs: there a batch shares 128 new classes, here every
sequence has its own; and `from_memory` never shows the target's class, which the
source's does now and then (in 3 of 100 sequences with N = 8 and K = 256).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from snippets.icl.shapes import Labels, Stream


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_pairs: int = 8  # N, item-label pairs in a context
    n_labels: int = 32  # L
    n_classes: int = 256  # K, classes with fixed means; class k has label k mod L
    d_item: int = 32  # D, dimensions of an item
    noise: float = 0.1  # epsilon, spread of a class around its mean
    n_slots: int = 17  # P, length of the one-hot position; above 2N + 1 contexts shift
    copies: int = 1  # B, how often each class of a context occurs in it
    novel_share: float = 0.8  # p_C, share of training sequences with new classes

    @property
    def n_tokens(self) -> int:
        return 2 * self.n_pairs + 1

    @property
    def d_model(self) -> int:  # position and content stand side by side
        return self.n_slots + self.d_item

    # --8<-- [end:task]

    def __post_init__(self) -> None:
        """Raise ValueError where no such sequences exist."""
        if self.n_pairs < 1 or self.copies < 1:
            raise ValueError(
                f"n_pairs = {self.n_pairs} and copies = {self.copies} must be at least 1"
            )
        if self.n_classes % self.n_labels:
            raise ValueError(
                f"n_labels = {self.n_labels} must divide n_classes = {self.n_classes}: "
                "labels are dealt in turn"
            )
        if self.n_pairs % self.copies:
            raise ValueError(
                f"copies = {self.copies} must divide n_pairs = {self.n_pairs}"
            )
        if self.n_pairs // self.copies > self.n_labels:
            raise ValueError(
                f"n_labels = {self.n_labels} is too few: a context shows "
                f"{self.n_pairs // self.copies} different ones"
            )
        if self.n_slots < self.n_tokens:
            raise ValueError(
                f"n_slots = {self.n_slots} is too few for {self.n_tokens} tokens"
            )


@dataclass(frozen=True)
class Batch:
    """Sequences and their answers."""

    tokens: Stream
    context_labels: Int[Tensor, "batch pair"]  # the label shown with each item
    answer: Labels  # the target's label
    answer_shown: Float[Tensor, "batch pair"]  # 1 where a pair is of the target's class


class World:
    """The fixed part of a task: a mean for each class, a vector for each label.

    Each kind of sequence is drawn from the generator that it is given, so that training
    and tests share no draws.
    """

    # --8<-- [start:world]
    def __init__(self, task: Task, generator: Generator) -> None:
        self.task = task
        self.means = self.points(generator, task.n_classes)
        # label vectors are fixed: they are not learned
        self.label_vectors = self.points(generator, task.n_labels)

    def train(self, batch: int, generator: Generator) -> Batch:
        """What the network trains on: known classes, and in `novel_share` of the
        sequences classes that are new to it."""
        return self.sequences(batch, generator, self.task.novel_share)

    def known(self, batch: int, generator: Generator) -> Batch:
        """Known classes: the answer stands in the context, and also in the weights of
        a network that memorised it."""
        return self.sequences(batch, generator, novel_share=0.0)

    def novel(self, batch: int, generator: Generator) -> Batch:
        """Each sequence has classes of its own: only its context tells their labels."""
        return self.sequences(batch, generator, novel_share=1.0)

    def rotated(self, batch: int, generator: Generator) -> Batch:
        """Known classes, each shown with the next label: memory says k mod L, the
        context says k + 1 mod L."""
        return self.sequences(batch, generator, novel_share=0.0, rotated_by=1)

    def from_memory(self, batch: int, generator: Generator) -> Batch:
        """The target's class is not in the context: only the weights can know it."""
        t = self.task
        target = integers(generator, t.n_classes, batch, 1)
        others = integers(generator, t.n_classes - 1, batch, t.n_pairs)
        others = others + (others >= target)  # any class but the target's
        means = self.means[torch.cat([others, target], 1)]
        shown = torch.zeros(batch, t.n_pairs)
        labels, answer = others % t.n_labels, target[:, 0] % t.n_labels
        return Batch(self.tokens(means, labels, generator), labels, answer, shown)

    # --8<-- [end:world]

    # --8<-- [start:sequences]
    def sequences(
        self, batch: int, generator: Generator, novel_share: float, rotated_by: int = 0
    ) -> Batch:
        """Contexts in which the target's class stands, `copies` times."""
        t = self.task
        label, place = self.pick(batch, generator)  # (batch, class), (batch, pair)

        # the classes of a context have different labels; each label has K / L classes
        turn = integers(generator, t.n_classes // t.n_labels, *label.shape)
        means = self.means[label + t.n_labels * turn]
        new = torch.rand(batch, 1, 1, generator=generator) < novel_share
        means = torch.where(new, self.points(generator, *label.shape), means)

        # the target is of the class of one of the pairs
        target = place.gather(1, integers(generator, t.n_pairs, batch, 1))
        every = torch.arange(batch)[:, None]
        means = means[every, torch.cat([place, target], 1)]
        label = (label + rotated_by) % t.n_labels
        context, answer = label.gather(1, place), label.gather(1, target)[:, 0]
        shown = (place == target).float()
        return Batch(self.tokens(means, context, generator), context, answer, shown)

    def pick(
        self, batch: int, generator: Generator
    ) -> tuple[Int[Tensor, "batch class"], Int[Tensor, "batch pair"]]:
        """The labels of a context's classes, all different, and the class that stands
        in each place: every one `copies` times, in any order."""
        t, n = self.task, self.task.n_pairs // self.task.copies
        any_order = torch.rand(batch, t.n_labels, generator=generator).argsort(1)
        place = torch.arange(t.n_pairs).expand(batch, -1)
        if t.copies > 1:
            place = torch.rand(place.shape, generator=generator).argsort(1) % n
        return any_order[:, :n], place

    def tokens(
        self,
        means: Float[Tensor, "batch item d_item"],
        labels: Int[Tensor, "batch pair"],
        generator: Generator,
    ) -> Stream:
        """Noisy items and label vectors in turn, each behind its one-hot position."""
        t, batch = self.task, len(labels)
        items = means + t.noise * self.points(generator, *means.shape[:2])
        x = torch.empty(batch, t.n_tokens, t.d_model)
        shift = integers(generator, t.n_slots - t.n_tokens + 1, batch, 1)
        x[..., : t.n_slots] = F.one_hot(shift + torch.arange(t.n_tokens), t.n_slots)
        x[:, 0::2, t.n_slots :] = items / (1 + t.noise**2) ** 0.5  # about unit length
        x[:, 1::2, t.n_slots :] = self.label_vectors[labels]
        return x

    # --8<-- [end:sequences]

    def points(
        self, generator: Generator, *shape: int
    ) -> Float[Tensor, "*shape d_item"]:
        """Random points of expected squared length 1."""
        d_item = self.task.d_item
        return torch.randn(*shape, d_item, generator=generator) * d_item**-0.5


def integers(generator: Generator, below: int, *shape: int) -> Int[Tensor, "*shape"]:
    return torch.randint(below, shape, generator=generator)


def label_to_item(n_tokens: int) -> Bool[Tensor, "pos pos"]:
    """The edges (query, key) from each label to the item before it."""
    edges = torch.zeros(n_tokens, n_tokens, dtype=torch.bool)
    labels = torch.arange(1, n_tokens, 2)
    edges[labels, labels - 1] = True
    return edges

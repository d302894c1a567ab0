"""Item-label sequences: a few-shot classification task whose items are points.

A context holds N item-label pairs and ends with one more item, the target:

    x_1, l_1, x_2, l_2, ..., x_N, l_N, x_target      2N + 1 tokens

The label of x_target is to be predicted. An item is a noisy copy of its class's mean.
Each class has one of L labels, and each label is a fixed random vector.

Source: reddy2024, section 2; the sampling follows the author's released JAX code where
the text is silent.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor


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
    novel_share: float = 0.8  # p_C, share of training sequences with unseen classes
    n_novel: int = 128  # classes drawn afresh for each batch of novel sequences

    @property
    def n_tokens(self) -> int:
        return 2 * self.n_pairs + 1

    @property
    def d_model(self) -> int:  # position and content stand side by side
        return self.n_slots + self.d_item

    # --8<-- [end:task]

    def __post_init__(self) -> None:
        """Raise ValueError where no such sequences exist."""
        if self.n_classes % self.n_labels or self.n_novel % self.n_labels:
            raise ValueError(
                f"n_labels = {self.n_labels} must divide n_classes = {self.n_classes} "
                f"and n_novel = {self.n_novel}: labels are dealt in turn"
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

    tokens: Float[Tensor, "batch token d_model"]
    context_labels: Int[Tensor, "batch pair"]  # the label shown with each item
    answer: Int[Tensor, "batch"]  # the target's label
    answer_shown: Float[Tensor, "batch pair"]  # 1 where a pair is of the target's class


class World:
    """The fixed part of a task: a mean for each class, a vector for each label."""

    # --8<-- [start:world]
    def __init__(self, task: Task, generator: Generator) -> None:
        self.task, self.generator = task, generator
        self.means = self.points(task.n_classes)
        self.label_vectors = self.points(task.n_labels)  # fixed: they are not learned

    def train(self, batch: int) -> Batch:
        """What the network trains on: known classes, and in `novel_share` of the
        sequences classes that are new to it."""
        n_novel = int((self.uniform(batch) < self.task.novel_share).sum())
        known, novel = self.known(batch - n_novel), self.novel(n_novel)
        pairs = zip(vars(known).values(), vars(novel).values())
        return Batch(*(torch.cat(fields) for fields in pairs))

    def known(self, batch: int) -> Batch:
        """Known classes: the answer stands in the context, and also in the weights of
        a network that memorised it."""
        classes, target = self.pick(batch, self.task.n_classes)
        labels = classes % self.task.n_labels
        return self.sequences(self.means, classes, labels, target)

    def novel(self, batch: int) -> Batch:
        """Classes drawn for this call alone: only the context tells their labels."""
        classes, target = self.pick(batch, self.task.n_novel)
        labels = classes % self.task.n_labels
        return self.sequences(self.points(self.task.n_novel), classes, labels, target)

    def rotated(self, batch: int) -> Batch:
        """Known classes, each shown with the next label: memory says k mod L, the
        context says k + 1 mod L."""
        classes, target = self.pick(batch, self.task.n_classes)
        labels = (classes + 1) % self.task.n_labels
        return self.sequences(self.means, classes, labels, target)

    def from_memory(self, batch: int) -> Batch:
        """Context and target drawn apart: the target's class is (almost) never shown,
        so only the weights can know it."""
        n = self.task.n_pairs
        classes = self.integers(self.task.n_classes, batch, n + 1)
        labels = classes % self.task.n_labels
        return self.assemble(self.means, classes, labels[:, :n], labels[:, n])

    # --8<-- [end:world]

    # --8<-- [start:sequences]
    def pick(
        self, batch: int, n_classes: int
    ) -> tuple[Int[Tensor, "batch pair"], Int[Tensor, "batch"]]:
        """The classes of the N pairs, and which of the pairs the target repeats.

        Labels differ within a context, unless `copies` says that each stands there
        several times; copies of a label are copies of one class.
        """
        t = self.task
        labels = self.uniform(batch, t.n_labels).argsort(1)[:, : t.n_pairs // t.copies]
        labels = labels.repeat(1, t.copies)
        labels = labels.gather(1, self.uniform(*labels.shape).argsort(1))  # shuffle
        turn = self.integers(n_classes // t.n_labels, batch, t.n_labels)
        classes = labels + t.n_labels * turn.gather(1, labels)
        return classes, self.integers(t.n_pairs, batch)

    def sequences(
        self,
        means: Float[Tensor, "n_classes d_item"],
        classes: Int[Tensor, "batch pair"],
        labels: Int[Tensor, "batch pair"],
        target: Int[Tensor, "batch"],
    ) -> Batch:
        """Sequences whose target is of the same class as pair number `target`."""
        target_class = classes.gather(1, target[:, None])
        answer = labels.gather(1, target[:, None])[:, 0]
        return self.assemble(
            means, torch.cat([classes, target_class], 1), labels, answer
        )

    def assemble(
        self,
        means: Float[Tensor, "n_classes d_item"],
        classes: Int[Tensor, "batch pair_and_target"],
        labels: Int[Tensor, "batch pair"],
        answer: Int[Tensor, "batch"],
    ) -> Batch:
        """Noisy items and label vectors in turn, each behind its one-hot position."""
        t, (batch, n) = self.task, labels.shape
        items = means[classes] + t.noise * self.points(*classes.shape)
        content = torch.empty(batch, t.n_tokens, t.d_item)
        content[:, 0::2] = items / (1 + t.noise**2) ** 0.5  # of unit length, on average
        content[:, 1::2] = self.label_vectors[labels]
        shift = self.integers(t.n_slots - t.n_tokens + 1, batch, 1)
        position = F.one_hot(shift + torch.arange(t.n_tokens), t.n_slots)
        return Batch(
            tokens=torch.cat([position.to(content), content], -1),
            context_labels=labels,
            answer=answer,
            answer_shown=(classes[:, :n] == classes[:, n:]).float(),
        )

    # --8<-- [end:sequences]

    def points(self, *shape: int) -> Float[Tensor, "*shape d_item"]:
        """Random points of expected squared length 1."""
        d_item = self.task.d_item
        return torch.randn(*shape, d_item, generator=self.generator) * d_item**-0.5

    def uniform(self, *shape: int) -> Float[Tensor, "*shape"]:
        return torch.rand(*shape, generator=self.generator)

    def integers(self, below: int, *shape: int) -> Int[Tensor, "*shape"]:
        return torch.randint(below, shape, generator=self.generator)

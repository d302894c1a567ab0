"""A few things with their labels, and one of the things again: which label was its?

    x_1, l_1, ..., x_N, l_N, x_target      2N + 1 tokens

The classes of one sequence differ, and so do the labels, which are drawn anew in every
sequence: nothing can be remembered. A class is a vector: one of a set at right angles, or
one of more vectors than dimensions. Positions are not in a token's vector.

Source: singh2024, released code (labels drawn anew); there features of images, N = 2.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_pairs: int = 4
    n_classes: int = 16
    n_labels: int = 8
    d_item: int = 0  # dimensions that all classes share; 0: one for each class

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such task."""
        if not 2 <= self.n_pairs <= self.n_labels:
            raise ValueError(
                f"n_pairs = {self.n_pairs}, n_labels = {self.n_labels}: take two pairs "
                "or more, and as many labels as pairs or more"
            )
        if self.n_labels > self.n_classes:
            raise ValueError(
                f"n_labels = {self.n_labels}, n_classes = {self.n_classes}: take as "
                "many classes as labels or more"
            )
        if self.d_item < 0:
            raise ValueError(f"d_item = {self.d_item}: give 0 or more dimensions")

    @property
    def n_tokens(self) -> int:
        return 2 * self.n_pairs + 1

    @property
    def d(self) -> int:  # of a class's vector
        return self.d_item or self.n_classes

    @property
    def d_token(self) -> int:
        return self.d + self.n_labels

    def vectors(self, generator: Generator) -> Float[Tensor, "cls d"]:
        """A vector of length 1 for each class."""
        if not self.d_item:
            return torch.eye(self.n_classes)
        return F.normalize(torch.randn(self.n_classes, self.d, generator=generator))


@dataclass(frozen=True)
class Batch:
    tokens: Float[Tensor, "batch pos d_token"]  # class and label, side by side
    answer: Int[Tensor, "batch"]
    match: Int[Tensor, "batch"]  # the pair that the target repeats, from 0


def sample(
    task: Task, vectors: Float[Tensor, "cls d"], n: int, generator: Generator
) -> Batch:
    """n sequences."""

    def some_of(count: int) -> Int[Tensor, "batch pair"]:
        shuffled = torch.rand(n, count, generator=generator).topk(task.n_pairs).indices
        return shuffled

    classes, labels = some_of(task.n_classes), some_of(task.n_labels)
    match = torch.randint(task.n_pairs, (n,), generator=generator)
    target, answer = (t.gather(1, match[:, None]) for t in (classes, labels))

    tokens = torch.zeros(n, task.n_tokens, task.d_token)
    tokens[:, 0::2, : task.d] = vectors[torch.cat([classes, target], 1)]
    tokens[:, 1::2, task.d :] = F.one_hot(labels, task.n_labels).float()
    return Batch(tokens, answer[:, 0], match)


# --8<-- [end:task]

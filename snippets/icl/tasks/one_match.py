"""Items and labels as tokens: each context has exactly one match for its target.

    x_1, l_1, x_2, l_2, ..., x_N, l_N, x_target      2N + 1 tokens

Items are tokens 0, 1, ..., and labels come after them. Contents, the vectors that stand
for tokens, are at right angles or random.

Source: reddy2024, section 2, for items and labels; here no class has any noise.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.attention import HandSet


@dataclass(frozen=True)
class Task:
    n_items: int = 32
    n_labels: int = 32  # L

    @property
    def labels(self) -> slice:  # ids of the tokens that are labels; items come before
        return slice(self.n_items, self.n_items + self.n_labels)


# --8<-- [start:task]
def orthonormal(n: int, generator: Generator) -> Float[Tensor, "n n"]:
    """n contents at right angles, turned at random."""
    return torch.linalg.qr(torch.randn(n, n, generator=generator).double())[0]


def random_contents(n: int, d: int, generator: Generator) -> Float[Tensor, "n d"]:
    """n contents of length 1 in d dimensions. With n > d they cannot be orthogonal."""
    return F.normalize(torch.randn(n, d, generator=generator).double(), dim=1)


def item_label(
    match: Int[Tensor, "batch"], n_pairs: int, task: Task, generator: Generator
) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch"]]:
    """x_1 l_1 ... x_N l_N x_target, and the target's label. The target repeats the item
    of pair number `match`, counted from 0; items differ, and so do labels."""
    if n_pairs > min(task.n_items, task.n_labels):
        raise ValueError(
            f"{n_pairs} pairs need {n_pairs} different items and labels; there are "
            f"{task.n_items} and {task.n_labels}"
        )

    def some(n: int) -> Int[Tensor, "batch pair"]:
        return torch.rand(len(match), n, generator=generator).argsort(1)[:, :n_pairs]

    items, labels = some(task.n_items), task.n_items + some(task.n_labels)
    target, answer = (t.gather(1, match[:, None]) for t in (items, labels))
    pairs = torch.stack([items, labels], -1).flatten(1)
    return torch.cat([pairs, target], 1), answer[:, 0]


def sequences(
    n_pairs: int, batch: int, task: Task, generator: Generator
) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch"]]:
    """Sequences in which each pair is as likely to be repeated as every other."""
    match = torch.randint(n_pairs, (batch,), generator=generator)
    return item_label(match, n_pairs, task, generator)


# --8<-- [end:task]


# --8<-- [start:accuracy]
def accuracy(
    model: HandSet,
    tokens: Int[Tensor, "batch pos"],
    answer: Int[Tensor, "batch"],
    labels: slice,
) -> float:
    """How often the label with the largest logit is the target's."""
    logits, _ = model(tokens)
    guess = labels.start + logits[:, -1, labels].argmax(1)
    return (guess == answer).double().mean().item()


# --8<-- [end:accuracy]

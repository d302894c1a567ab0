"""Items with names, where each class keeps its name for good: a task with two right ways.

A prompt shows N pairs of an item and its name, then one more item of a class among them,
whose name is wanted. Every item is its class's mean plus noise. Class k has name k, always:
so the answer can be found by the *item* (which pair's item is like the one asked for?) or by
the *name* (which of the names shown is the one that such items have?).

Source: the task of singh2025, in which both ways give the answer; smaller, with points for
items. Errors: ValueError where no such prompts exist.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

Items = Float[Tensor, "batch pair d_item"]
Names = Int[Tensor, "batch pair"]
Query = Float[Tensor, "batch d_item"]
Answer = Int[Tensor, "batch"]


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_pairs: int = 4  # N
    n_classes: int = 128  # K, and as many names
    d_item: int = 32  # D
    noise: float = (
        1.0  # as large as the means: two items of a class correlate by a half
    )
    same_item: bool = False  # is the item asked for a copy of the one in the context?

    # --8<-- [end:task]

    def __post_init__(self) -> None:
        if self.n_pairs < 2 or self.d_item < 1:
            raise ValueError(
                f"n_pairs = {self.n_pairs} and d_item = {self.d_item}: take two pairs and "
                "one dimension at least"
            )
        if self.n_classes <= self.n_pairs:
            raise ValueError(
                f"n_pairs = {self.n_pairs} names cannot all differ with n_classes = "
                f"{self.n_classes} and leave one out: take more classes than pairs"
            )
        if not self.noise >= 0:
            raise ValueError(f"noise = {self.noise}: a spread is 0 or more")


@dataclass(frozen=True)
class Prompts:
    items: Items
    names: Names  # the name shown with each item
    query: Query
    answer: (
        Answer  # what is right by the context, or where it says nothing the usual name
    )
    usual: Answer  # the name that the query's class has in training, -1: it has none


KINDS = ("train", "novel", "swapped", "named", "absent")


class World:
    """The classes of a task, and prompts of several kinds about them.

    train    the query's class stands in the context, with its name
    novel    the same with classes that nobody has seen; names are dealt at random
    swapped  known classes, each with the name of the next pair: the two ways disagree
    named    the query's class is not there; its usual name is, beside another item
    absent   neither is there
    """

    # --8<-- [start:world]
    def __init__(self, task: Task, generator: Generator) -> None:
        self.task = task
        self.means = self.points(generator, task.n_classes)

    def draw(self, kind: str, batch: int, generator: Generator) -> Prompts:
        t, every = self.task, torch.arange(batch)
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r}: choose one of {', '.join(KINDS)}")
        order = torch.rand(batch, t.n_classes, generator=generator).argsort(1)
        classes = order[:, : t.n_pairs + 1]  # all different; the last is not shown
        place = torch.randint(t.n_pairs, (batch,), generator=generator)
        means = self.means[classes]
        if kind == "novel":
            means = self.points(generator, batch, t.n_pairs + 1)
        items = self.noisy(means[:, :-1], generator)
        names = classes[:, :-1].clone()
        usual = names[every, place]
        if kind in ("named", "absent"):
            query = self.noisy(means[:, -1], generator)
            usual = classes[:, -1]
            if kind == "named":
                names[every, place] = usual
            return Prompts(items, names, query, usual, usual)
        query = self.noisy(means[every, place], generator)
        if t.same_item:
            query = items[every, place]
        if kind == "swapped":
            names = names.roll(1, 1)
        if kind == "novel":
            usual = torch.full_like(usual, -1)
        return Prompts(items, names, query, names[every, place], usual)

    # --8<-- [end:world]

    def points(
        self, generator: Generator, *shape: int
    ) -> Float[Tensor, "*shape d_item"]:
        """Random points of expected squared length 1."""
        d = self.task.d_item
        return torch.randn(*shape, d, generator=generator) * d**-0.5

    def noisy(
        self, means: Float[Tensor, "*shape d_item"], generator: Generator
    ) -> Float[Tensor, "*shape d_item"]:
        return means + self.task.noise * self.points(generator, *means.shape[:-1])


# --8<-- [start:best]
def best_by_item(task: Task, prompts: Prompts) -> Answer:
    """The best guess of a reader who knows how items spread, and no class: the pair
    whose item makes the query likeliest. Given one item of its class, another is
    Gaussian around rho times it, rho = 1 / (1 + noise^2); other items say nothing."""
    rho = 1 / (1 + task.noise**2)
    off = (prompts.query[:, None] - rho * prompts.items).square().sum(-1)
    return prompts.names.gather(1, off.argmin(1, keepdim=True))[:, 0]


def best_by_name(means: Float[Tensor, "n_classes d_item"], prompts: Prompts) -> Answer:
    """The best guess of one who knows every class by its name: the shown name whose
    class has its mean nearest to the query. Once the class is known, the item beside
    the name says nothing more."""
    off = (prompts.query[:, None] - means[prompts.names]).square().sum(-1)
    return prompts.names.gather(1, off.argmin(1, keepdim=True))[:, 0]


# --8<-- [end:best]

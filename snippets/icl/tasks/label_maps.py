"""Several tasks on the same items: T maps from class to label, one for each context.

A context holds N item-label pairs and ends with one more item, the query:

    x_1, l_1, x_2, l_2, ..., x_N, l_N, x_query      2N + 1 tokens

All labels of a context come from one map, and so does the answer. Which map it is only
the pairs can tell. The query's class is any of all K, so it is seldom in the context.

Source: minegishi2025, section 3.1. Tokens as in `item_label`: a one-hot position and
the content side by side, labels as fixed random vectors. The author's released code
differs: cyclic maps, positions on items alone, and label vectors that are learned.
"""

from copy import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_tasks: int = 3  # T, maps from class to label
    n_pairs: int = 4  # N, item-label pairs in a context; their classes differ
    n_classes: int = 64  # K
    n_labels: int = 32  # L
    d_item: int = 63  # D, dimensions of an item
    noise: float = 0.1  # epsilon, spread of a class around its mean
    n_slots: int = 9  # P, length of the one-hot position; above 2N + 1 contexts shift
    maps: str = "random"  # each label drawn for itself; or "cyclic": (k + task) mod L
    query_shown: bool = True  # False: the query's class never stands in the context

    @property
    def n_tokens(self) -> int:
        return 2 * self.n_pairs + 1

    @property
    def d_model(self) -> int:  # position and content stand side by side
        return self.n_slots + self.d_item

    # --8<-- [end:task]

    def __post_init__(self) -> None:
        """Raise ValueError where no such sequences exist."""
        if self.n_tasks < 1:
            raise ValueError(
                f"n_tasks = {self.n_tasks}: there must be at least one map"
            )
        if self.maps not in ("random", "cyclic"):
            raise ValueError(f"maps = '{self.maps}': choose 'random' or 'cyclic'")
        different = self.n_pairs + (not self.query_shown)
        if different > self.n_classes:
            raise ValueError(
                f"n_classes = {self.n_classes} is too few: a sequence needs "
                f"{different} different ones"
            )
        if self.n_slots < self.n_tokens:
            raise ValueError(
                f"n_slots = {self.n_slots} is too few for {self.n_tokens} tokens"
            )
        if self.maps == "cyclic":
            self.check_cyclic()

    def check_cyclic(self) -> None:
        if self.n_labels > self.n_classes:
            raise ValueError(
                f"n_labels = {self.n_labels} is more than n_classes = {self.n_classes}:"
                " a cyclic map would leave labels unused"
            )
        if self.n_classes % self.n_labels:
            raise ValueError(
                f"n_labels = {self.n_labels} must divide n_classes = {self.n_classes}: "
                "cyclic maps deal labels in turn"
            )
        if self.n_tasks > self.n_labels:
            raise ValueError(
                f"n_tasks = {self.n_tasks} is more than n_labels = {self.n_labels}: "
                "cyclic maps repeat from there on"
            )


@dataclass(frozen=True)
class Batch:
    """Sequences, their answers, and the same sequences with every label moved on."""

    tokens: Float[Tensor, "batch token d_model"]
    moved: Float[Tensor, "batch token d_model"]  # each label beside the next item
    classes: Int[Tensor, "batch pair"]
    context_labels: Int[Tensor, "batch pair"]
    query: Int[Tensor, "batch"]  # the query's class
    answer: Int[Tensor, "batch"]

    @property
    def shown(self) -> Bool[Tensor, "batch"]:
        """Whether the query's class stands in the context."""
        return (self.classes == self.query[:, None]).any(1)


# --8<-- [start:world]
class World:
    """The fixed part: T maps, a mean for each class, a vector for each label."""

    def __init__(self, task: Task, generator: Generator) -> None:
        self.task, self.generator = task, generator
        self.maps = self.draw_maps()  # (task, class): a label
        self.means = self.points(task.n_classes)
        self.label_vectors = self.points(task.n_labels)  # fixed: they are not learned

    def drawing_from(self, generator: Generator) -> "World":
        """The same maps and vectors; its sequences come from another stream."""
        world = copy(self)
        world.generator = generator
        return world

    def draw_maps(self) -> Int[Tensor, "task n_classes"]:
        t = self.task
        if t.maps == "cyclic":
            return (torch.arange(t.n_classes) + torch.arange(t.n_tasks)[:, None]) % (
                t.n_labels
            )
        return self.integers(t.n_labels, t.n_tasks, t.n_classes)

    def draw(self, batch: int, moved: bool = False) -> Batch:
        """Sequences of known classes. `moved` fills in their twins, which training
        does without."""
        t = self.task
        # the places of the largest of K random numbers: different classes, any order
        different = min(t.n_pairs + 1, t.n_classes)
        order = self.uniform(batch, t.n_classes).topk(different).indices
        classes, query = order[:, : t.n_pairs], order[:, -1]
        if t.query_shown:  # then the query's class is any of all K
            query = self.integers(t.n_classes, batch)
        task = self.integers(t.n_tasks, batch)
        labels = self.maps[task[:, None], classes]
        tokens = self.tokens(torch.cat([classes, query[:, None]], 1), labels)
        twin = tokens.clone() if moved else tokens
        if moved:
            twin[:, 1::2, t.n_slots :] = self.label_vectors[labels.roll(1, 1)]
        return Batch(tokens, twin, classes, labels, query, self.maps[task, query])

    def tokens(
        self, classes: Int[Tensor, "batch item"], labels: Int[Tensor, "batch pair"]
    ) -> Float[Tensor, "batch token d_model"]:
        """Noisy items and label vectors in turn, each behind its one-hot position."""
        t = self.task
        items = self.means[classes] + t.noise * self.points(*classes.shape)
        x = torch.empty(len(classes), t.n_tokens, t.d_model)
        shift = self.integers(t.n_slots - t.n_tokens + 1, len(classes), 1)
        place = F.one_hot(shift + torch.arange(t.n_tokens), t.n_slots)
        x[:, :, : t.n_slots] = place
        x[:, 0::2, t.n_slots :] = items / (1 + t.noise**2) ** 0.5  # about unit length
        x[:, 1::2, t.n_slots :] = self.label_vectors[labels]
        return x

    # --8<-- [end:world]

    def points(self, *shape: int) -> Float[Tensor, "*shape d_item"]:
        """Random points of expected squared length 1."""
        d_item = self.task.d_item
        return torch.randn(*shape, d_item, generator=self.generator) * d_item**-0.5

    def uniform(self, *shape: int) -> Float[Tensor, "*shape"]:
        return torch.rand(*shape, generator=self.generator)

    def integers(self, below: int, *shape: int) -> Int[Tensor, "*shape"]:
        return torch.randint(below, shape, generator=self.generator)


# --8<-- [start:posterior]
def from_query(world: World, batch: Batch) -> Float[Tensor, "batch task"]:
    """Without the context every task is as likely as any other."""
    return torch.full((len(batch.query), world.task.n_tasks), 1 / world.task.n_tasks)


def from_labels(world: World, batch: Batch) -> Float[Tensor, "batch task"]:
    """P(task | query, labels of the context, in any order and without their items).

    A task is as likely as there are ways to draw different classes with these labels:
    the first label l can come from n(l) classes, a second l from n(l) - 1, and so on.
    """
    t, n = world.task, len(batch.query)
    stock = F.one_hot(world.maps, t.n_labels).sum(1).double()  # n(l), for each task
    stock = stock.repeat(n, 1, 1)  # (batch, task, label)
    every, tasks = torch.arange(n)[:, None], torch.arange(t.n_tasks)[None]
    if not t.query_shown:  # the query's own class is not to be drawn
        stock[every, tasks, world.maps[:, batch.query].T] -= 1
    # --8<-- [start:ways]
    ways = torch.ones(n, t.n_tasks, dtype=torch.double)
    for label in batch.context_labels.T:
        ways = ways * stock[every, tasks, label[:, None]]
        stock[every, tasks, label[:, None]] -= 1
    return (ways / ways.sum(1, keepdim=True)).float()
    # --8<-- [end:ways]


def from_bags(world: World, batch: Batch) -> Float[Tensor, "batch task"]:
    """P(task | query, items in one bag, labels in another): the tasks that would give
    these items these labels, whoever belongs to whom."""
    would_give = world.maps[:, batch.classes].sort(-1).values  # (task, batch, pair)
    agrees = would_give == batch.context_labels.sort(-1).values
    return alike(agrees)


def from_pairs(world: World, batch: Batch) -> Float[Tensor, "batch task"]:
    """P(task | query, pairs): the tasks that agree with every pair, alike."""
    return alike(world.maps[:, batch.classes] == batch.context_labels)


def alike(agrees: Bool[Tensor, "task batch pair"]) -> Float[Tensor, "batch task"]:
    """The same chance for every task that agrees in all places; the true one does."""
    possible = agrees.all(-1).T.float()
    return possible / possible.sum(1, keepdim=True)


def answer_odds(
    world: World, batch: Batch, task: Float[Tensor, "batch task"]
) -> Float[Tensor, "batch label"]:
    """P(answer): each task votes for the label that it gives to the query."""
    votes = torch.zeros(len(task), world.task.n_labels)
    return votes.scatter_add_(1, world.maps[:, batch.query].T, task)


# --8<-- [end:posterior]


# --8<-- [start:induction]
def induction_head(
    world: World, batch: Batch, sharpness: float = 100.0
) -> Float[Tensor, "batch label"]:
    """An induction head made by hand, with the memory of the query's labels behind it.

    Each label carries the item before it. The query attends to the labels whose item
    resembles it and copies them; where none does, it attends to itself and recalls.
    """
    items = batch.tokens[:, 0::2, world.task.n_slots :]
    match = (items[:, :-1] @ items[:, -1:].mT)[..., 0]  # (batch, pair): about 1 or 0
    itself = torch.full_like(match[:, :1], 0.5)  # wins where nothing matches
    attention = (sharpness * torch.cat([match, itself], 1)).softmax(1)
    shown = F.one_hot(batch.context_labels, world.task.n_labels)
    copied = (attention[:, :-1, None] * shown).sum(1)
    recalled = answer_odds(world, batch, from_query(world, batch))
    return copied + attention[:, -1:] * recalled


# --8<-- [end:induction]

"""Prompts of item-label pairs: labels that live in the weights, or in the prompt.

A task gives each item a label. A prompt shows some of the pairs and asks for the label
of an item:

    item_1 -> label_1, ..., item_n -> label_n, item?

A pair is one token here. Items and labels are symbols: a network sees a fixed random
vector for each, so that a symbol which it has never seen is simply a new vector.

Source: the task is ours. Pairs of items and labels follow chan2022 and reddy2024, which
use a token for the item and one for the label.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor


# --8<-- [start:prompt]
@dataclass(frozen=True)
class Vocabulary:
    """The vector of each item and of each label. They are fixed, not learned."""

    items: Float[Tensor, "item d"]
    labels: Float[Tensor, "label d"]


@dataclass(frozen=True)
class Prompt:
    """n pairs, and queries: items whose label is asked for, each by itself."""

    items: Int[Tensor, "batch pair"]
    labels: Int[Tensor, "batch pair"]
    queries: Int[Tensor, "batch query"]


def ask(
    network: Callable[[Tensor, Tensor], Tensor], vocabulary: Vocabulary, prompt: Prompt
) -> Float[Tensor, "batch query label"]:
    """A logit for every label of the vocabulary, at each query.

    A pair's token is [item; label], a query's [item; 0]. The network answers with a
    vector; a label's logit says how well its own vector agrees with it. So a label that
    was never seen in training can be answered too.
    """
    check(vocabulary, prompt)
    item, label = vocabulary.items, vocabulary.labels
    pairs = torch.cat([item[prompt.items], label[prompt.labels]], -1)
    unknown = torch.zeros(*prompt.queries.shape, label.shape[1])
    queries = torch.cat([item[prompt.queries], unknown], -1)

    n_pairs, n_tokens = prompt.items.shape[1], prompt.items.shape[1] + unknown.shape[1]
    may_read: Bool[Tensor, "token token"] = torch.eye(n_tokens, dtype=torch.bool)
    may_read[:, :n_pairs] = True  # everyone reads the pairs; nobody reads a query
    answers = network(torch.cat([pairs, queries], 1), may_read)[:, n_pairs:]
    return answers @ label.mT * label.shape[1] ** 0.5


# --8<-- [end:prompt]


def check(vocabulary: Vocabulary, prompt: Prompt) -> None:
    """Raise ValueError for a prompt that cannot be asked."""
    if prompt.queries.numel() == 0:
        raise ValueError("the prompt is empty: give it at least one item to ask about")
    n_items, n_labels = len(vocabulary.items), len(vocabulary.labels)
    for name, symbols, n in (
        ("item", prompt.items, n_items),
        ("item", prompt.queries, n_items),
        ("label", prompt.labels, n_labels),
    ):
        unknown = symbols[(symbols < 0) | (symbols >= n)]
        if len(unknown):
            raise ValueError(
                f"unknown {name} {int(unknown[0])}: this vocabulary has {name}s 0 to "
                f"{n - 1}"
            )


def points(n: int, d: int, generator: Generator) -> Float[Tensor, "n d"]:
    """Random vectors of expected squared length 1: symbols without any meaning."""
    return torch.randn(n, d, generator=generator) * d**-0.5


def new_tasks(
    n: int, n_items: int, n_labels: int, generator: Generator
) -> Int[Tensor, "n item"]:
    """Tasks: a label for every item, each drawn evenly."""
    return torch.randint(n_labels, (n, n_items), generator=generator)


def choose(
    tasks: Int[Tensor, "task item"], batch: int, generator: Generator
) -> Int[Tensor, "batch item"]:
    """For each prompt, one of these tasks."""
    return tasks[torch.randint(len(tasks), (batch,), generator=generator)]


def shuffled(n_items: int, batch: int, generator: Generator) -> Int[Tensor, "batch k"]:
    """All items in a random order, for each prompt."""
    return torch.rand(batch, n_items, generator=generator).argsort(1)


def pick(
    order: Int[Tensor, "batch k"],
    n_pairs: int,
    n_queries: int,
    shown: float,
    generator: Generator,
) -> tuple[Int[Tensor, "batch pair"], Int[Tensor, "batch query"]]:
    """The first items of each order, to be shown, and queries: each is one of the shown
    items with probability `shown`, and otherwise one of the rest."""
    batch, n_items = order.shape
    if not 0 < n_pairs < n_items:
        raise ValueError(
            f"n_pairs = {n_pairs} of {n_items} items: show at least one and leave one"
        )
    size = (batch, n_queries)
    inside = torch.randint(n_pairs, size, generator=generator)
    outside = torch.randint(n_pairs, n_items, size, generator=generator)
    among_shown = torch.rand(size, generator=generator) < shown
    return order[:, :n_pairs], order.gather(
        1, torch.where(among_shown, inside, outside)
    )


def show(
    tasks: Int[Tensor, "batch item"],
    items: Int[Tensor, "batch pair"],
    queries: Int[Tensor, "batch query"],
) -> tuple[Prompt, Int[Tensor, "batch query"]]:
    """The prompt that shows these items with their labels, and the right answers."""
    return Prompt(items, tasks.gather(1, items), queries), tasks.gather(1, queries)

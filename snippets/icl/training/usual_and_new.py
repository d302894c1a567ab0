"""A world of known items with usual labels, and of prompts about items that are new.

Source: the task is ours. Pairs of items and labels follow chan2022 and reddy2024.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from snippets.icl.tasks.symbols import (
    Prompt,
    Vocabulary,
    new_tasks,
    pick,
    points,
    show,
    shuffled,
)
from snippets.icl.training.symbol_training import SymbolTraining


@dataclass(frozen=True, kw_only=True)
class Config(SymbolTraining):
    new_share: float  # of the training prompts: new items, labels drawn for the prompt
    n_items: int = 64  # known items
    n_pairs: int = 8


# --8<-- [start:world]
class World:
    """What stays the same in all training prompts: the known items and their labels."""

    def __init__(self, config: Config, fixed: Generator, data: Generator) -> None:
        self.config, self.generator = config, data
        self.items = points(config.n_items, config.d, fixed)
        self.labels = points(config.n_labels, config.d, fixed)
        n = config.n_items
        self.usual = new_tasks(1, n, config.n_labels, fixed)  # never changes

    def training_prompts(self) -> tuple[Vocabulary, Prompt, Int[Tensor, "batch query"]]:
        """Known items with their usual labels; half of the queries are not in the
        prompt. In `new_share` of the prompts: items of this batch alone, with labels
        of this prompt alone, and queries that are in the prompt."""
        c, g, n = self.config, self.generator, self.config.n_items
        n_new = round(c.new_share * c.batch)
        known, new = shuffled(n, c.batch - n_new, g), shuffled(n, n_new, g) + n
        parts = [
            pick(known, c.n_pairs, c.n_queries, 0.5, g),
            pick(new, c.n_pairs, c.n_queries, 1.0, g),
        ]
        items, queries = (torch.cat(part) for part in zip(*parts))

        tasks = torch.cat(  # (batch, 2 n_items): the known items, then the new ones
            [self.usual.expand(c.batch, -1), new_tasks(c.batch, n, c.n_labels, g)], 1
        )
        words = Vocabulary(torch.cat([self.items, points(n, c.d, g)]), self.labels)
        return words, *show(tasks, items, queries)

    # --8<-- [end:world]

    # --8<-- [start:tests]
    def test_prompts(self, shown: bool) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """Usual labels and one query, which the prompt shows or does not show."""
        c, g = self.config, self.generator
        order = shuffled(c.n_items, c.n_test, g)
        return show(
            self.usual.expand(c.n_test, -1), *pick(order, c.n_pairs, 1, float(shown), g)
        )

    def flipped(
        self, prompt: Prompt, answer: Int[Tensor, "batch 1"], all_pairs: bool
    ) -> tuple[Prompt, Int[Tensor, "batch 1"]]:
        """The same prompts with wrong labels, and what they now say about the query.

        Each label is moved on by one and the same number; or that of the query alone.
        """
        n = self.config.n_labels
        shift = torch.randint(1, n, (len(answer), 1), generator=self.generator)
        wrong = (prompt.labels + shift) % n
        if not all_pairs:
            wrong = torch.where(prompt.items == prompt.queries, wrong, prompt.labels)
        return Prompt(prompt.items, wrong, prompt.queries), (answer + shift) % n

    def unseen(self, items: bool, labels: bool) -> tuple[Vocabulary, int]:
        """A vocabulary in which all items are new, or which has as many new labels
        again; and the number of its first label to use."""
        c, g = self.config, self.generator
        more = torch.cat([self.labels, points(c.n_labels, c.d, g)])
        vocabulary = Vocabulary(
            points(c.n_items, c.d, g) if items else self.items,
            more if labels else self.labels,
        )
        return vocabulary, c.n_labels if labels else 0

    # --8<-- [end:tests]

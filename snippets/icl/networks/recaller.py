"""Any blocks on the recall task: pairs and queries in, the queries' values out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.tasks.recall import Recall, draw_recall


# --8<-- [start:network]
@dataclass(frozen=True)
class Vocabulary:
    n_keys: int = 64
    n_values: int = 16
    n_queries: int = 16


class Recaller(nn.Module):
    """Embeds pairs and queries, and reads a value off each query."""

    def __init__(
        self,
        words: Vocabulary,
        d_model: int,
        generator: Generator,
        blocks: Callable[[Generator], nn.Module],
    ) -> None:
        super().__init__()

        def table(rows: int) -> nn.Parameter:
            return normal(rows, d_model, std=1.0, generator=generator)

        self.words = words
        self.keys, self.values = table(words.n_keys), table(words.n_values)
        self.kind = table(2)  # a pair or a query
        self.W_U = normal(
            d_model, words.n_values, std=d_model**-0.5, generator=generator
        )
        self.blocks = blocks(generator)

    def forward(self, prompts: Recall) -> Float[Tensor, "batch m n_values"]:
        """Raises ValueError for an empty prompt, or a symbol that has no row."""
        check_prompts(prompts, self.words)
        pairs = self.keys[prompts.keys] + self.values[prompts.values] + self.kind[0]
        queries = self.keys[prompts.queries] + self.kind[1]
        return self.blocks(pairs, queries) @ self.W_U


@dataclass(frozen=True)
class LookUp:
    """The task: prompts with so many pairs, and the loss of the values named."""

    words: Vocabulary

    def draw(self, batch: int, n_pairs: int, generator: Generator) -> Recall:
        w = self.words
        return draw_recall(batch, n_pairs, w.n_queries, w.n_keys, w.n_values, generator)

    def loss(self, network: nn.Module, prompts: Recall) -> Tensor:
        logits = network(prompts).flatten(0, 1)
        return F.cross_entropy(logits, prompts.answers.flatten())


def accuracy_of(network: nn.Module, prompts: Recall) -> float:
    return (network(prompts).argmax(-1) == prompts.answers).float().mean().item()


# --8<-- [end:network]


def check_prompts(prompts: Recall, words: Vocabulary) -> None:
    """Raise ValueError, in words, for what the network has no row for."""
    if not prompts.keys.numel() or not prompts.queries.numel():
        raise ValueError("the prompt is empty: give at least one pair and one query")
    for name, tokens, rows in (
        ("key", prompts.keys, words.n_keys),
        ("value", prompts.values, words.n_values),
        ("query", prompts.queries, words.n_keys),
    ):
        if not 0 <= int(tokens.min()) <= int(tokens.max()) < rows:
            raise ValueError(
                f"a {name} is none of 0 to {rows - 1}: the network has no row for it"
            )

"""Multi-query associative recall: pairs of a key and a value, then keys to look up.

    (k_1, v_1), ..., (k_n, v_n), then queries, each of them one of the k_i

Keys of a prompt differ; values may repeat. Which key has which value is drawn anew for
each prompt, so the answers stand in the context and nowhere else.

Source: the task of arora2023. There a key and its value are two tokens, one after the
other. Here a pair is one token: to bind neighbours is a question of its own.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Generator, Tensor


# --8<-- [start:task]
@dataclass(frozen=True)
class Recall:
    keys: Int[Tensor, "batch n"]
    values: Int[Tensor, "batch n"]
    queries: Int[Tensor, "batch m"]
    answers: Int[Tensor, "batch m"]


def draw_recall(
    batch: int,
    n_pairs: int,
    n_queries: int,
    n_keys: int,
    n_values: int,
    generator: Generator,
) -> Recall:
    """Prompts with n_pairs different keys, and n_queries of them drawn evenly.

    Raises ValueError where a size is below 1, or there are fewer keys than pairs.
    """
    check_sizes(batch, n_pairs, n_queries, n_keys, n_values)
    order = torch.rand(batch, n_keys, generator=generator).argsort(1)
    keys = order[:, :n_pairs]  # the first of a shuffled list: no key comes twice
    values = torch.randint(n_values, (batch, n_pairs), generator=generator)
    asked = torch.randint(n_pairs, (batch, n_queries), generator=generator)
    return Recall(keys, values, keys.gather(1, asked), values.gather(1, asked))


# --8<-- [end:task]


def check_sizes(
    batch: int, n_pairs: int, n_queries: int, n_keys: int, n_values: int
) -> None:
    """Raise ValueError, in words, where no such prompts exist."""
    sizes = {
        "batch": batch,
        "n_pairs": n_pairs,
        "n_queries": n_queries,
        "n_values": n_values,
    }
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} = {size}: a prompt needs at least 1")
    if n_pairs > n_keys:
        raise ValueError(
            f"{n_pairs} pairs need as many different keys, and there are {n_keys}: "
            "store fewer pairs, or raise n_keys"
        )

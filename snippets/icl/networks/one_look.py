"""One attention head over pairs of an item and its name: the smallest network with two ways.

A pair is one token, so that no earlier layer has to join a name to its item. The score of a
pair has two parts: how well its *item* fits the item asked for, and how well its *name* does.
Both share what comes after: one softmax, and one gain on the copied name.

Source: ours. Its two scores stand for the two strategies of singh2025.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.tasks.noisy_pairs import Items, Names, Query


# --8<-- [start:network]
class OneLook(nn.Module):
    def __init__(
        self, d_item: int, n_names: int, generator: Generator, std: float = 0.1
    ) -> None:
        super().__init__()
        std = std * d_item**-0.5
        self.W_item = normal(d_item, d_item, std=std, generator=generator)
        self.W_name = normal(d_item, n_names, std=std, generator=generator)
        self.gain = nn.Parameter(torch.ones(()))

    def forward(
        self, items: Items, names: Names, query: Query
    ) -> Float[Tensor, "batch n_names"]:
        by_item = ((query @ self.W_item)[:, None] * items).sum(-1)  # (batch, pair)
        by_name = (query @ self.W_name).gather(1, names)
        look = (by_item + by_name).softmax(1)
        logits = torch.zeros(len(query), self.W_name.shape[1])
        return logits.scatter_add(1, names, self.gain * look)


# --8<-- [end:network]

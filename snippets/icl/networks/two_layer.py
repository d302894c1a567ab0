"""Two causal attention layers and a classifier, small enough to train in seconds.

One head a layer, logits not divided by sqrt(d), no W_O, no layer norm. The classifier
reads the last token alone, so the second layer is evaluated for that one query.

Source: reddy2024, section 2; initialisation and the one-number biases follow the
author's released code.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn


# --8<-- [start:network]
class TwoLayerNetwork(nn.Module):
    def __init__(
        self, d_model: int, d_item: int, n_labels: int, width: int, generator: Generator
    ) -> None:
        super().__init__()

        def normal(*shape: int, std: float) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(*shape, generator=generator))

        square = (2, d_model, d_model)  # one matrix for each of the two layers
        self.W_Q = normal(*square, std=d_item**-0.5)
        self.W_K = normal(*square, std=d_item**-0.5)
        self.W_V = normal(*square, std=d_item**-0.5)

        sizes = list(pairwise([d_model, width, width, width]))
        self.W_hidden = nn.ParameterList(
            normal(i, o, std=(2 / o) ** 0.5) for i, o in sizes
        )
        self.b_hidden = nn.ParameterList(normal(1, std=o**-0.5) for _, o in sizes)
        self.W_out = normal(width, n_labels, std=width**-0.5)

    def forward(
        self,
        x: Float[Tensor, "batch token d_model"],
        blocked: Bool[Tensor, "token token"] | None = None,
    ) -> tuple[
        Float[Tensor, "batch label"],
        Float[Tensor, "batch token token"],
        Float[Tensor, "batch token"],
    ]:
        """Logits of the target's label; the first layer's attention; the second layer's
        attention from the target.

        `blocked` cuts (query, key) edges of the first layer, to ask what they are for.
        """
        # layer 1: every token reads what stands before it
        scores = (x @ self.W_Q[0]) @ (x @ self.W_K[0]).mT  # (batch, query, key)
        hidden = torch.ones_like(scores[0], dtype=torch.bool).triu(1)  # later tokens
        if blocked is not None:
            hidden = hidden | blocked
        first = scores.masked_fill(hidden, -torch.inf).softmax(-1)
        h = x + first @ (x @ self.W_V[0])

        # layer 2, for the target alone: (q W_K') h' and (a h) W_V instead of
        # q (h W_K)' and a (h W_V), which would project every token
        query = h[:, -1:] @ self.W_Q[1]
        second = ((query @ self.W_K[1].mT) @ h.mT).softmax(-1)  # (batch, 1, key)
        z = (h[:, -1:] + (second @ h) @ self.W_V[1])[:, 0]

        for W, b in zip(self.W_hidden, self.b_hidden):
            z = F.relu(z @ W + b)
        return z @ self.W_out, first, second[:, 0]


# --8<-- [end:network]

"""Two causal attention layers and a classifier, small enough to train in seconds.

One head a layer, logits not divided by sqrt(d), no W_O, no layer norm. The classifier
reads the last token alone, so the second layer is evaluated for that one query.

Source: reddy2024, section 2; the first weights follow the author's released code. That
code also gives each hidden layer of the classifier a bias, one number for all its
units; here that is `biases=True`, since one such number can silence the network.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Logits, Pattern, Stream


# --8<-- [start:network]
class TwoLayerNetwork(nn.Module):
    def __init__(
        self,
        d_model: int,
        d_item: int,
        n_labels: int,
        width: int,
        generator: Generator,
        biases: bool = False,
    ) -> None:
        super().__init__()
        square, std = (2, d_model, d_model), d_item**-0.5  # a matrix for each layer
        self.W_Q = normal(*square, std=std, generator=generator)
        self.W_K = normal(*square, std=std, generator=generator)
        self.W_V = normal(*square, std=std, generator=generator)

        std, sizes = (
            (2 / width) ** 0.5,
            [(d_model, width), (width, width), (width, width)],
        )
        hidden = [normal(*size, std=std, generator=generator) for size in sizes]
        self.W_hidden = nn.ParameterList(hidden)
        self.W_out = normal(width, n_labels, std=width**-0.5, generator=generator)
        one = [normal(1, std=width**-0.5, generator=generator) for _ in sizes]
        self.b_hidden = nn.ParameterList(one if biases else [])

    def forward(
        self, x: Stream, first: Pattern | None = None
    ) -> tuple[Logits, Pattern, Float[Tensor, "batch pos"]]:
        """Logits of the target's label; the first layer's attention; the second layer's
        attention from the target.

        `first` takes the place of the first layer's own attention, to ask what an edge
        is for.
        """
        # W_Q W_K' is multiplied first: scores need one product with x instead of two
        match = self.W_Q @ self.W_K.mT  # (layer, d_model, d_model)

        # layer 1: every token reads what stands before it
        if first is None:
            later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
            scores = x @ match[0] @ x.mT  # (batch, query, key)
            first = scores.masked_fill(later, -torch.inf).softmax(-1)
        h = x + first @ (x @ self.W_V[0])

        # layer 2, for the target alone: (a h) W_V instead of a (h W_V), which would
        # project every token
        target = h[:, -1:]
        second = (target @ match[1] @ h.mT).softmax(-1)  # (batch, 1, key)
        z = (target + second @ h @ self.W_V[1])[:, 0]

        for layer, W in enumerate(self.W_hidden):
            z = z @ W
            if len(self.b_hidden):
                z = z + self.b_hidden[layer]
            z = F.relu(z)
        return z @ self.W_out, first, second[:, 0]


# --8<-- [end:network]

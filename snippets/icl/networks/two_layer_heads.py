"""Two causal attention layers with one head or more, and a classifier.

Logits not divided by sqrt(d), no W_O, no layer norm. Heads share the width of the
stream: each writes d / heads columns of it. The classifier reads the last token.

Source: minegishi2025, section 3.2, without W_O as in the author's released code.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn


# --8<-- [start:network]
class TwoLayerHeads(nn.Module):
    def __init__(
        self,
        d_model: int,
        n_labels: int,
        n_heads: int,
        first_scale: float,
        generator: Generator,
    ) -> None:
        """`first_scale` multiplies the first layer's W_Q and W_K at the start.

        Raises ValueError where the heads do not divide the width.
        """
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} must divide d_model = {d_model}")

        def normal(*shape: int, variance: float = 1 / d_model) -> nn.Parameter:
            draw = torch.randn(*shape, generator=generator)
            return nn.Parameter(draw * variance**0.5)

        d_head = d_model // n_heads
        heads = (2, n_heads, d_model, d_head)  # for each of the two layers
        self.W_Q, self.W_K, self.W_V = normal(*heads), normal(*heads), normal(*heads)
        with torch.no_grad():
            self.W_Q[0] *= first_scale
            self.W_K[0] *= first_scale

        small = 1 / (3 * d_model)  # the classifier starts at PyTorch's usual variance
        self.W_hidden = normal(2, d_model, d_model, variance=small)
        self.b_hidden = nn.Parameter(torch.zeros(2, d_model))
        self.W_out = normal(d_model, n_labels, variance=small)

    def forward(
        self, x: Float[Tensor, "batch token d_model"]
    ) -> tuple[
        Float[Tensor, "batch label"],
        Float[Tensor, "head batch token token"],
        Float[Tensor, "head batch token"],
    ]:
        """Logits of the answer; the first layer's attention; the second layer's
        attention from the query."""
        n = x.shape[1]
        W_QK = self.W_Q @ self.W_K.mT  # (layer, head, d_model, d_model): one product
        later = torch.full((n, n), -torch.inf).triu(1)  # added: no token sees these

        # layer 1: every token reads what stands before it
        read, attention = [], []
        for M, W_V in zip(W_QK[0], self.W_V[0]):
            scores = (x @ M) @ x.mT + later  # (batch, query, key)
            attention.append(scores.softmax(-1))
            read.append(attention[-1] @ (x @ W_V))
        h = x + torch.cat(read, -1)

        # layer 2, for the last token alone: nothing else is read
        last = h[:, -1:]
        read, seen = [], []
        for M, W_V in zip(W_QK[1], self.W_V[1]):
            seen.append(((last @ M) @ h.mT).softmax(-1))  # (batch, 1, key)
            read.append((seen[-1] @ h) @ W_V)
        z = (last + torch.cat(read, -1))[:, 0]

        for W, b in zip(self.W_hidden, self.b_hidden):
            z = F.relu(z @ W + b)
        return z @ self.W_out, torch.stack(attention), torch.stack(seen)[:, :, 0]


# --8<-- [end:network]

"""Two causal attention layers with one head or more, and a classifier.

Logits not divided by sqrt(d), no W_O, no layer norm. Heads share the width of the
stream: each writes d / heads columns of it. The classifier reads the last token.

Source: minegishi2025, section 3.2, without W_O as in the author's released code.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Logits, Stream


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
        check_heads(n_heads, d_model)
        heads = (2, n_heads, d_model, d_model // n_heads)  # for each of the two layers
        usual, small = d_model**-0.5, (3 * d_model) ** -0.5  # small: PyTorch's own
        self.W_Q = normal(*heads, std=usual, generator=generator)
        self.W_K = normal(*heads, std=usual, generator=generator)
        self.W_V = normal(*heads, std=usual, generator=generator)
        with torch.no_grad():
            self.W_Q[0] *= first_scale
            self.W_K[0] *= first_scale
        self.W_hidden = normal(2, d_model, d_model, std=small, generator=generator)
        self.b_hidden = nn.Parameter(torch.zeros(2, d_model))
        self.W_out = normal(d_model, n_labels, std=small, generator=generator)

    def forward(
        self, x: Stream
    ) -> tuple[
        Logits, Float[Tensor, "head batch pos pos"], Float[Tensor, "head batch pos"]
    ]:
        """Logits of the answer; the first layer's attention; the second layer's
        attention from the query."""
        n = x.shape[1]
        # q k' = x W_Q W_K' x': the small product first, so that one projection is saved
        W_QK = self.W_Q @ self.W_K.mT  # (layer, head, d_model, d_model)
        later = torch.full((n, n), -torch.inf).triu(1)  # added: no token sees these

        # layer 1: every token reads what stands before it
        read, first = [], []
        for W, W_V in zip(W_QK[0], self.W_V[0]):
            pattern = torch.baddbmm(later, x @ W, x.mT).softmax(-1)
            read.append(pattern @ (x @ W_V))
            first.append(pattern)  # (batch, query, key)
        h = x + torch.cat(read, -1)

        # layer 2, for the last token alone: nothing else is read
        last = h[:, -1:]
        read, second = [], []
        for W, W_V in zip(W_QK[1], self.W_V[1]):
            pattern = ((last @ W) @ h.mT).softmax(-1)
            read.append((pattern @ h) @ W_V)  # mixed first: one vector to project
            second.append(pattern)  # (batch, 1, key)
        z = (last + torch.cat(read, -1))[:, 0]

        for W, b in zip(self.W_hidden, self.b_hidden):
            z = F.relu(z @ W + b)
        return z @ self.W_out, torch.stack(first), torch.stack(second)[:, :, 0]


# --8<-- [end:network]


def check_heads(n_heads: int, d_model: int) -> None:
    """Raises ValueError where the heads do not divide the width."""
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads = {n_heads} must divide d_model = {d_model}")

"""Softmax attention as a layer, under three masks: who may look at whom.

A prompt is n examples and then queries. No token is told its position: examples come in
no order, and a prompt may be of any length.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Heads, Stream


# --8<-- [start:masks]
def causal(n_tokens: int, n_examples: int) -> Bool[Tensor, "query key"]:
    """Decoder-only: each token sees itself and those before it."""
    return torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()


def prefix(n_tokens: int, n_examples: int) -> Bool[Tensor, "query key"]:
    """Prefix-LM: causal, but examples see all examples."""
    mask = causal(n_tokens, n_examples)
    mask[:, :n_examples] = True
    return mask


MASKS = {"causal": causal, "prefix": prefix}
# --8<-- [end:masks]


# --8<-- [start:layer]
class AttentionLayer(nn.Module):
    """What is read from may be other tokens than those that read: cross-attention."""

    def __init__(
        self, d_model: int, n_heads: int, generator: Generator, mask: str | None = None
    ) -> None:
        """`mask` None: each token sees all. Raises ValueError for an unknown mask, or
        heads that do not divide d_model."""
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        if mask is not None and mask not in MASKS:
            raise ValueError(f"no mask '{mask}': choose from {', '.join(MASKS)}")
        self.n_heads, self.mask = n_heads, mask
        std = d_model**-0.5
        self.W_Q = normal(d_model, d_model, std=std, generator=generator)
        self.W_KV = normal(d_model, 2 * d_model, std=std, generator=generator)
        self.W_O = normal(d_model, d_model, std=std, generator=generator)

    def forward(
        self,
        x: Stream,
        n_examples: int = 0,
        read_from: Float[Tensor, "batch source d_model"] | None = None,
    ) -> Stream:
        source = x if read_from is None else read_from
        q = self.heads(x @ self.W_Q)
        k, v = map(self.heads, (source @ self.W_KV).chunk(2, -1))
        mask = MASKS[self.mask](x.shape[1], n_examples) if self.mask else None
        read = F.scaled_dot_product_attention(q, k, v, mask)  # no mask: all see all
        return read.transpose(1, 2).flatten(2) @ self.W_O

    def heads(self, x: Stream) -> Heads:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


# --8<-- [end:layer]

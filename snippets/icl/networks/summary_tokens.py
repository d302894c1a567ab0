"""Summary tokens: a prompt is read into m vectors, and then only these are kept.

    pairs            see pairs up to themselves
    m summaries      see all pairs, and summaries up to themselves
    queries          see the summaries and themselves, no pair

So all that a query can know of the pairs has to pass through m tokens.

Source: the mask of mu2023 (gist tokens). There one mask is put on a pretrained model.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.attention_layer import AttentionLayer, causal
from snippets.icl.networks.parts import normal
from snippets.icl.networks.same_block import Stack
from snippets.icl.shapes import Stream


# --8<-- [start:mask]
def summary_mask(
    n_pairs: int, n_summaries: int, n_queries: int
) -> Bool[Tensor, "query key"]:
    kept = n_pairs + n_summaries
    mask = causal(kept + n_queries, kept)
    mask[kept:, :n_pairs] = False  # the pairs are gone
    mask[kept:, kept:] = torch.eye(n_queries, dtype=torch.bool)
    return mask


# --8<-- [end:mask]


# --8<-- [start:layer]
class SummaryAttention(AttentionLayer):
    """Attention under that mask. Which of the tokens are summaries, `Summarised` says."""

    n_summaries = 0

    def __init__(self, d_model: int, n_heads: int, generator: Generator) -> None:
        super().__init__(d_model, n_heads, generator)

    def forward(
        self, x: Stream, n_examples: int = 0, read_from: Stream | None = None
    ) -> Stream:
        n_pairs = n_examples - self.n_summaries
        mask = summary_mask(n_pairs, self.n_summaries, x.shape[1] - n_examples)
        q = self.heads(x @ self.W_Q)
        k, v = map(self.heads, (x @ self.W_KV).chunk(2, -1))
        read = F.scaled_dot_product_attention(q, k, v, mask)
        return read.transpose(1, 2).flatten(2) @ self.W_O


class Summarised(nn.Module):
    """A stack that gets m learned tokens behind the pairs."""

    def __init__(
        self, stack: Stack, m: int, d_model: int, generator: Generator
    ) -> None:
        """Raises ValueError for a memory of no tokens."""
        super().__init__()
        if m < 1:
            raise ValueError(
                f"a memory of {m} tokens keeps nothing: give it at least 1"
            )
        self.stack = stack
        self.summaries = normal(m, d_model, std=1.0, generator=generator)
        for mixer in stack.mixers:
            if not isinstance(mixer, SummaryAttention):
                raise ValueError("summaries need layers of the kind 'summary'")
            mixer.n_summaries = m

    def forward(
        self,
        pairs: Float[Tensor, "batch n d_model"],
        queries: Float[Tensor, "batch m d_model"],
    ) -> Float[Tensor, "batch m d_model"]:
        summaries = self.summaries.expand(len(pairs), -1, -1)
        return self.stack(torch.cat([pairs, summaries], 1), queries)


# --8<-- [end:layer]

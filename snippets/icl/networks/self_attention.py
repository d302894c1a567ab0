"""Self-attention from nothing: softmax, attention, heads that write, layer norm.

Rows are vectors: a token x asks with x W_Q, is found by x W_K, gives x W_V, and what is
read is written as (...) W_O.

Source: vaswani2017, sections 3.2.1 and 3.2.2; heads as a sum, elhage2021.
"""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.networks.positional_encodings import Nowhere
from snippets.icl.shapes import HeadPattern, Stream


# --8<-- [start:attention]
def softmax(scores: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key"]:
    """Positive weights that add up to 1, the larger the score the larger."""
    largest = scores.amax(-1, keepdim=True)  # taken off, or exp overflows
    powers = (scores - largest).exp()
    return powers / powers.sum(-1, keepdim=True)


def causal_mask(n_tokens: int) -> Float[Tensor, "query key"]:
    """0 where a token may look, at itself and before; -inf where it may not."""
    return torch.full((n_tokens, n_tokens), -torch.inf).triu(1)


def attention(
    q: Float[Tensor, "*batch query d_k"],
    k: Float[Tensor, "*batch key d_k"],
    v: Float[Tensor, "*batch key d_v"],
    added: Float[Tensor, "*other query key"] | float = 0.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    """softmax(Q K' / sqrt(d_k) + added) V, and the weights: the attention pattern."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # one for each query and key
    pattern = softmax(scores + added)
    return pattern @ v, pattern


# --8<-- [end:attention]


# --8<-- [start:heads]
class SelfAttention(nn.Module):
    """Causal self-attention with several heads. Each writes a vector at each token."""

    def __init__(self, d_model: int, n_heads: int, generator: Generator) -> None:
        super().__init__()
        check_heads(d_model, n_heads)
        d_head = d_model // n_heads
        some = {"std": d_model**-0.5, "generator": generator}
        self.W_Q = normal(n_heads, d_model, d_head, **some)
        self.W_K = normal(n_heads, d_model, d_head, **some)
        self.W_V = normal(n_heads, d_model, d_head, **some)
        self.W_O = normal(n_heads, d_head, d_model, **some)

    def forward(
        self, x: Stream, positions: Nowhere
    ) -> tuple[Float[Tensor, "batch head pos d_model"], HeadPattern]:
        """What each head writes, and its attention pattern."""
        check_tokens(x)
        q, k, v = (  # (batch, head, pos, d_head): every head reads the same tokens
            torch.einsum("bpm,hmd->bhpd", x, W) for W in (self.W_Q, self.W_K, self.W_V)
        )
        q, k = positions.rotate(q), positions.rotate(k)
        n_tokens = x.shape[1]
        added = positions.bias(n_tokens) + causal_mask(n_tokens)
        read, pattern = attention(q, k, v, added.to(x))
        return torch.einsum("bhpd,hdm->bhpm", read, self.W_O), pattern


# --8<-- [end:heads]


# --8<-- [start:norm]
def layer_norm(x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
    """Each vector moved to mean 0 and scaled to variance 1."""
    return centred(x) / spread(x)


def centred(x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
    return x - x.mean(-1, keepdim=True)


def spread(x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch 1"]:
    """Standard deviation of each vector's coordinates; the 1e-5 keeps it above 0."""
    return (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()


# --8<-- [end:norm]


def check_heads(d_model: int, n_heads: int) -> None:
    """Raise ValueError where the heads cannot share d_model evenly."""
    if d_model % n_heads:
        raise ValueError(
            f"d_model = {d_model} is not divisible by n_heads = {n_heads}: choose a "
            "multiple of it"
        )


def check_tokens(x: Tensor) -> None:
    """Raise ValueError where there is nothing to attend to."""
    if x.shape[1] == 0:
        raise ValueError("the prompt is empty: give at least one token")

"""The mesa-layer, to be trained: each head fits its keys to its values anew.

How strongly a token counts in the fit is read off the token, w_t > 0:

    S_t = argmin over S of  sum over s <= t of w_s |S' k_s - v_s|^2 + |S|^2

A key and a value scaled by sqrt(w) give this weight, so the memory is that of `mesa`,
with a penalty of 1. A large w means a small penalty.

Source: vonoswald2023b for the layer; the weight is ours, a gate on what is written.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks import linear_attention
from snippets.icl.networks.memory_layer import split_heads
from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Stream


# --8<-- [start:parallel]
def parallel(
    q: Float[Tensor, "*batch pos d_k"],
    k: Float[Tensor, "*batch pos d_k"],
    v: Float[Tensor, "*batch pos d_v"],
) -> Float[Tensor, "*batch pos d_v"]:
    """All tokens at once. S_t' q_t = sum over s <= t of <A_t^-1 q_t, k_s> v_s, with
    A_t = I + sum of k_s k_s': linear attention, asked with a query turned by the fit."""
    # --8<-- [start:turn]
    eye = torch.eye(k.shape[-1], dtype=k.dtype)
    A = eye + (k[..., :, None] * k[..., None, :]).cumsum(-3)  # (*batch, pos, d_k, d_k)
    turned = torch.linalg.solve(A, q[..., None])[..., 0]
    return linear_attention.parallel(turned, k, v)
    # --8<-- [end:turn]


# --8<-- [end:parallel]


# --8<-- [start:layer]
class MesaLayer(nn.Module):
    def __init__(self, d_model: int, n_heads: int, generator: Generator) -> None:
        """Raises ValueError where n_heads does not divide d_model."""
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads, std = n_heads, d_model**-0.5
        self.W_QKV = normal(d_model, 3 * d_model, std=std, generator=generator)
        self.W_O = normal(d_model, d_model, std=std, generator=generator)
        self.W_weight = nn.Parameter(torch.zeros(d_model, n_heads))
        self.b_weight = nn.Parameter(torch.ones(n_heads))

    def forward(self, x: Stream, n_examples: int) -> Stream:
        q, k, v = split_heads(x @ self.W_QKV, self.n_heads)
        weight = F.softplus(x @ self.W_weight + self.b_weight)  # (batch, pos, head)
        root = weight.sqrt().transpose(1, 2)[..., None]
        read = parallel(q, F.normalize(k, dim=-1) * root, v * root)
        return read.transpose(1, 2).flatten(2) @ self.W_O


# --8<-- [end:layer]

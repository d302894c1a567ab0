"""A small transformer that is told which token may read which.

Its tokens are vectors, and it returns a vector for each. It knows no positions: what a
token reads does not depend on where things stand, only on what they are.

Source: the parts are the standard ones. Pre-norm RMSNorm without gains, no biases.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.networks.self_attention import check_heads


# --8<-- [start:network]
class MaskedTransformer(nn.Module):
    def __init__(
        self,
        d_in: int,
        d_out: int,
        d_model: int,
        n_layers: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        check_heads(d_model, n_heads)
        self.n_heads = n_heads

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        small, layers = 1 / math.sqrt(2 * n_layers), range(n_layers)
        self.W_in = matrix(d_in, d_model)
        self.W_QKV = nn.ParameterList(matrix(d_model, 3 * d_model) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d_model, d_model, small) for _ in layers)
        self.W_up = nn.ParameterList(matrix(d_model, 2 * d_model) for _ in layers)
        self.W_down = nn.ParameterList(
            matrix(2 * d_model, d_model, small) for _ in layers
        )
        self.W_out = matrix(d_model, d_out, 0.1)  # at first all answers are alike

    def forward(
        self,
        tokens: Float[Tensor, "batch pos d_in"],
        may_read: Bool[Tensor, "pos pos"],
    ) -> Float[Tensor, "batch pos d_out"]:
        """`may_read[i, j]` says whether token i may read token j."""
        self.check(tokens, may_read)
        x = tokens @ self.W_in
        for W_QKV, W_O, W_up, W_down in zip(
            self.W_QKV, self.W_O, self.W_up, self.W_down
        ):
            x = x + self.attend(rms_norm(x) @ W_QKV, may_read) @ W_O
            x = x + F.relu(rms_norm(x) @ W_up) @ W_down
        return rms_norm(x) @ self.W_out

    def attend(
        self,
        qkv: Float[Tensor, "batch pos q_k_v"],
        may_read: Bool[Tensor, "pos pos"],
    ) -> Float[Tensor, "batch pos d_model"]:
        """Each token's average over what it may read, in every head."""
        split = qkv.unflatten(2, (3, self.n_heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (batch, head, pos, d_head)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        pattern = scores.masked_fill(~may_read, -torch.inf).softmax(-1)
        return (pattern @ v).transpose(1, 2).flatten(2)

    # --8<-- [end:network]

    def check(self, tokens: Tensor, may_read: Tensor) -> None:
        """Raise ValueError for what the network cannot read."""
        n_tokens, d_in = tokens.shape[1], self.W_in.shape[0]
        if n_tokens == 0:
            raise ValueError("there are no tokens to read")
        if tokens.shape[2] != d_in:
            raise ValueError(
                f"tokens have {tokens.shape[2]} entries; the network reads {d_in}"
            )
        if not may_read.any(1).all():
            raise ValueError("a token that may read nothing: let it read itself")

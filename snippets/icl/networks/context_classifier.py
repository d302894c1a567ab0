"""A causal transformer that reads labelled examples one after the other and guesses the
label of each before it is told.

Pre-norm, RMSNorm without gains, no biases. With `paired` a token holds the present
input and the whole example before it, so that a layer can compare inputs and read the
label beside the match. Without, it holds the present input and the label before it, as
in kirsch2022, and the network must first learn to put inputs and labels together.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.shapes import Inputs, Stream, Tokens


@dataclass(frozen=True)
class Shape:
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 1
    mlp: int = 0  # width of the hidden layer, in multiples of d_model; 0: no MLP
    paired: bool = True
    n_positions: int = 0  # learned position vectors; 0: none, any length


# --8<-- [start:network]
class ContextClassifier(nn.Module):
    def __init__(
        self, n_dims: int, n_labels: int, shape: Shape, generator: Generator
    ) -> None:
        super().__init__()
        check_shape(shape)
        self.n_labels, self.shape = n_labels, shape

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            """Keeps the size of what it is applied to, times the scale."""
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        d, layers = shape.d_model, range(shape.n_layers)
        down = (2 * shape.n_layers) ** -0.5  # what is added to the stream starts small
        self.W_E = matrix(n_dims * (2 if shape.paired else 1) + n_labels, d)
        self.W_P = matrix(shape.n_positions, d) if shape.n_positions else None
        self.W_QKV = nn.ParameterList(matrix(d, 3 * d) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d, d, down) for _ in layers)
        up = shape.mlp * d
        self.W_up = nn.ParameterList(matrix(d, up) for _ in layers if up)
        self.W_down = nn.ParameterList(matrix(up, d, down) for _ in layers if up)
        self.W_U = matrix(d, n_labels, 0.1)  # the first guesses are nearly even

    # --8<-- [start:token]
    def tokens(self, x: Inputs, label: Tokens) -> Float[Tensor, "batch pos token"]:
        """[x_t, one-hot l_(t-1), x_(t-1)]; without `paired` no last part."""
        before = F.one_hot(label, self.n_labels).to(x)
        parts = (
            [x, shifted(before), shifted(x)]
            if self.shape.paired
            else [x, shifted(before)]
        )
        return torch.cat(parts, -1)

    # --8<-- [end:token]

    def forward(
        self,
        x: Inputs,
        label: Tokens,
        window: int | None = None,
    ) -> Float[Tensor, "batch pos n_labels"]:
        """Logits of label t from x_1..x_t and labels before t.

        `window` lets each token see that many tokens only, itself included.
        """
        batch, length, _ = x.shape
        check_length(length, self.shape.n_positions, window)
        seen = visible(length, window)
        h = self.tokens(x, label) @ self.W_E
        if self.W_P is not None:
            h = h + self.W_P[:length]
        for layer, W_O in enumerate(self.W_O):
            q, k, v = (
                (rms_norm(h) @ self.W_QKV[layer])
                .view(batch, length, 3, self.shape.n_heads, -1)
                .permute(2, 0, 3, 1, 4)  # (3, batch, head, pos, d_head)
            )
            read = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
            h = h + read.transpose(1, 2).flatten(2) @ W_O
            if self.shape.mlp:
                h = h + F.gelu(rms_norm(h) @ self.W_up[layer]) @ self.W_down[layer]
        return rms_norm(h) @ self.W_U

    # --8<-- [end:network]


def check_shape(shape: Shape) -> None:
    """Raises ValueError where the heads do not divide the width."""
    if shape.d_model % shape.n_heads:
        raise ValueError(
            f"n_heads = {shape.n_heads} does not divide d_model = {shape.d_model}"
        )


def check_length(length: int, n_positions: int, window: int | None) -> None:
    """Raises ValueError for a sequence that is too long and a window that is empty."""
    if n_positions and length > n_positions:
        raise ValueError(
            f"a sequence of {length} is longer than the network's {n_positions} "
            "positions"
        )
    if window is not None and window < 1:
        raise ValueError(f"a window of {window} tokens sees nothing: take 1 or more")


# --8<-- [start:pieces]
def shifted(x: Stream) -> Stream:
    """Row t holds what row t - 1 held; the first is zero."""
    return F.pad(x[:, :-1], (0, 0, 1, 0))


def visible(length: int, window: int | None) -> Bool[Tensor, "pos pos"]:
    """Which token (row) may see which (column): itself and earlier ones, the last
    `window` of them."""
    all_before = torch.ones(length, length, dtype=torch.bool).tril()
    return all_before if window is None else all_before.triu(1 - window)


# --8<-- [end:pieces]

"""Three networks that read vectors one after the other and answer at each: attention, a
recurrent state, and a plain MLP that is handed all of the past at once.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.lstm_layer import LSTMLayer
from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.parts import normal

Reader = Callable[[Float[Tensor, "batch n d_in"]], Float[Tensor, "batch n d_out"]]


# --8<-- [start:readers]
class AttentionReader(nn.Module):
    """Each token may read itself and what stands before it."""

    def __init__(
        self, d_in: int, d_out: int, d_model: int, generator: Generator
    ) -> None:
        super().__init__()
        self.network = MaskedTransformer(d_in, d_out, d_model, 2, 2, generator)

    def forward(self, tokens: Float[Tensor, "batch n d_in"]) -> Tensor:
        before = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).tril()
        return self.network(tokens, before)


class LSTMReader(nn.Module):
    """Two layers of PyTorch's LSTM: the past is a state of fixed size."""

    def __init__(
        self, d_in: int, d_out: int, d_model: int, generator: Generator
    ) -> None:
        super().__init__()
        self.W_in = normal(d_in, d_model, std=d_in**-0.5, generator=generator)
        self.layers = nn.ModuleList(LSTMLayer(d_model, generator) for _ in range(2))
        self.W_out = normal(
            d_model, d_out, std=0.1 * d_model**-0.5, generator=generator
        )

    def forward(self, tokens: Float[Tensor, "batch n d_in"]) -> Tensor:
        h = tokens @ self.W_in
        for layer in self.layers:
            h = h + layer(h, 0)
        return h @ self.W_out


class MLPReader(nn.Module):
    """Two hidden layers that read the whole past side by side, empty where it is not
    yet: `n_most` tokens and the place of the present one."""

    def __init__(
        self, d_in: int, d_out: int, width: int, n_most: int, generator: Generator
    ) -> None:
        super().__init__()
        self.n_most = n_most
        rows = n_most * d_in + d_in  # the past by place, and the present token
        self.W_1 = normal(rows, width, std=rows**-0.5, generator=generator)
        self.W_2 = normal(width, width, std=(2 / width) ** 0.5, generator=generator)
        self.W_3 = normal(width, d_out, std=0.1 * width**-0.5, generator=generator)
        self.b_1, self.b_2 = (nn.Parameter(torch.zeros(width)) for _ in range(2))

    def forward(self, tokens: Float[Tensor, "batch n d_in"]) -> Tensor:
        n = tokens.shape[1]
        if n > self.n_most:
            raise ValueError(
                f"{n} tokens are more than the {self.n_most} that this MLP has places for"
            )
        padded = F.pad(tokens, (0, 0, 0, self.n_most - n))
        before = torch.ones(n, self.n_most).tril()[..., None]  # hide what comes later
        past = (padded[:, None] * before).flatten(2)  # (batch, n, n_most * d_in)
        h = F.relu(torch.cat([past, tokens], 2) @ self.W_1 + self.b_1)
        return F.relu(h @ self.W_2 + self.b_2) @ self.W_3


# --8<-- [end:readers]


# --8<-- [start:build]
def build(
    kind: str, d_in: int, d_out: int, d_model: int, n_most: int, generator: Generator
) -> nn.Module:
    """A reader. The MLP gets the width that gives it the transformer's parameters; the
    LSTM has as many with the same d_model, up to its biases."""
    if kind == "transformer":
        return AttentionReader(d_in, d_out, d_model, generator)
    if kind == "lstm":
        return LSTMReader(d_in, d_out, d_model, generator)
    if kind == "mlp":
        target = 16 * d_model**2 + (d_in + d_out) * d_model
        b = (n_most + 1) * d_in + d_out + 2  # width^2 + b width = target
        width = round((math.sqrt(b * b + 4 * target) - b) / 2)
        return MLPReader(d_in, d_out, width, n_most, generator)
    raise ValueError(f"no reader '{kind}': choose from transformer, lstm, mlp")


# --8<-- [end:build]

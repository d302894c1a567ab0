"""One transformer layer on rows of dominoes: attention, then an MLP.

Each tile is a token with a left and a right half. Four answers are read off each token,
what every part wrote is kept, and parts can be switched off.

Source: the parts are the standard ones, elhage2021 for the stream as a sum of writes.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.networks.positional_encodings import Learned, Nowhere
from snippets.icl.networks.self_attention import SelfAttention, layer_norm

QUESTIONS = ("own half", "neighbour's half", "own sum", "touching sum")
PARTS = ("attention", "MLP")  # what can be switched off

Writes = dict[str, Float[Tensor, "row tile d_model"]]


@dataclass(frozen=True)
class OneLayer:
    n_values: int = 7  # a half tile shows 0 to 6
    n_tiles: int = 12
    d_model: int = 64
    n_heads: int = 2
    d_mlp: int = 128


# --8<-- [start:network]
class Transformer(nn.Module):
    def __init__(self, config: OneLayer, generator: Generator) -> None:
        super().__init__()
        self.config, g = config, generator
        n_values, d_model, d_mlp = config.n_values, config.d_model, config.d_mlp
        n_answers = len(QUESTIONS) * n_values
        self.W_E = normal(2, n_values, d_model, std=1.0, generator=g)  # left, right
        self.positions = Learned(config.n_tiles, d_model, g)
        self.attention = SelfAttention(d_model, config.n_heads, g)
        self.W_up = normal(d_model, d_mlp, std=d_model**-0.5, generator=g)
        self.b_up = nn.Parameter(torch.zeros(d_mlp))
        self.W_down = normal(d_mlp, d_model, std=d_mlp**-0.5, generator=g)
        self.W_U = normal(d_model, n_answers, std=d_model**-0.5, generator=g)

    def forward(
        self, tiles: Int[Tensor, "row tile 2"], off: Collection[str] = ()
    ) -> tuple[Float[Tensor, "row tile 4 value"], Writes]:
        """Logits, and what each part wrote. The parts in `off` write nothing."""
        check(tiles, off, self.config.n_values)
        left, right = tiles.unbind(-1)
        writes = {"left half": self.W_E[0, left], "right half": self.W_E[1, right]}
        writes["position"] = self.positions.add(torch.zeros_like(writes["left half"]))
        x = writes["left half"] + writes["right half"] + writes["position"]

        by_head, _ = self.attention(layer_norm(x), Nowhere())
        for head, written in enumerate(by_head.unbind(1), 1):
            writes[f"head {head}"] = 0 * written if "attention" in off else written
            x = x + writes[f"head {head}"]

        # --8<-- [start:mlp]
        hidden = (layer_norm(x) @ self.W_up + self.b_up).relu()
        writes["MLP"] = 0 * x if "MLP" in off else hidden @ self.W_down
        x = x + writes["MLP"]
        # --8<-- [end:mlp]
        return self.unembed(layer_norm(x)), writes

    def unembed(
        self, x: Float[Tensor, "row tile d_model"]
    ) -> Float[Tensor, "row tile 4 value"]:
        return (x @ self.W_U).unflatten(-1, (len(QUESTIONS), -1))


# --8<-- [end:network]


def check(tiles: Tensor, off: Collection[str], n_values: int) -> None:
    """Raise ValueError, in words, for what the network cannot read or do."""
    if tiles.numel() == 0:
        raise ValueError("the prompt is empty: give at least one tile")
    least, most = int(tiles.min()), int(tiles.max())
    if least < 0 or most >= n_values:
        raise ValueError(
            f"halves run from {least} to {most}; this network knows 0 to {n_values - 1}"
        )
    for part in off:
        if part not in PARTS:
            raise ValueError(
                f"there is no part '{part}': choose from {', '.join(PARTS)}"
            )

"""A small transformer that can be opened: every state and every head's output can be
read, and changed on the way.

Pre-norm RMSNorm without gains, attention and an MLP in each layer, no biases. Positions
act on attention only, by one learned number per head and distance; so a state is about
what was read, not about where it stands, and can be put elsewhere.

Source: the parts are the standard ones.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.networks.self_attention import check_heads
from snippets.icl.shapes import HeadPattern, Heads, Stream

StateChange = Callable[[int, Stream], Stream]  # (how many layers done, state) -> state
HeadChange = Callable[[int, Heads], Heads]  # (layer, what its heads read) -> the same


class Seen(NamedTuple):
    logits: Float[Tensor, "batch pos token"]
    states: list[Stream]  # before the first layer, and after each
    heads: list[Heads]  # what each head of a layer read, before W_O
    patterns: list[HeadPattern]


# --8<-- [start:network]
class OpenTransformer(nn.Module):
    ago: Int[Tensor, "n_positions n_positions"]  # distance from query to key

    def __init__(
        self,
        n_tokens: int,
        d_model: int,
        n_layers: int,
        n_heads: int,
        n_positions: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        check_heads(d_model, n_heads)
        self.n_heads, layers = n_heads, range(n_layers)

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        small = (2 * n_layers) ** -0.5
        self.W_E = normal(n_tokens, d_model, std=1.0, generator=generator)
        self.W_QKV = nn.ParameterList(matrix(d_model, 3 * d_model) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d_model, d_model, small) for _ in layers)
        self.W_up = nn.ParameterList(matrix(d_model, 4 * d_model) for _ in layers)
        self.W_down = nn.ParameterList(
            matrix(4 * d_model, d_model, small) for _ in layers
        )
        self.by_distance = nn.ParameterList(
            nn.Parameter(torch.zeros(n_heads, n_positions)) for _ in layers
        )
        self.W_U = matrix(d_model, n_tokens, 0.1)
        ago = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
        self.register_buffer("ago", ago)

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        at_state: StateChange | None = None,
        at_heads: HeadChange | None = None,
    ) -> Seen:
        """`at_state` and `at_heads` may change each state, and what each layer's heads
        read, before the network goes on with it."""
        self.check(tokens)
        x, states, heads, patterns = self.W_E[tokens], [], [], []
        for layer in range(len(self.W_O) + 1):
            x = x if at_state is None else at_state(layer, x)
            states.append(x)
            if layer == len(self.W_O):
                break
            pattern, read = self.attend(layer, rms_norm(x))
            read = read if at_heads is None else at_heads(layer, read)
            x = x + read.transpose(1, 2).flatten(2) @ self.W_O[layer]
            x = x + F.relu(rms_norm(x) @ self.W_up[layer]) @ self.W_down[layer]
            heads.append(read)
            patterns.append(pattern)
        return Seen(rms_norm(x) @ self.W_U, states, heads, patterns)

    def attend(self, layer: int, x: Stream) -> tuple[HeadPattern, Heads]:
        """Where each head looks, and what it reads there."""
        split = (x @ self.W_QKV[layer]).unflatten(2, (3, self.n_heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (batch, head, pos, d_head)
        ago = self.ago[: x.shape[1], : x.shape[1]]
        numbers = self.by_distance[layer][:, ago.clamp(min=0)]  # (head, pos, pos)
        scores = q @ k.mT / math.sqrt(q.shape[-1]) + numbers
        pattern = scores.masked_fill(ago < 0, -torch.inf).softmax(-1)
        return pattern, pattern @ v

    # --8<-- [end:network]

    def written(
        self, layer: int, read: Float[Tensor, "*batch head d_head"]
    ) -> Float[Tensor, "*batch head d_model"]:
        """What each head of a layer adds to the state, from what it read."""
        self.check_layer(layer, len(self.W_O) - 1)
        W_O = self.W_O[layer].unflatten(
            0, (self.n_heads, -1)
        )  # (head, d_head, d_model)
        return torch.einsum("...he,hed->...hd", read, W_O)

    def check(self, tokens: Tensor) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        n_tokens, n_positions = len(self.W_E), len(self.ago)
        if tokens.numel() == 0:
            raise ValueError("the prompt is empty: give at least one token")
        if tokens.shape[1] > n_positions:
            raise ValueError(
                f"a prompt of {tokens.shape[1]} tokens is longer than the network's "
                f"{n_positions} positions: shorten it"
            )
        least, most = int(tokens.min()), int(tokens.max())
        if least < 0 or most >= n_tokens:
            raise ValueError(
                f"tokens run from {least} to {most}; this network knows 0 to "
                f"{n_tokens - 1}"
            )

    def check_layer(self, layer: int, most: int) -> None:
        if not 0 <= layer <= most:
            raise ValueError(f"there is no layer {layer}: give 0 to {most}")

    def check_head(self, layer: int, head: int) -> None:
        """Raise ValueError where there is no such head."""
        self.check_layer(layer, len(self.W_O) - 1)
        if not 0 <= head < self.n_heads:
            raise ValueError(
                f"there is no head {head}: a layer has heads 0 to {self.n_heads - 1}"
            )


# --8<-- [start:changes]
def put_in(
    network: OpenTransformer,
    layer: int,
    vector: Float[Tensor, "*batch d_model"],
    add: bool = False,
) -> StateChange:
    """After `layer` layers the last token's state is this vector, or, with `add`, has
    it added. Raises ValueError where there is no such layer."""
    network.check_layer(layer, len(network.W_O))

    def change(done: int, x: Stream) -> Stream:
        if done != layer:
            return x
        last = x[:, -1] + vector if add else vector.expand_as(x[:, -1])
        return torch.cat([x[:, :-1], last[:, None]], 1)

    return change


def switched_off(
    network: OpenTransformer, off: list[tuple[int, int]], means: list[Tensor]
) -> HeadChange:
    """The named heads, (layer, head), read at every place what they read on average;
    `means` has (head, d_head) for each layer. Raises ValueError for a head that does
    not exist."""
    for where in off:
        network.check_head(*where)

    def change(layer: int, read: Heads) -> Heads:
        which = [head for where, head in off if where == layer]
        read = read.clone()
        read[:, which] = means[layer][which][:, None].expand_as(read[:, which])
        return read

    return change


# --8<-- [end:changes]

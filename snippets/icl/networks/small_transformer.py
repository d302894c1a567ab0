"""A transformer of attention alone, one or two layers, whose heads can be switched off.

Pre-norm and final RMSNorm, without gains; no MLP, no biases on matrices. Positions act
on attention only: each head has one learned number per distance, which is added to its
logits. So a token's content passes through a head as x W_V W_O and nothing else, which
keeps its circuits readable.

Source: attention-only models and the reading of their heads, elhage2021; smeared keys,
olsson2022 (the 1-layer model that can form induction heads).
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.shapes import HeadPattern, Heads, Stream


@dataclass(frozen=True)
class Head:
    """The matrices of one head. A token x, as a row, asks with x W_Q, is found by
    x W_K and gives x W_V W_O."""

    W_Q: Float[Tensor, "d_model d_head"]
    W_K: Float[Tensor, "d_model d_head"]
    W_V: Float[Tensor, "d_model d_head"]
    W_O: Float[Tensor, "d_head d_model"]
    by_distance: Float[Tensor, "n_positions"]  # added to the logit of a key so far back


# --8<-- [start:network]
class SmallTransformer(nn.Module):
    ago: Int[Tensor, "n_positions n_positions"]  # distance from query to key
    later: Float[Tensor, "n_positions n_positions"]  # -inf where the key comes later

    def __init__(
        self,
        n_layers: int,
        n_vocab: int,
        n_positions: int,
        d_model: int,
        n_heads: int,
        generator: Generator,
        smeared: bool = False,
    ) -> None:
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads, self.d_head = n_heads, d_model // n_heads

        def drawn(*shape: int, std: float) -> nn.Parameter:
            return normal(*shape, std=std, generator=generator)

        std, layers = d_model**-0.5, range(n_layers)
        self.W_E = drawn(n_vocab, d_model, std=std)
        self.W_U = drawn(d_model, n_vocab, std=std)
        # W_Q, W_K and W_V of all heads side by side: one product instead of many
        self.W_QKV = nn.ParameterList(
            drawn(d_model, 3 * d_model, std=std) for _ in layers
        )
        self.W_O = nn.ParameterList(
            drawn(d_model, d_model, std=std / math.sqrt(2)) for _ in layers
        )
        self.by_distance = nn.ParameterList(
            nn.Parameter(torch.zeros(n_heads, n_positions)) for _ in layers
        )
        # how much of its own key a token keeps, before the sigmoid; first layer only
        self.gate = nn.Parameter(torch.zeros(n_heads)) if smeared else None

        ago = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
        later = torch.zeros(ago.shape).masked_fill(ago < 0, -torch.inf)
        self.register_buffer("ago", ago.clamp(min=0))
        self.register_buffer("later", later)

    def forward(
        self,
        tokens: Int[Tensor, "batch pos"],
        off: Collection[tuple[int, int]] = (),
        patterns: Sequence[HeadPattern] | None = None,
    ) -> tuple[
        Float[Tensor, "batch pos n_vocab"],
        list[HeadPattern],
    ]:
        """Logits of the next token, and the attention pattern of each layer.

        `off` names heads, as (layer, head), that write nothing. `patterns` puts given
        attention in place of that which the network computes.
        """
        self.check(tokens, off, patterns)
        x, seen = self.W_E[tokens], []
        for layer in range(len(self.W_O)):
            query, key, value = self.project(layer, x)
            given = patterns[layer] if patterns is not None else None
            pattern = self.attend(layer, query, key) if given is None else given
            read = pattern @ value  # (batch, head, pos, d_head)
            if silent := [head for where, head in off if where == layer]:
                read = read.index_fill(1, torch.tensor(silent), 0)
            x = x + read.transpose(1, 2).flatten(2) @ self.W_O[layer]
            seen.append(pattern)
        return rms_norm(x) @ self.W_U, seen

    def project(self, layer: int, x: Stream) -> tuple[Heads, ...]:
        """Queries, keys and values of every head."""
        batch, pos, _ = x.shape
        all_three = (rms_norm(x) @ self.W_QKV[layer]).view(
            batch, pos, 3, self.n_heads, self.d_head
        )
        query, key, value = all_three.permute(2, 0, 3, 1, 4).unbind()
        if self.gate is not None and layer == 0:
            key = smear(key, self.gate)
        return query, key, value

    def attend(
        self,
        layer: int,
        query: Heads,
        key: Heads,
    ) -> HeadPattern:
        """softmax(q k' / sqrt(d_head) + a number for the distance), over no later
        token."""
        pos = query.shape[2]
        ago, later = self.ago[:pos, :pos], self.later[:pos, :pos]
        numbers = self.by_distance[layer].index_select(1, ago.flatten())
        scores = query @ key.mT / math.sqrt(self.d_head)
        return (scores + numbers.view(-1, pos, pos) + later).softmax(-1)

    # --8<-- [end:network]

    # --8<-- [start:optimizer]
    def optimizer(
        self, rate: float, faster: float, weight_decay: float
    ) -> torch.optim.AdamW:
        """AdamW, in which distances and gates learn `faster` times as fast as the
        matrices, and do not decay: they are few, start at zero and are no features."""
        matrices = [self.W_E, self.W_U, *self.W_QKV, *self.W_O]
        rest = [*self.by_distance] + ([] if self.gate is None else [self.gate])
        return torch.optim.AdamW(
            [
                {"params": matrices, "lr": rate, "weight_decay": weight_decay},
                {"params": rest, "lr": rate * faster, "weight_decay": 0},
            ],
            betas=(0.9, 0.98),
            fused=True,
        )

    # --8<-- [end:optimizer]

    def check(
        self,
        tokens: Tensor,
        off: Collection[tuple[int, int]],
        patterns: Sequence[Tensor] | None,
    ) -> None:
        """Raise ValueError, in words, for what the network cannot read or do."""
        n_vocab, n_positions = self.W_E.shape[0], self.ago.shape[0]
        if tokens.numel() == 0:
            raise ValueError("there are no tokens to read")
        if tokens.shape[1] > n_positions:
            raise ValueError(
                f"a sequence of {tokens.shape[1]} tokens is longer than the network's "
                f"{n_positions} positions"
            )
        least, most = int(tokens.min()), int(tokens.max())
        if least < 0 or most >= n_vocab:
            raise ValueError(
                f"token ids run from {least} to {most}; the vocabulary is 0 to "
                f"{n_vocab - 1}"
            )
        for layer, head in off:
            self.check_head(layer, head)
        if patterns is not None and len(patterns) != len(self.W_O):
            raise ValueError(
                f"{len(patterns)} patterns for {len(self.W_O)} layers: give one each"
            )

    def check_head(self, layer: int, head: int) -> None:
        n_layers = len(self.W_O)
        if not (0 <= layer < n_layers and 0 <= head < self.n_heads):
            raise ValueError(
                f"there is no head {head} in layer {layer}: the network has {n_layers} "
                f"layers of {self.n_heads} heads, counted from 0"
            )

    def head(self, layer: int, head: int) -> Head:
        """The matrices of one head, to look at. Raises ValueError where there is no
        such head."""
        self.check_head(layer, head)
        columns = slice(head * self.d_head, (head + 1) * self.d_head)
        W_Q, W_K, W_V = self.W_QKV[layer].detach().chunk(3, 1)
        return Head(
            W_Q=W_Q[:, columns],
            W_K=W_K[:, columns],
            W_V=W_V[:, columns],
            W_O=self.W_O[layer].detach()[columns],
            by_distance=self.by_distance[layer].detach()[head],
        )


# --8<-- [start:pieces]
def smear(key: Heads, gate: Float[Tensor, "head"]) -> Heads:
    """Mix into each key the key before it: sigma(a) k_j + (1 - sigma(a)) k_(j-1), with
    one learned a for each head. The first key stays."""
    # --8<-- [start:smear]
    own = gate.sigmoid()[:, None, None]
    mixed = own * key[:, :, 1:] + (1 - own) * key[:, :, :-1]
    return torch.cat([key[:, :, :1], mixed], 2)
    # --8<-- [end:smear]


# --8<-- [end:pieces]

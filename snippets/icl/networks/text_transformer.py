"""A transformer of attention alone for real text: positions in its first layer only.

Pre-norm and final RMSNorm, without gains; no MLP, no biases on matrices. In layer 1 each
head adds one learned number per distance to its logits. Later layers know no distances:
what tells their keys apart is what the layers before wrote there. With such numbers in
layer 2 as well, both layers were found to look at their neighbours only.

Source: attention-only models, elhage2021; positions that touch attention alone,
olsson2022 (model details).
"""

# mypy: disable-error-code="arg-type, dict-item"

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.shapes import HeadPattern, Heads, Stream


# --8<-- [start:network]
class TextTransformer(nn.Module):
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
        look_back: float = 0.0,  # what layer 1's first head adds for the token before
    ) -> None:
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads = n_heads

        def matrix(rows: int, columns: int, scale: float) -> nn.Parameter:
            return normal(rows, columns, std=scale * rows**-0.5, generator=generator)

        d, layers = d_model, range(n_layers)
        self.W_E = normal(n_vocab, d, std=1.0, generator=generator)
        self.W_U = matrix(d, n_vocab, 0.1)  # the first guesses are nearly even
        self.W_QKV = nn.ParameterList(matrix(d, 3 * d, 1.0) for _ in layers)
        self.W_O = nn.ParameterList(matrix(d, d, 0.5) for _ in layers)
        numbers = torch.zeros(n_heads, n_positions)
        numbers[0, 1:2] = look_back
        self.by_distance = nn.Parameter(numbers)
        ago = torch.arange(n_positions)[:, None] - torch.arange(n_positions)
        later = torch.zeros(ago.shape).masked_fill(ago < 0, -torch.inf)
        self.register_buffer("ago", ago.clamp(min=0))
        self.register_buffer("later", later)

    def forward(
        self, tokens: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch pos n_vocab"]:
        """Logits of the token after each."""
        self.check(tokens)
        x = self.W_E[tokens]
        for layer in range(len(self.W_O)):
            query, key, value = self.project(layer, x)
            if layer == 0:
                masked = {"attn_mask": self.distances(tokens.shape[1])}
            else:
                masked = {"is_causal": True}
            read = F.scaled_dot_product_attention(query, key, value, **masked)
            x = x + read.transpose(1, 2).flatten(2) @ self.W_O[layer]
        return rms_norm(x) @ self.W_U

    def project(self, layer: int, x: Stream) -> tuple[Heads, ...]:
        """Queries, keys and values of every head."""
        three = (rms_norm(x) @ self.W_QKV[layer]).unflatten(2, (3, self.n_heads, -1))
        return three.permute(2, 0, 3, 1, 4).unbind()

    def distances(self, pos: int) -> Float[Tensor, "head pos pos"]:
        """What layer 1 adds to its logits."""
        ago = self.ago[:pos, :pos]
        numbers = self.by_distance.index_select(1, ago.flatten()).view(-1, pos, pos)
        return numbers + self.later[:pos, :pos]

    # --8<-- [end:network]

    @torch.no_grad()
    def patterns(self, tokens: Int[Tensor, "batch pos"]) -> list[HeadPattern]:
        """The attention of each layer, written out, to look at."""
        self.check(tokens)
        pos, x, seen = tokens.shape[1], self.W_E[tokens], []
        for layer in range(len(self.W_O)):
            query, key, value = self.project(layer, x)
            added = self.distances(pos) if layer == 0 else self.later[:pos, :pos]
            scores = query @ key.mT / math.sqrt(query.shape[-1]) + added
            seen.append(scores.softmax(-1))
            x = x + (seen[-1] @ value).transpose(1, 2).flatten(2) @ self.W_O[layer]
        return seen

    def check(self, tokens: Tensor) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        n_vocab, n_positions = self.W_E.shape[0], self.ago.shape[0]
        if tokens.numel() == 0:
            raise ValueError("there are no tokens to read: give at least one")
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


# --8<-- [start:losses]
def losses(
    network: TextTransformer, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos_before_last"]:
    """Loss of each token but the first, guessed from all before it."""
    logits = network(tokens[:, :-1])
    return F.cross_entropy(logits.mT, tokens[:, 1:], reduction="none")


# --8<-- [end:losses]

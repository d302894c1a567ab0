"""Causal attention, spelled out, and a transformer that consists of it alone.

The residual stream is cut into three orthogonal subspaces, so that hand-set weights can
say what a head reads and where it writes.

Source: the split of a head into what it attends to and what it moves follows
elhage2021; no layer norm, no MLP, and logits not divided by sqrt(d).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


# --8<-- [start:attend]
def attend(
    q: Float[Tensor, "*batch token d_head"],
    k: Float[Tensor, "*batch token d_head"],
    v: Float[Tensor, "*batch token d_value"],
    scale: float = 1.0,
) -> tuple[Float[Tensor, "*batch token d_value"], Float[Tensor, "*batch token token"]]:
    """softmax(scale Q K') V over each token and those before it; and the weights."""
    scores = scale * q @ k.mT  # (query, key)
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    weights = scores.masked_fill(later, -torch.inf).softmax(-1)
    return weights @ v, weights


# --8<-- [end:attend]


# --8<-- [start:stream]
@dataclass(frozen=True)
class Stream:
    """Which coordinates of the residual stream belong to which subspace."""

    d_content: int
    n_positions: int  # with the start token's, which is 0

    @property
    def d_model(self) -> int:
        return 2 * self.d_content + self.n_positions

    @property
    def content(self) -> slice:  # which token this is
        return slice(0, self.d_content)

    @property
    def position(self) -> slice:  # where it stands, one-hot
        return slice(self.d_content, self.d_content + self.n_positions)

    @property
    def buffer(self) -> slice:  # empty, until a layer writes here
        return slice(self.d_content + self.n_positions, self.d_model)


@dataclass(frozen=True)
class Head:
    W_Q: Float[Tensor, "d_model d_head"]
    W_K: Float[Tensor, "d_model d_head"]
    W_V: Float[Tensor, "d_model d_model"]  # with W_O: what it reads, where it writes


# --8<-- [end:stream]


# --8<-- [start:model]
class HandSet:
    """Layers of heads that add to a residual stream, and an unembedding.

    Token i has content `contents[i]`. A start token with no content comes first.
    """

    def __init__(
        self,
        contents: Float[Tensor, "vocabulary d_content"],
        n_positions: int,
        layers: Sequence[Sequence[Head]],
    ) -> None:
        self.contents = contents
        self.stream = Stream(contents.shape[1], n_positions)
        self.layers = layers

    def embed(
        self, tokens: Int[Tensor, "batch token"]
    ) -> Float[Tensor, "batch pos d_model"]:
        self.check(tokens)
        batch, n_tokens = tokens.shape
        x = self.contents.new_zeros(batch, 1 + n_tokens, self.stream.d_model)
        x[:, 1:, self.stream.content] = self.contents[tokens]
        positions = torch.eye(self.stream.n_positions).to(x)
        x[:, :, self.stream.position] = positions[: 1 + n_tokens]
        return x

    def __call__(
        self, tokens: Int[Tensor, "batch token"]
    ) -> tuple[
        Float[Tensor, "batch pos vocabulary"],
        list[list[Float[Tensor, "batch pos pos"]]],
    ]:
        """Logits over the vocabulary at every token; attention by layer and head."""
        x = self.embed(tokens)
        attention: list[list[Tensor]] = []
        for heads in self.layers:
            reads = [attend(x @ h.W_Q, x @ h.W_K, x @ h.W_V) for h in heads]
            x = x + sum(written for written, _ in reads)
            attention.append([weights for _, weights in reads])
        return x[..., self.stream.content] @ self.contents.T, attention

    # --8<-- [end:model]

    def attention(
        self, tokens: Int[Tensor, "batch token"], layer: int, head: int = 0
    ) -> Float[Tensor, "batch pos pos"]:
        """The attention of one head, counted from 0."""
        if not 0 <= layer < len(self.layers):
            raise ValueError(
                f"there is no layer {layer}: layers count from 0 and the model has "
                f"{len(self.layers)}"
            )
        if not 0 <= head < len(self.layers[layer]):
            raise ValueError(
                f"there is no head {head} in layer {layer}: heads count from 0 and the "
                f"layer has {len(self.layers[layer])}"
            )
        return self(tokens)[1][layer][head]

    def check(self, tokens: Int[Tensor, "batch token"]) -> None:
        """Raise ValueError where a sequence is none that the model was built for."""
        n_tokens, longest = tokens.shape[1], self.stream.n_positions - 1
        if not 1 <= n_tokens <= longest:
            raise ValueError(
                f"a sequence of {n_tokens} tokens does not fit: the model was built "
                f"for 1 to {longest}"
            )
        vocabulary = len(self.contents)
        wrong = tokens[(tokens < 0) | (tokens >= vocabulary)]
        if len(wrong):
            raise ValueError(
                f"there is no token {int(wrong[0])}: ids go from 0 to {vocabulary - 1}"
            )

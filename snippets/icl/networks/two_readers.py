"""Two attention layers that read a prompt and name someone; many networks side by side.

Attention only. Layer 2 reads for the last token alone, since nothing else is asked. The
layers can be called apart, so that an experiment can put something else between them.

Each tensor of weights begins with `run`, one entry for each network. Networks do not
meet: a sum of their losses trains each as if it were alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import rms_norm

Streams = Float[Tensor, "run batch pos d_model"]
Wrote = Float[Tensor, "run head batch pos d_model"]  # what each head of layer 1 adds
WroteLast = Float[Tensor, "run head batch d_model"]  # and of layer 2, at the last token
FirstPattern = Float[Tensor, "run head batch pos pos"]
LastPattern = Float[Tensor, "run head batch pos"]


@dataclass(frozen=True)
class Shape:
    n_vocab: int
    n_names: int  # the answers
    n_positions: int
    d_model: int = 32
    d_head: int = 32
    n_heads: int = 2  # in each layer

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such network."""
        for name in ("n_positions", "d_model", "d_head", "n_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: choose 1 or more")


# --8<-- [start:network]
class TwoReaders(nn.Module):
    W_E: nn.Parameter  # (run, n_vocab, d_model)
    W_U: nn.Parameter  # (run, d_model, n_names)
    W_O: nn.Parameter  # (run, layer, head, d_head, d_model)

    def __init__(self, shape: Shape, generators: Sequence[Generator]) -> None:
        """One network for each generator of first weights."""
        super().__init__()
        if not generators:
            raise ValueError("no network: give one generator or more")
        self.shape, d = shape, shape.d_model
        d_head, heads = shape.d_head, (2, shape.n_heads)  # two layers
        sizes = {
            "W_E": (shape.n_vocab, d),
            "W_U": (d, shape.n_names),
            "W_Q": (*heads, d, d_head),
            "W_K": (*heads, d, d_head),
            "W_V": (*heads, d, d_head),
            "W_O": (*heads, d_head, d),
        }
        for name, size in sizes.items():
            each = [torch.randn(*size, generator=g) for g in generators]
            self.register_parameter(name, nn.Parameter(d**-0.5 * torch.stack(each)))
        # added to the score of a key so far back
        zeros = torch.zeros(len(generators), *heads, shape.n_positions)
        self.by_distance = nn.Parameter(zeros)

    def embed(self, tokens: Int[Tensor, "run batch pos"]) -> Streams:
        self.check(tokens)
        return torch.stack([E[t] for E, t in zip(self.W_E, tokens)])

    def first(self, x: Streams) -> tuple[Wrote, FirstPattern]:
        """What each head of layer 1 writes at each place, and where it looks."""
        n, z = x.shape[2], rms_norm(x)[:, None]  # (run, 1, batch, pos, d_model)
        ago = torch.arange(n)[:, None] - torch.arange(n)
        scores = self.head(z, "W_Q", 0) @ self.head(z, "W_K", 0).mT / self.scale
        scores = scores + self.by_distance[:, 0][..., ago.clamp(min=0)][:, :, None]
        pattern = scores.masked_fill(ago < 0, -torch.inf).softmax(-1)
        read = pattern @ self.head(z, "W_V", 0)
        return read @ self.W_O[:, 0, :, None], pattern

    def last(
        self, asks: Streams, found: Streams, given: Streams
    ) -> tuple[Float[Tensor, "run head batch pos d_model"], LastPattern]:
        """What each head of layer 2 reads from each place, for the last token, and how
        much it looks there. Queries, keys and values may come from three streams."""
        n = found.shape[2]
        ago = torch.arange(n - 1, -1, -1)  # from the last token
        query = self.head(rms_norm(asks)[:, None, :, -1:], "W_Q", 1)
        key, value = (
            self.head(rms_norm(x)[:, None], name, 1)
            for x, name in ((found, "W_K"), (given, "W_V"))
        )
        scores = (query @ key.mT)[..., 0, :] / self.scale  # (run, head, batch, pos)
        pattern = (scores + self.by_distance[:, 1][..., ago][:, :, None]).softmax(-1)
        return (pattern[..., None] * value) @ self.W_O[:, 1, :, None], pattern

    def answer(
        self, last: Float[Tensor, "run batch d_model"]
    ) -> Float[Tensor, "run batch n_names"]:
        return rms_norm(last) @ self.W_U

    def forward(
        self, tokens: Int[Tensor, "run batch pos"]
    ) -> Float[Tensor, "run batch n_names"]:
        x = self.embed(tokens)
        x = x + self.first(x)[0].sum(1)
        return self.answer(x[:, :, -1] + self.last(x, x, x)[0].sum((1, 3)))

    # --8<-- [end:network]

    @property
    def scale(self) -> float:
        return math.sqrt(self.shape.d_head)

    def head(self, z: Tensor, name: str, layer: int) -> Tensor:
        """Queries, keys or values of every head of a layer: (run, head, batch, pos, .)"""
        return z @ getattr(self, name)[:, layer, :, None]

    def check(self, tokens: Tensor) -> None:
        """Raise ValueError, in words, for what the networks cannot read."""
        runs = len(self.W_E)
        if tokens.numel() == 0:
            raise ValueError("the prompt is empty: there are no tokens to read")
        if len(tokens) != runs:
            raise ValueError(
                f"prompts for {len(tokens)} networks, and there are {runs}"
            )
        if tokens.shape[2] > self.shape.n_positions:
            raise ValueError(
                f"a prompt of {tokens.shape[2]} tokens is longer than the network's "
                f"{self.shape.n_positions} positions"
            )
        if int(tokens.min()) < 0 or int(tokens.max()) >= self.shape.n_vocab:
            raise ValueError(
                f"token ids run from {int(tokens.min())} to {int(tokens.max())}; the "
                f"vocabulary is 0 to {self.shape.n_vocab - 1}"
            )

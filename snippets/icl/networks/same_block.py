"""Eight architectures in one frame: only what moves information between tokens differs.

    x <- x + mixer(norm(x)),        x <- x + MLP(norm(x))

norm scales a token to a mean square of 1. The mixers have different sizes; the MLP's
hidden width is chosen so that all networks have the same number of parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.attention_layer import AttentionLayer
from snippets.icl.networks.convolution import DilatedConvolution
from snippets.icl.networks.lstm_layer import LSTMLayer
from snippets.icl.networks.memory_layer import MemoryLayer
from snippets.icl.networks.parts import normal
from snippets.icl.networks.parts import rms_norm as norm
from snippets.icl.shapes import Stream

# --8<-- [start:mixers]
# d_model, n_heads and a generator -> a mixer
MIXERS: dict[str, Callable[[int, int, Generator], nn.Module]] = {
    "decoder": lambda d, h, g: AttentionLayer(d, h, g, "causal"),
    "prefix-lm": lambda d, h, g: AttentionLayer(d, h, g, "prefix"),
    "lstm": lambda d, h, g: LSTMLayer(d, g),
    "convolution": lambda d, h, g: DilatedConvolution(d, g),
    "linear-attention": lambda d, h, g: MemoryLayer("linear", d, h, g),
    "deltanet": lambda d, h, g: MemoryLayer("delta", d, h, g),
    "titans": lambda d, h, g: MemoryLayer("titans", d, h, g),
}
ARCHITECTURES = ["decoder", "encoder-decoder", *list(MIXERS)[1:]]
# --8<-- [end:mixers]


# --8<-- [start:frame]
class MLP(nn.Module):
    def __init__(self, d_model: int, width: int, generator: Generator) -> None:
        super().__init__()
        self.W_up = normal(d_model, width, std=d_model**-0.5, generator=generator)
        self.W_down = normal(width, d_model, std=width**-0.5, generator=generator)

    def forward(self, x: Stream) -> Stream:
        return F.gelu(x @ self.W_up) @ self.W_down


class Stack(nn.Module):
    """Blocks of one mixer and one MLP each. It reads examples and queries in a row."""

    def __init__(self, mixers: list[nn.Module], mlps: list[MLP]) -> None:
        super().__init__()
        self.mixers, self.mlps = nn.ModuleList(mixers), nn.ModuleList(mlps)

    def forward(
        self,
        examples: Float[Tensor, "batch n d_model"],
        queries: Float[Tensor, "batch m d_model"],
    ) -> Float[Tensor, "batch m d_model"]:
        x = torch.cat([examples, queries], 1)
        self.check_reach(x.shape[1])
        for mixer, mlp in zip(self.mixers, self.mlps):
            x = x + mixer(norm(x), examples.shape[1])
            x = x + mlp(norm(x))
        return norm(x[:, examples.shape[1] :])  # answers are read off queries

    def check_reach(self, n_tokens: int) -> None:
        """Raise ValueError where the last token cannot hear of the first."""
        reach = 1 + sum(getattr(mixer, "reach", n_tokens) for mixer in self.mixers)
        if n_tokens > reach:
            raise ValueError(
                f"a prompt of {n_tokens} tokens is longer than the {reach} that the "
                "convolutions reach: shorten it, or add a dilation"
            )


class EncoderDecoder(nn.Module):
    """The encoder reads the examples, each seeing all. The decoder reads the queries:
    causal attention among them, then cross-attention to what the encoder made."""

    def __init__(
        self,
        encoder: list[nn.Module],
        decoder: list[nn.Module],
        cross: list[nn.Module],
        mlps: list[MLP],
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)
        self.cross, self.mlps = nn.ModuleList(cross), nn.ModuleList(mlps)

    def forward(
        self,
        examples: Float[Tensor, "batch n d_model"],
        queries: Float[Tensor, "batch m d_model"],
    ) -> Float[Tensor, "batch m d_model"]:
        mlps = iter(self.mlps)
        x, y = examples, queries
        for mixer in self.encoder:
            x = x + mixer(norm(x))
            x = x + next(mlps)(norm(x))
        for mixer, cross in zip(self.decoder, self.cross):
            y = y + mixer(norm(y))
            y = y + cross(norm(y), read_from=norm(x))
            y = y + next(mlps)(norm(y))
        return norm(y)


# --8<-- [end:frame]


@dataclass(frozen=True)
class Frame:
    """What the eight networks have in common, and the one thing that they have not."""

    architecture: str  # one of ARCHITECTURES
    d_model: int = 32
    n_heads: int = 2
    n_blocks: int = 2
    n_parameters: int = 24 * 32**2  # of the blocks: 12 d_model^2 each


# --8<-- [start:build]
def build(frame: Frame, generator: Generator) -> Stack | EncoderDecoder:
    """A network with that many parameters, as nearly as MLPs of one whole width allow.

    An encoder-decoder has half of its blocks in the encoder. Raises ValueError for an
    unknown architecture, one block for two stacks, or where nothing is left for MLPs.
    """
    check(frame)
    d_model, n_heads, n_blocks = frame.d_model, frame.n_heads, frame.n_blocks

    def attention(count: int, mask: str | None = None) -> list[nn.Module]:
        return [AttentionLayer(d_model, n_heads, generator, mask) for _ in range(count)]

    if frame.architecture == "encoder-decoder":
        half = n_blocks // 2
        encoder = attention(n_blocks - half)
        decoder, cross = attention(half, "causal"), attention(half)
        mixers = encoder + decoder + cross
    else:
        new = MIXERS[frame.architecture]
        mixers = [new(d_model, n_heads, generator) for _ in range(n_blocks)]

    left = frame.n_parameters - sum(count_parameters(mixer) for mixer in mixers)
    width = round(left / (2 * d_model * n_blocks))  # the MLPs make up for the mixers
    check_width(width, frame)
    mlps = [MLP(d_model, width, generator) for _ in range(n_blocks)]
    if frame.architecture == "encoder-decoder":
        return EncoderDecoder(encoder, decoder, cross, mlps)
    return Stack(mixers, mlps)


def count_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


# --8<-- [end:build]


def check(frame: Frame) -> None:
    """Raise ValueError for what is not among the eight."""
    if frame.architecture not in ARCHITECTURES:
        choice = ", ".join(ARCHITECTURES)
        raise ValueError(
            f"no architecture '{frame.architecture}': choose from {choice}"
        )
    if frame.architecture == "encoder-decoder" and frame.n_blocks < 2:
        raise ValueError(
            f"n_blocks = {frame.n_blocks}: an encoder-decoder needs at least 2"
        )


def check_width(width: int, frame: Frame) -> None:
    """Raise ValueError where the mixers have used up all parameters."""
    if width < 1:
        raise ValueError(
            f"{frame.n_parameters} parameters leave none for the MLPs of "
            f"'{frame.architecture}': give more"
        )

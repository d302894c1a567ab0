"""More architectures in the frame of `same_block`: a layer for each block, by name.

    x <- x + mixer(norm(x)),        x <- x + MLP(norm(x))

A hybrid has different mixers in its blocks. As there, the MLP's width makes up for the
mixers' sizes.
"""

from collections.abc import Callable

from torch import Generator, nn

from snippets.icl.networks.attention_layer import AttentionLayer
from snippets.icl.networks.gated_convolution import GatedConvolution
from snippets.icl.networks.memory_layer import MemoryLayer
from snippets.icl.networks.mesa_layer import MesaLayer
from snippets.icl.networks.same_block import (
    MLP,
    Frame,
    Stack,
    check_width,
    count_parameters,
)
from snippets.icl.networks.selective_ssm import SelectiveSSM
from snippets.icl.networks.summary_tokens import SummaryAttention

LONGEST = 64  # tokens that a long filter covers

# --8<-- [start:layers]
# d_model, n_heads and a generator -> a mixer
LAYERS: dict[str, Callable[[int, int, Generator], nn.Module]] = {
    "attention": lambda d, h, g: AttentionLayer(d, h, g, "causal"),
    "summary": lambda d, h, g: SummaryAttention(d, h, g),
    "state-space": lambda d, h, g: SelectiveSSM(d, d // h, g),  # as large as a matrix
    "small-steps": lambda d, h, g: SelectiveSSM(
        d, d // h, g, steps=(0.001, 0.1), fastest=float(d // h)
    ),
    "gated-convolution": lambda d, h, g: GatedConvolution(d, LONGEST, g),
    "linear-attention": lambda d, h, g: MemoryLayer("linear", d, h, g),
    "deltanet": lambda d, h, g: MemoryLayer("delta", d, h, g),
    "mesa": lambda d, h, g: MesaLayer(d, h, g),
}


def build_blocks(frame: Frame, generator: Generator) -> Stack:
    """A stack with about `frame.n_parameters`: its architecture names one layer for all
    blocks, or one for each, as in "state-space + attention".

    Raises ValueError for an unknown layer, or a number of them that is not n_blocks.
    """
    names = layers_of(frame)
    d_model, n_heads, n_blocks = frame.d_model, frame.n_heads, frame.n_blocks
    mixers = [LAYERS[name](d_model, n_heads, generator) for name in names]
    left = frame.n_parameters - sum(count_parameters(mixer) for mixer in mixers)
    width = round(left / (2 * d_model * n_blocks))  # the MLPs make up for the mixers
    check_width(width, frame)
    return Stack(mixers, [MLP(d_model, width, generator) for _ in names])


# --8<-- [end:layers]


def layers_of(frame: Frame) -> list[str]:
    """The layer of each block. Raises ValueError, in words, where they do not fit."""
    names = frame.architecture.split(" + ")
    if len(names) == 1:
        names = names * frame.n_blocks
    for name in names:
        if name not in LAYERS:
            raise ValueError(f"no layer '{name}': choose from {', '.join(LAYERS)}")
    if len(names) != frame.n_blocks:
        raise ValueError(
            f"'{frame.architecture}' names {len(names)} layers for {frame.n_blocks} "
            "blocks: name one, or as many as blocks"
        )
    return names

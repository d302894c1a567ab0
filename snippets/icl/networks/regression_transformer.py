"""A transformer that reads a regression prompt, and how it trains.

Softmax attention and a GELU MLP in each layer, pre-norm, no positions: the order of the
examples does not matter, only which came before. It predicts the y of every x from the
examples before it, so one prompt of n examples teaches n + 1 predictions.

Source: the task and the loss of garg2022. There x and y are tokens in turn, and a
network must first bring an example's x to its y. Here an example is one token (x, y).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Heads, Inputs, Stream, Values
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.training.muon import Muon
from snippets.progress import steps


# --8<-- [start:network]
@dataclass(frozen=True)
class Sizes:
    d: int = 3
    n_layers: int = 4
    width: int = 32
    n_heads: int = 2


class Layer(nn.Module):
    """Attention to the examples and an MLP, each added to the tokens that read."""

    def __init__(self, sizes: Sizes, std: float, generator: Generator) -> None:
        super().__init__()
        self.n_heads, width = sizes.n_heads, sizes.width
        weights = partial(normal, generator=generator)
        quiet = std / math.sqrt(2 * sizes.n_layers)  # for what adds to the tokens
        self.W_Q, self.b_Q = weights(width, width, std=std), zeros(width)
        self.W_KV, self.b_KV = weights(width, 2 * width, std=std), zeros(2 * width)
        self.W_O = weights(width, width, std=quiet)
        self.W_up, self.b_up = weights(width, 4 * width, std=std), zeros(4 * width)
        self.W_down, self.b_down = weights(4 * width, width, std=quiet), zeros(width)

    def heads(self, x: Stream) -> Heads:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)

    def keys_and_values(self, examples: Stream) -> tuple[Heads, Heads]:
        both = layer_norm(examples) @ self.W_KV + self.b_KV
        keys, values = both.chunk(2, -1)
        return self.heads(keys), self.heads(values)

    def forward(self, z: Stream, keys: Heads, values: Heads) -> Stream:
        """Token k of z reads the examples up to place k."""
        q = self.heads(layer_norm(z) @ self.W_Q + self.b_Q)
        read = F.scaled_dot_product_attention(q, keys, values, is_causal=True)
        z = z + read.transpose(-2, -3).flatten(-2) @ self.W_O
        hidden = F.gelu(layer_norm(z) @ self.W_up + self.b_up)
        return z + hidden @ self.W_down + self.b_down


class RegressionTransformer(nn.Module):
    """Two streams of tokens: queries (x), which predict, and examples (x, y), which
    are read. Query k reads the examples before it; example k reads those and itself."""

    def __init__(self, sizes: Sizes, generator: Generator, scale: float = 0.6) -> None:
        """Weights start normal, with standard deviation scale / sqrt(width). Raises
        ValueError where the heads do not divide the width."""
        super().__init__()
        check_sizes(sizes)
        self.sizes, std = sizes, scale / math.sqrt(sizes.width)
        weights = partial(normal, std=std, generator=generator)
        self.W_x, self.W_y = weights(sizes.d, sizes.width), weights(sizes.width)
        self.kind = zeros(2, sizes.width)  # is it a query or an example
        self.start = weights(sizes.width)  # stands before the first example
        layers = [Layer(sizes, std, generator) for _ in range(sizes.n_layers)]
        self.layers = nn.ModuleList(layers)
        self.W_read, self.b_read = weights(sizes.width), zeros(1)

    def forward(self, x: Inputs, y: Values, asked: Inputs | None = None) -> Values:
        """What it says of each x_k, or of what is asked in its place, from the examples
        before k. The last y is not read."""
        asked = x if asked is None else asked
        self.check(x, y, asked)
        queries = asked @ self.W_x + self.kind[0]
        examples = x @ self.W_x + y[..., None] * self.W_y + self.kind[1]
        # `start` moves the examples on by one: at place k stands the one before k
        start = self.start.expand(len(x), 1, -1)
        examples = torch.cat([start, examples[:, :-1]], 1)
        for number, layer in enumerate(cast(list[Layer], self.layers), 1):
            keys, values = layer.keys_and_values(examples)
            queries = layer(queries, keys, values)
            if number < len(self.layers):  # nothing would read them after the last
                examples = layer(examples, keys, values)
        return layer_norm(queries) @ self.W_read + self.b_read

    # --8<-- [end:network]

    def matrices(self) -> list[nn.Parameter]:
        """The layers' weights, without biases and what reads and writes tokens."""
        return [w for w in self.layers.parameters() if w.ndim == 2]

    def largest_answer(self) -> float:
        """A bound on what it can answer: layer norm leaves vectors of mean 0 and length
        sqrt(width), and W_read reads them."""
        W, width = self.W_read.detach(), self.sizes.width
        return ((W - W.mean()).norm() * width**0.5 + self.b_read.abs()).item()

    def check(self, x: Tensor, y: Tensor, asked: Tensor) -> None:
        """Raise ValueError, in words, for what the network cannot read."""
        if x.shape[:-1] != y.shape:
            raise ValueError(
                f"x is {tuple(x.shape)} and y is {tuple(y.shape)}: give a y for each x"
            )
        if x.shape[-1] != self.sizes.d:
            raise ValueError(
                f"x has {x.shape[-1]} coordinates; the network reads d = {self.sizes.d}"
            )
        if x.shape[1] == 0:
            raise ValueError("the prompt is empty: give at least the query")
        if asked.shape != x.shape:
            raise ValueError(
                f"queries are {tuple(asked.shape)} and x is {tuple(x.shape)}: "
                "ask one at every place"
            )


def check_sizes(sizes: Sizes) -> None:
    if sizes.width % sizes.n_heads:
        raise ValueError(
            f"n_heads = {sizes.n_heads} does not divide width = {sizes.width}"
        )


def zeros(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape))


def layer_norm(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row with mean 0 and mean square 1."""
    return F.layer_norm(x, x.shape[-1:])


# --8<-- [start:training]
@dataclass(frozen=True)
class Training:
    n_steps: int
    batch: int = 64
    muon_rate: float | None = 0.03  # of the layers' matrices; None: Adam has all
    momentum: float = 0.8  # of Muon; runs are too short for its usual 0.95
    adam_rate: float = 3e-3  # of the other weights
    warm_up: float = 0.05  # share of the steps; then a cosine down to 0


def train(
    network: RegressionTransformer,
    draw: Callable[[int], Prompts],
    training: Training,
    *,
    loop: int = 0,
    of: int = 1,
) -> None:
    """Lower the squared error at every position, on prompts that are drawn anew at each
    step; `draw` is told how many."""
    optimizers = optimizers_of(network, training)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda step: share_of_rate(step, training))
        for o in optimizers
    ]
    for _ in steps(training.n_steps, loop=loop, of=of):
        prompts = draw(training.batch)
        loss = (network(prompts.x, prompts.y) - prompts.y).square().mean()
        network.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        for schedule in schedules:
            schedule.step()


def share_of_rate(step: int, training: Training) -> float:
    """Up in a line from near 0, and down in half a cosine."""
    up = (step + 1) / max(1, training.warm_up * training.n_steps)
    return min(1.0, up) * (1 + math.cos(math.pi * step / training.n_steps)) / 2


# --8<-- [end:training]


def optimizers_of(
    network: RegressionTransformer, training: Training
) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices and Adam for the rest, or Adam for all."""
    matrices = network.matrices() if training.muon_rate is not None else []
    rest = [p for p in network.parameters() if not any(p is m for m in matrices)]
    adam = torch.optim.Adam(rest, training.adam_rate, betas=(0.9, 0.98), fused=True)
    if training.muon_rate is None:
        return [adam]
    width, momentum = network.sizes.width, training.momentum
    return [Muon(matrices, training.muon_rate, width, momentum), adam]

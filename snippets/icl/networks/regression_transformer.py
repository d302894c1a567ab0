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

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

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


class RegressionTransformer(nn.Module):
    """Two streams of tokens: queries (x), which predict, and examples (x, y), which
    are read. Query k reads the examples before it; example k reads those and itself.

    The weights of a kind are stacked, one matrix a layer.
    """

    def __init__(self, sizes: Sizes, generator: Generator, scale: float = 0.6) -> None:
        """Weights start normal, with standard deviation scale / sqrt(width). Raises
        ValueError where the heads do not divide the width."""
        super().__init__()
        width, L = sizes.width, sizes.n_layers
        if width % sizes.n_heads:
            raise ValueError(
                f"n_heads = {sizes.n_heads} does not divide width = {width}"
            )
        self.sizes, std = sizes, scale / math.sqrt(width)

        def normal(*shape: int, std: float = std) -> nn.Parameter:
            return nn.Parameter(std * torch.randn(*shape, generator=generator))

        def zeros(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape))

        self.W_x, self.W_y = normal(sizes.d, width), normal(width)
        self.kind = zeros(2, width)  # is it a query or an example
        self.start = normal(width)  # an example that says nothing, before the first

        quiet = std / math.sqrt(2 * L)  # for what adds to the streams
        self.W_QKV, self.b_QKV = normal(L, width, 3 * width), zeros(L, 3 * width)
        self.W_O = normal(L, width, width, std=quiet)
        self.W_in, self.b_in = normal(L, width, 4 * width), zeros(L, 4 * width)
        self.W_out = normal(L, 4 * width, width, std=quiet)
        self.b_out = zeros(L, width)
        self.W_read, self.b_read = normal(width), zeros(1)

    def forward(
        self,
        x: Float[Tensor, "batch n_and_query d"],
        y: Float[Tensor, "batch n_and_query"],
        queries: Float[Tensor, "batch n_and_query d"] | None = None,
    ) -> Float[Tensor, "batch n_and_query"]:
        """What it says of each x_k, or of other queries, from the examples before k.
        The last y is not read."""
        asked = x if queries is None else queries
        self.check(x, y, asked)
        z_queries = asked @ self.W_x + self.kind[0]
        z_examples = x @ self.W_x + y[..., None] * self.W_y + self.kind[1]
        start = self.start.expand(len(x), 1, -1)
        z_examples = torch.cat([start, z_examples[:, :-1]], 1)
        z = torch.stack([z_queries, z_examples])  # (stream, batch, n + 1, width)
        for layer in range(self.sizes.n_layers):
            z = z + self.attend(layer, layer_norm(z))
            z = z + self.mlp(layer, layer_norm(z))
        return layer_norm(z[0]) @ self.W_read + self.b_read

    def attend(
        self, layer: int, z: Float[Tensor, "2 batch n width"]
    ) -> Float[Tensor, "2 batch n width"]:
        """Softmax attention. Keys and values come from the examples alone; as `start`
        moved them on by one, the same causal mask serves both streams."""
        projected = z @ self.W_QKV[layer] + self.b_QKV[layer]
        heads = projected.unflatten(-1, (3, self.sizes.n_heads, -1)).movedim(2, 4)
        query, key, value = heads.unbind(2)  # each (stream, batch, head, n, d_head)
        read = [
            F.scaled_dot_product_attention(q, key[1], value[1], is_causal=True)
            for q in query
        ]
        return torch.stack(read).movedim(2, 3).flatten(3) @ self.W_O[layer]

    def mlp(
        self, layer: int, z: Float[Tensor, "2 batch n width"]
    ) -> Float[Tensor, "2 batch n width"]:
        hidden = F.gelu(z @ self.W_in[layer] + self.b_in[layer])
        return hidden @ self.W_out[layer] + self.b_out[layer]

    # --8<-- [end:network]

    def matrices(self) -> list[nn.Parameter]:
        """The layers' weights, without biases and what reads and writes tokens."""
        return [self.W_QKV, self.W_O, self.W_in, self.W_out]

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


def layer_norm(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row with mean 0 and mean square 1."""
    return F.layer_norm(x, x.shape[-1:])


# --8<-- [start:training]
@dataclass(frozen=True)
class Training:
    n_steps: int
    batch: int = 64
    muon_rate: float | None = 0.015  # of the layers' matrices; None: Adam has all
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
    return [Muon(matrices, training.muon_rate, network.sizes.width), adam]

"""A transformer whose weights are set by hand: what a program is written in.

A token's vector is divided into fields with names. A head says in which field a token
asks, by which field others are found, and what it takes from one field to another. An
MLP acts on each token by itself. Every token may read every token. Numbers have 64
bits, and nothing is trained.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:fields]
class Fields:
    """Which entries of a token's vector hold what: Fields(key=10, value=1)."""

    def __init__(self, **sizes: int) -> None:
        self.size = sizes
        ends = torch.tensor(list(sizes.values())).cumsum(0).tolist()
        self.d_model = ends[-1]
        self.begin = {name: end - sizes[name] for name, end in zip(sizes, ends)}

    def pick(self, name: str) -> Float[Tensor, "d_model size"]:
        """x @ pick(name) is that field; y @ pick(name).T writes y into it."""
        if name not in self.size:
            raise ValueError(
                f"there is no field {name}; there are {', '.join(self.size)}"
            )
        whole = torch.eye(self.d_model, dtype=torch.float64)
        return whole[:, self.begin[name] : self.begin[name] + self.size[name]]

    def move(self, source: str, target: str) -> Float[Tensor, "d_model d_model"]:
        """x @ move(a, b) has field a of x in its field b, and 0 elsewhere."""
        return self.pick(source) @ self.pick(target).T

    def vectors(self, **held: Tensor) -> Float[Tensor, "pos d_model"]:
        """Tokens that hold these in their fields, and 0 in the others."""
        return sum(t.double() @ self.pick(name).T for name, t in held.items())  # type: ignore[return-value]


# --8<-- [end:fields]


# --8<-- [start:machine]
@dataclass(frozen=True)
class Head:
    W_Q: Float[Tensor, "d_model d_head"]  # in which field a token asks
    W_K: Float[Tensor, "d_model d_head"]  # by which field it is found
    W_VO: Float[Tensor, "d_model d_model"]  # what is taken, and where it is written


@dataclass(frozen=True)
class Mlp:
    up: Float[Tensor, "d_model hidden"]
    bias: Float[Tensor, "hidden"]
    down: Float[Tensor, "hidden d_model"]
    bend: Callable[[Tensor], Tensor] = F.relu


@dataclass(frozen=True)
class Layer:
    heads: Sequence[Head] = ()
    mlp: Mlp | None = None


def run_program(
    x: Float[Tensor, "pos d_model"], layers: Sequence[Layer], beta: float
) -> tuple[Float[Tensor, "pos d_model"], list[Float[Tensor, "pos pos"]]]:
    """The vectors after the last layer, and each head's attention pattern."""
    patterns: list[Tensor] = []
    for layer in layers:
        seen = [(x @ h.W_Q @ (x @ h.W_K).T * beta).softmax(-1) for h in layer.heads]
        read = [pattern @ x @ h.W_VO for pattern, h in zip(seen, layer.heads)]
        x = x + sum(read)
        if layer.mlp:
            mlp = layer.mlp
            x = x + mlp.bend(x @ mlp.up + mlp.bias) @ mlp.down
        patterns += seen
    return x, patterns


# --8<-- [end:machine]

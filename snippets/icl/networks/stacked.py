"""A stack of linear attention layers, looped or not, whose every layer can be asked.

Looped: one layer's weights, applied again and again. Unlooped: weights for each layer.
Prompts are folded (see folded.py): a layer is z <- T z and G <- T G T', with
T = I + step * V G W. The answer after any number of layers stands in the query's y.

Errors: ValueError where there is no layer, and where prompts and weights do not fit. A
walk may leave the numbers: its answers are then infinite, or NaN.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.folded import Folded, at_least_one
from snippets.icl.networks.parts import normal

Matrix = Float[Tensor, "d_and_1 d_and_1"]
Layers = Sequence[tuple[Tensor, Tensor]]  # V and W of each layer, the first one first


# --8<-- [start:stack]
class Stack(nn.Module):
    """`n_layers` layers, each with weights of its own or, looped, all with the same."""

    def __init__(
        self,
        n_layers: int,
        d: int,
        generator: Generator,
        *,
        looped: bool = False,
        std: float = 0.1,
    ) -> None:
        super().__init__()
        at_least_one(layers=n_layers)
        self.n_layers = n_layers
        size = (1 if looped else n_layers, d + 1, d + 1)
        self.W_V = normal(*size, std=std, generator=generator)
        self.W_K = normal(*size, std=std, generator=generator)
        self.W_Q = normal(*size, std=std, generator=generator)

    def layers(self) -> list[tuple[Matrix, Matrix]]:
        kinds = list(zip(self.W_V, self.W_K.mT @ self.W_Q))
        return kinds * self.n_layers if len(kinds) == 1 else kinds


# --8<-- [end:stack]


# --8<-- [start:walk]
def walk(
    prompts: Folded, layers: Layers, step: float = 1.0
) -> Float[Tensor, "layer_and_1 batch"]:
    """The answer that stands in the query before the first layer and after each one."""
    check_walk(prompts, layers)
    # --8<-- [start:loop]
    answers = [prompts.prediction]
    G, z = prompts.G, prompts.z  # the examples, folded, and the query
    for W_V, W_KQ in layers:
        seen = (G @ (z @ W_KQ.mT)[..., None])[..., 0]
        z = z + step * seen @ W_V.mT  # the block writes on top of what it found
        G = examples_after(G, W_V, W_KQ, step)
        answers.append(-z[..., -1])
    # --8<-- [end:loop]
    return torch.stack(answers)


def examples_after(
    G: Float[Tensor, "batch d_and_1 d_and_1"],
    W_V: Float[Tensor, "d_and_1 d_and_1"],
    W_KQ: Float[Tensor, "d_and_1 d_and_1"],
    step: float,
) -> Float[Tensor, "batch d_and_1 d_and_1"]:
    """T G T', the same block at every example. Products with the weights come last in
    a row: those are cheap, those of two batches are not."""
    inner = (G @ W_KQ.mT) @ G  # G W' G
    half = G + step * inner @ W_V.mT  # (T G)'
    back = half.mT @ W_KQ.mT @ G  # T G W' G
    return half.mT + step * back @ W_V.mT


def refined(layers: Layers, parts: int) -> Layers:
    """`parts` layers in place of one, to be walked with steps of 1 / parts. Between two
    layers the weights move in a straight line; after the last they stay."""
    at_least_one(parts=parts)
    fine = []
    for here, there in zip(layers, [*layers[1:], layers[-1]]):
        for part in range(parts):
            t = part / parts
            V, W = ((1 - t) * a + t * b for a, b in zip(here, there))
            fine.append((V, W))
    return fine


# --8<-- [end:walk]


# --8<-- [start:order]
def swapped(layers: Layers, first: int, second: int) -> Layers:
    """Two of them in each other's place."""
    order = list(layers)
    order[first], order[second] = order[second], order[first]
    return order


def repeated(layers: Layers, which: int) -> Layers:
    """One of them once more, behind itself."""
    return [*layers[: which + 1], *layers[which:]]


# --8<-- [end:order]


def check_walk(prompts: Folded, layers: Layers) -> None:
    """Raise ValueError, in words, where these layers cannot read these prompts."""
    at_least_one(layers=len(layers))
    size, weights = prompts.z.shape[-1], layers[0][0].shape[-1]
    if size != weights:
        raise ValueError(
            f"tokens have {size} entries and the layers read {weights}: give both the "
            "same d, and one entry for y"
        )

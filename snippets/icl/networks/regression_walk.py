"""A regression transformer, one write at a time.

Each layer adds twice to the query's vector: what its attention read, and what its MLP
makes of that. Here the two are apart, layers can be left out, repeated or swapped, and
an answer is read after every write.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.regression_transformer import (
    Layer,
    RegressionTransformer,
    layer_norm,
)
from snippets.icl.shapes import Inputs, Stream, Values

States = Float[Tensor, "write_and_1 batch width"]
Keys = Float[Tensor, "*batch head key d_head"]  # or values


# --8<-- [start:writes]
def attention_write(layer: Layer, z: Stream, keys: Keys, values: Keys) -> Stream:
    """What the attention of a layer adds to z. Token k reads the examples up to k; a
    single token is the last query, and reads all."""
    q = layer.heads(layer_norm(z) @ layer.W_Q + layer.b_Q)
    many = z.shape[-2] > 1
    read = F.scaled_dot_product_attention(q, keys, values, is_causal=many)
    return read.transpose(-2, -3).flatten(-2) @ layer.W_O


def mlp_write(layer: Layer, z: Stream) -> Stream:
    """What its MLP adds."""
    hidden = F.gelu(layer_norm(z) @ layer.W_up + layer.b_up)
    return hidden @ layer.W_down + layer.b_down


def write(layer: Layer, kind: str, z: Stream, keys: Keys, values: Keys) -> Stream:
    if kind == "mlp":
        return mlp_write(layer, z)
    return attention_write(layer, z, keys, values)


@torch.no_grad()
def walk(
    network: RegressionTransformer,
    x: Inputs,
    y: Values,
    order: Sequence[int] | None = None,
    size: float = 1.0,
    silent: frozenset[tuple[int, str]] = frozenset(),
) -> States:
    """The last query's vector at first and after each write, two for each layer.

    `order` names the layers, from 0, as often and in the order in which they are
    applied; `size` multiplies all writes; `silent` holds writes to leave out, such as
    (2, "mlp").
    """
    layers = cast(list[Layer], network.layers)
    order = range(len(layers)) if order is None else order
    check(order, len(layers))
    network.check(x, y, x)
    query = x[:, -1:] @ network.W_x + network.kind[0]
    examples = x @ network.W_x + y[..., None] * network.W_y + network.kind[1]
    start = network.start.expand(len(x), 1, -1)
    examples = torch.cat([start, examples[:, :-1]], 1)
    states = [query[:, 0]]
    for number in order:
        layer = layers[number]
        keys, values = layer.keys_and_values(examples)
        for kind in ("attention", "mlp"):
            weight = 0.0 if (number, kind) in silent else size
            query, examples = (  # the examples are rewritten as well
                z + weight * write(layer, kind, z, keys, values)
                for z in (query, examples)
            )
            states.append(query[:, 0])
    return torch.stack(states)


# --8<-- [end:writes]


# --8<-- [start:readings]
@torch.no_grad()
def own_answers(
    network: RegressionTransformer, states: States
) -> Float[Tensor, "write_and_1 batch"]:
    """What the network's own last step, layer norm and readout, says of each."""
    return layer_norm(states) @ network.W_read + network.b_read


@torch.no_grad()
def shares_of_answer(
    network: RegressionTransformer, states: States
) -> Float[Tensor, "write_and_1 batch"]:
    """What the start and each write put into the answer. The last layer norm is kept as
    it is at the end, so that it is linear, and the shares add up to the answer."""
    W = network.W_read - network.W_read.mean()  # layer norm takes the mean away
    spread = (states[-1].var(-1, correction=0) + 1e-5).sqrt()
    writes = torch.cat([states[:1], states.diff(dim=0)])
    shares = writes @ W / spread
    shares[0] += network.b_read
    return shares


# --8<-- [end:readings]


def check(order: Sequence[int], n_layers: int) -> None:
    """Raise ValueError, in words, for layers that do not exist, and for none."""
    unknown = [number for number in order if not 0 <= number < n_layers]
    if unknown:
        raise ValueError(
            f"there is no layer {unknown[0]}: name layers from 0 to {n_layers - 1}"
        )
    if not len(order):
        raise ValueError("no layer is applied: name at least one")

"""The states of a regression transformer's queries, layer by layer."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.regression_transformer import (
    Layer,
    RegressionTransformer,
)
from snippets.icl.shapes import Inputs, Values


@torch.no_grad()
def query_states(
    network: RegressionTransformer, x: Inputs, y: Values
) -> Float[Tensor, "n_states batch d_model"]:
    """What stands in the last query's vector before the first layer and after each."""
    network.check(x, y, x)
    queries = x @ network.W_x + network.kind[0]
    examples = x @ network.W_x + y[..., None] * network.W_y + network.kind[1]
    start = network.start.expand(len(x), 1, -1)
    examples = torch.cat([start, examples[:, :-1]], 1)
    states = [queries[:, -1]]
    for layer in cast(list[Layer], list(network.layers)):
        keys, values = layer.keys_and_values(examples)
        queries = layer(queries, keys, values)
        examples = layer(examples, keys, values)
        states.append(queries[:, -1])
    return torch.stack(states)

"""The regression transformer of snippets/icl, its two streams side by side in one tensor.

Queries stand before the examples, so that a layer's norm, its MLP and its W_Q are one call for both; heads are slices
and never copied; scores are one call with scale and mask. The numbers are those of `RegressionTransformer`.
"""

from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.regression_transformer import Layer, RegressionTransformer, layer_norm
from snippets.icl.shapes import Inputs, Values


def predict(network: RegressionTransformer, x: Inputs, y: Values) -> Values:
    """What the network says of each x, from the examples before it."""
    batch, n, _ = x.shape
    at = x @ network.W_x
    examples = at + y[..., None] * network.W_y + network.kind[1]
    start = network.start.expand(batch, 1, -1)
    z = torch.cat([at + network.kind[0], start, examples[:, :-1]], 1)  # (batch, 2 n, width)
    later = torch.full((n, n), -torch.inf).triu(1)
    for layer in cast(list[Layer], network.layers):
        last = layer is network.layers[-1]
        z = apply(layer, z, n, later if last else torch.cat([later, later]))
    return layer_norm(z) @ network.W_read + network.b_read


def apply(
    layer: Layer, z: Float[Tensor, "batch pos width"], n: int, mask: Float[Tensor, "query key"]
) -> Float[Tensor, "batch query width"]:
    """As many tokens come out as the mask has rows: after the last layer nobody reads the examples."""
    width = z.shape[-1]
    normed = layer_norm(z)
    read = torch.addmm(layer.b_KV, normed[:, n:].reshape(-1, width), layer.W_KV).view(-1, n, 2 * width)
    z, normed = z[:, : len(mask)].reshape(-1, width), normed[:, : len(mask)].reshape(-1, width)
    queries = torch.addmm(layer.b_Q, normed, layer.W_Q).view(-1, len(mask), width)
    z = torch.addmm(z, attend(queries, read, mask, layer.n_heads).view(-1, width), layer.W_O)
    hidden = F.gelu(torch.addmm(layer.b_up, layer_norm(z), layer.W_up))
    return (torch.addmm(z, hidden, layer.W_down) + layer.b_down).view(-1, len(mask), width)


def attend(
    queries: Float[Tensor, "batch query width"],
    read: Float[Tensor, "batch key two_width"],
    mask: Float[Tensor, "query key"],
    n_heads: int,
) -> Float[Tensor, "batch query width"]:
    d_head = queries.shape[-1] // n_heads
    pieces = read.split(d_head, -1)  # the keys of each head, then its values
    found = []
    for q, k, v in zip(queries.split(d_head, -1), pieces[:n_heads], pieces[n_heads:]):
        scores = torch.baddbmm(mask, q, k.mT, alpha=d_head**-0.5)
        found.append(scores.softmax(-1) @ v)
    return torch.cat(found, -1)


def backward(network: RegressionTransformer, x: Inputs, y: Values, at_once: int) -> None:
    """The gradient of the mean squared error, from so many prompts at once: few enough that what a layer makes of them
    stays in the processor's cache until the next reads it."""
    for some_x, some_y in zip(x.split(at_once), y.split(at_once)):
        (F.mse_loss(predict(network, some_x, some_y), some_y) * (len(some_x) / len(x))).backward()

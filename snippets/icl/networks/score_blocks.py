"""The attention scores of a two-layer network, taken apart by what meets what.

A token is a position and a content side by side; behind layer 1 it is their sum with
what layer 1 wrote. So a score, which is linear in the query and in the key, is a sum
over pairs of parts: four in layer 1, where nothing is written yet, nine in layer 2.

Source: the three subspaces are those of the head built by hand; the network is that of
reddy2024, section 2.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.shapes import Logits, Pattern, Stream

PARTS = ("position", "content", "written")
Parts = Float[Tensor, "part batch pos d"]
Blocks = Float[Tensor, "of_query of_key batch query key"]


# --8<-- [start:blocks]
def given(x: Stream, n_slots: int) -> Parts:
    """Position and content of each token, each with zeros in the other's place."""
    if not 0 < n_slots < x.shape[-1]:
        raise ValueError(
            f"n_slots = {n_slots}: a token of {x.shape[-1]} numbers has fewer positions "
            "than that, and one or more"
        )
    is_position = torch.arange(x.shape[-1]) < n_slots
    return torch.stack([x * is_position, x * ~is_position])


def blocks(
    query: Float[Tensor, "of_query batch query d"],
    key: Float[Tensor, "of_key batch key d"],
    match: Float[Tensor, "d d"],
) -> Blocks:
    """What each part of the query and each part of the key add to a score."""
    return torch.einsum("abqd,de,cbke->acbqk", query, match, key)


def layer_1(network: TwoLayerNetwork, x: Stream, n_slots: int) -> Blocks:
    parts = given(x, n_slots)
    return blocks(parts, parts, network.W_Q[0] @ network.W_K[0].mT)


def layer_2(
    network: TwoLayerNetwork, x: Stream, n_slots: int, first: Pattern
) -> Blocks:
    """Of the target's scores, where layer 1 attends as in `first`."""
    written = first @ (x @ network.W_V[0])
    parts = torch.cat([given(x, n_slots), written[None]])
    return blocks(parts[:, :, -1:], parts, network.W_Q[1] @ network.W_K[1].mT)


# --8<-- [end:blocks]


# --8<-- [start:keep]
def with_only(
    network: TwoLayerNetwork,
    x: Stream,
    n_slots: int,
    kept_1: Bool[Tensor, "2 2"],
    kept_2: Bool[Tensor, "3 3"],
) -> Logits:
    """The network's logits when only some blocks reach the scores of each layer."""
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    scores = layer_1(network, x, n_slots)[kept_1].sum(0)
    first = scores.masked_fill(later, -torch.inf).softmax(-1)
    second = layer_2(network, x, n_slots, first)[kept_2].sum(0).softmax(-1)
    h = x + first @ (x @ network.W_V[0])
    z = (h[:, -1:] + second @ h @ network.W_V[1])[:, 0]
    for W in network.W_hidden:
        z = F.relu(z @ W)
    return z @ network.W_out


# --8<-- [end:keep]


# --8<-- [start:shares]
def shares(
    parts: Blocks, seen: Bool[Tensor, "query key"]
) -> Float[Tensor, "of_query of_key"]:
    """How much of the variance of the scores over the keys that a query sees goes with
    each block: its covariance with the whole score. They add up to 1, and one that
    works against the rest is below 0."""
    n = seen.sum(-1, keepdim=True)
    centred = (parts - (parts * seen).sum(-1, keepdim=True) / n) * seen
    whole = centred.sum((0, 1))
    return (centred * whole).sum((2, 3, 4)) / whole.square().sum()


# --8<-- [end:shares]

"""The circuits of a trained SmallTransformer: which head does what, and what each seeks
and writes, token by token.

Source: elhage2021, for circuits and their eigenvalues. Tokens as layer 1 rewrites them
are ours.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.icl.measures import (
    ablate,
    copying,
    k_composition,
    matching,
    random_k_composition,
)
from snippets.icl.networks.parts import rms_norm
from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.shapes import Tokens

Measure = Callable[[Tensor], list[float]]  # of logits


def roles(curves: dict[str, np.ndarray]) -> list[list[tuple[int, int]]]:
    """The heads of each layer as (layer, head), by what they do at the end: in layer 1
    of two the best previous-token head first, elsewhere the best prefix-matcher."""
    previous, prefix = curves["previous"][-1], curves["prefix"][-1]
    n_layers = len(prefix)
    order = [
        np.argsort(-(previous if layer < n_layers - 1 else prefix)[layer])
        for layer in range(n_layers)
    ]
    return [[(layer, int(h)) for h in heads] for layer, heads in enumerate(order)]


@torch.no_grad()
def ablations(
    network: SmallTransformer,
    heads: list[list[tuple[int, int]]],
    tokens: Tokens,
    measure: Measure,
) -> np.ndarray:
    """Measures of the logits without each head of each layer, and without the whole layer: fully, and
    with the patterns kept. (layer, ablation, mode, measure)"""
    found = []
    for layer in heads:
        for off in [*([head] for head in layer), layer]:
            for keep in (False, True):
                found.append(measure(ablate(network, tokens, off, keep)))
    return np.array(found).reshape(len(heads), -1, 2, len(found[0]))


# --8<-- [start:circuits]
@torch.no_grad()
def circuits(
    network: SmallTransformer, heads: list[list[tuple[int, int]]]
) -> dict[str, np.ndarray]:
    """What the last layer's heads look for and what they write, token by token."""
    W_E, W_U = network.W_E.detach(), network.W_U.detach()
    last = [network.head(*head) for head in heads[-1]]
    tokens = carried = W_E  # what stands for a token as query and value, and as key
    if len(heads) > 1:
        # layer 1: one head carries a token to the next place, the other ones rewrite it
        first = [network.head(*head) for head in heads[0]]
        carried = rms_norm(W_E) @ first[0].W_V @ first[0].W_O
        tokens = W_E + sum(rms_norm(W_E) @ h.W_V @ h.W_O for h in first[1:])
    best = last[0]
    found = {
        "match_plain": np.array([matching(W_E, h.W_Q, h.W_K, carried) for h in last]),
        "match": np.array([matching(tokens, h.W_Q, h.W_K, carried) for h in last]),
        "copy_plain": np.array([copying(W_E, h.W_V, h.W_O, W_U) for h in last]),
        "copy": np.array([copying(tokens, h.W_V, h.W_O, W_U) for h in last]),
        # pictures, for the best head: (V, V); half precision is enough to look at
        "QK_plain": (W_E @ best.W_Q @ (carried @ best.W_K).mT).half().numpy(),
        "QK": (tokens @ best.W_Q @ (carried @ best.W_K).mT).half().numpy(),
        "OV_plain": (W_E @ best.W_V @ best.W_O @ W_U).half().numpy(),
        "OV": (tokens @ best.W_V @ best.W_O @ W_U).half().numpy(),
    }
    for circuit in ("QK", "OV"):  # share of tokens that act on themselves most
        most = found[circuit].argmax(1)
        found[f"{circuit}_top"] = np.mean(most == np.arange(len(most)))
    return found


@torch.no_grad()
def composition(
    network: SmallTransformer, heads: list[list[tuple[int, int]]], generator: Generator
) -> dict[str, np.ndarray | float]:
    """K-composition of each head of layer 2 with each of layer 1, (layer 2, layer 1),
    above the mean of random heads; and that mean."""
    baseline = random_k_composition(network.W_E.shape[1], network.d_head, generator)
    later, earlier = ([network.head(*head) for head in heads[i]] for i in (1, 0))
    scores = [
        [k_composition(b.W_Q, b.W_K, a.W_V, a.W_O) for a in earlier] for b in later
    ]
    return {"composition": np.array(scores) - baseline, "baseline": baseline}


# --8<-- [end:circuits]

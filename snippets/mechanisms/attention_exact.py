"""What does attention compute, exactly, and what can it not see?

Source: vaswani2017, section 3.2.1 (the formula, and why it is scaled) and 3.2.2
(heads); elhage2021 (heads add up). Nothing is trained: random vectors go through random
weights.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import Claim, Measurements, above, below, equals
from snippets.icl.networks.positional_encodings import Nowhere
from snippets.icl.networks.self_attention import (
    SelfAttention,
    attention,
    causal_mask,
    softmax,
)
from snippets.icl.streams import streams
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    n_tokens: int = 12
    d_model: int = 32
    n_heads: int = 4
    batch: int = 64
    sizes: tuple[int, ...] = (4, 16, 64, 256, 1024)  # d_k, where scores are measured
    n_queries: int = 1000
    n_keys: int = 32


PRESETS = {"laptop": Config()}

SHARPNESS = (0, 1, 2, 4, 8)


# --8<-- [start:dictionary]
def soft_dictionary(sharpness: float) -> float:
    """Look up `blue` in {red: 3, blue: 7, green: 5}."""
    keys = torch.eye(3)  # one direction for each colour
    values = torch.tensor([3.0, 7.0, 5.0])
    query = sharpness * keys[1]
    weights = softmax(keys @ query)  # a score for each key, then a share for each
    return (weights @ values).item()


# --8<-- [end:dictionary]


# --8<-- [start:library]
def library_error(q: Tensor, k: Tensor, v: Tensor) -> float:
    """Largest difference to torch's function, causal or not, as a share of the largest
    output."""
    mask = causal_mask(q.shape[-2]).to(q)
    ours = [attention(q, k, v)[0], attention(q, k, v, mask)[0]]
    theirs = [
        F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        for causal in (False, True)
    ]
    return max(difference(a, b) for a, b in zip(ours, theirs))


def difference(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def module_error(layer: SelfAttention, x: Float[Tensor, "batch pos d_model"]) -> float:
    """The same to torch's module with the same weights, for outputs and patterns."""
    n_heads, d_model, _ = layer.W_Q.shape
    theirs = nn.MultiheadAttention(d_model, n_heads, bias=False, batch_first=True)
    theirs.to(x)

    def tall(W: Tensor) -> Tensor:  # (head, d_model, d_head), as torch has it
        return torch.cat(list(W), 1).T

    together = [tall(W) for W in (layer.W_Q, layer.W_K, layer.W_V)]
    theirs.in_proj_weight.data = torch.cat(together)
    theirs.out_proj.weight.data = layer.W_O.flatten(0, 1).T
    written, pattern = layer(x, Nowhere())
    mask = causal_mask(x.shape[1]).to(x)
    output, weights = theirs(x, x, x, attn_mask=mask, average_attn_weights=False)
    return max(difference(written.sum(1), output), difference(pattern, weights))


# --8<-- [end:library]


# --8<-- [start:scale]
def scores_by_size(
    d_k: int, n_queries: int, n_keys: int, generator: Generator
) -> dict[str, float]:
    """Scores of independent queries and keys with variance 1, and their softmax, plain
    and divided by sqrt(d_k)."""
    q = torch.randn(n_queries, 1, d_k, generator=generator)
    k = torch.randn(n_queries, n_keys, d_k, generator=generator)
    scores = (q * k).sum(-1)  # (query, key)
    plain, scaled = softmax(scores), softmax(scores / d_k**0.5)
    return {
        "variance": scores.var().item(),
        "largest_plain": plain.amax(-1).mean().item(),
        "largest_scaled": scaled.amax(-1).mean().item(),
        "slope_plain": slope(plain),
        "slope_scaled": slope(scaled),
    }


def slope(weights: Float[Tensor, "query key"]) -> float:
    """How much a weight answers to its own score: d w / d score = w (1 - w), summed
    over the keys. It is 0 where one key has it all."""
    return (weights * (1 - weights)).sum(-1).mean().item()


# --8<-- [end:scale]


# --8<-- [start:reach]
def reach(
    x: Float[Tensor, "1 pos d_model"], layer: SelfAttention, causal: bool
) -> Float[Tensor, "changed pos"]:
    """How far each output moves when one input is replaced by another vector."""

    def outputs(x: Tensor) -> Tensor:
        q, k, v = x @ layer.W_Q[0], x @ layer.W_K[0], x @ layer.W_V[0]
        return attention(q, k, v, causal_mask(x.shape[1]).to(x) if causal else 0.0)[0]

    moved = []
    for changed in range(x.shape[1]):
        other = x.clone()
        other[0, changed] = -other[0, changed]
        moved.append((outputs(other) - outputs(x)).norm(dim=-1)[0])
    return torch.stack(moved)


# --8<-- [end:reach]


def run(config: Config, seed: int) -> Measurements:
    weights, data = streams(seed, 2)
    c = config
    layer = SelfAttention(c.d_model, c.n_heads, weights)
    in_64 = SelfAttention(c.d_model, c.n_heads, weights).double()
    x, q, k, v = torch.randn(4, c.batch, c.n_tokens, c.d_model, generator=data)
    sizes = [
        scores_by_size(c.sizes[i], c.n_queries, c.n_keys, data)
        for i in steps(len(c.sizes))
    ]
    with torch.no_grad():
        xd, qd, kd, vd = x.double(), q.double(), k.double(), v.double()
        sum_of_heads = in_64(xd, Nowhere())[0].sum(1)
        return {
            **{f"looked_up_{s}": soft_dictionary(float(s)) for s in SHARPNESS},
            "library_32": max(library_error(q, k, v), module_error(layer, x)),
            "library_64": max(library_error(qd, kd, vd), module_error(in_64, xd)),
            "size": np.array(c.sizes),
            **{name: np.array([s[name] for s in sizes]) for name in sizes[0]},
            "reach_open": reach(x[:1], layer, causal=False).numpy(),
            "reach_causal": reach(x[:1], layer, causal=True).numpy(),
            "heads_error": difference(sum_of_heads, side_by_side(in_64, xd)),
        }


# --8<-- [start:heads]
def side_by_side(
    layer: SelfAttention, x: Float[Tensor, "batch pos d_model"]
) -> Float[Tensor, "batch pos d_model"]:
    """What the heads read, side by side, times one tall W_O."""
    mask = causal_mask(x.shape[1]).to(x)
    reads = [
        attention(x @ W_Q, x @ W_K, x @ W_V, mask)[0]
        for W_Q, W_K, W_V in zip(layer.W_Q, layer.W_K, layer.W_V)
    ]
    return torch.cat(reads, -1) @ layer.W_O.flatten(0, 1)


# --8<-- [end:heads]


def variance_off(m: Measurements) -> float:
    """Largest relative distance of the variance from d_k."""
    return float(np.abs(m["variance"] / m["size"] - 1).max())


def leak(m: Measurements) -> float:
    """Largest move of an output that stands before the input that was changed."""
    return float(np.triu(m["reach_causal"].T, 1).max())


# fmt: off
CLAIMS = [
    Claim("library", lambda m: float(m["library_32"]), below(1e-6), "of the largest output",
          "In 32-bit numbers our attention differs from torch's by less than a millionth of the largest "
          "output.", exact=True),
    Claim("library-64", lambda m: float(m["library_64"]), below(1e-12), "of the largest output",
          "In 64-bit numbers, by less than a millionth of a millionth of it.", exact=True),
    Claim("variance", variance_off, below(0.1), "of it",
          "For every size tried, the variance of a score is within 10 % of d_k.", exact=True),
    Claim("saturates", lambda m: float(m["largest_plain"][-1]), above(0.9), "of the attention",
          "At d_k = 1024 an unscaled softmax gives one key over nine tenths."),
    Claim("slope", lambda m: float(m["slope_plain"][-1] / m["slope_scaled"][-1]), below(0.1), "",
          "There its slope is less than a tenth of that of the scaled softmax."),
    Claim("scaled", lambda m: float(m["largest_scaled"].max() / m["largest_scaled"].min()), below(1.2), "",
          "Scaled, the largest weight is the same at every size, within a fifth.",
          digits=3),
    Claim("causal", leak, equals(0.0), "",
          "With the mask, no later token moves an earlier output at all.", exact=True),
    Claim("open", lambda m: float(m["reach_open"].min()), above(1e-3), "",
          "Without the mask, each token moves each output."),
    Claim("heads", lambda m: float(m["heads_error"]), below(1e-12), "of the largest output",
          "Heads side by side, times one W_O, are the sum of what each head writes.", exact=True),
]
# fmt: on

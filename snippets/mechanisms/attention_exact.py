"""What does attention compute, exactly, and what can it not see?

Source: vaswani2017, section 3.2.1 (the formula, and why it is scaled), 3.2.2 (heads)
and 3.5 (sinusoidal positions); su2021 (rotary); press2022 (ALiBi); elhage2021 (heads
add up). Nothing is trained: random vectors go through random weights.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    equals,
)
from snippets.icl.networks.positional_encodings import (
    ALiBi,
    Learned,
    Nowhere,
    Rotary,
    Sinusoidal,
)
from snippets.icl.networks.self_attention import (
    SelfAttention,
    attention,
    causal_mask,
    softmax,
)
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
    n_positions: int = 64  # of the encodings
    n_shifts: int = 200  # by which rotary pairs are moved


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

    def side_by_side(W: Tensor) -> Tensor:  # (head, d_model, d_head), as torch has it
        return torch.cat(list(W), 1).T

    together = [side_by_side(W) for W in (layer.W_Q, layer.W_K, layer.W_V)]
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


# --8<-- [start:order]
def order_matters(
    layer: SelfAttention,
    x: Float[Tensor, "batch pos d_model"],
    positions: Nowhere,
) -> float:
    """How far the last output moves when the tokens before it change places."""

    def last(x: Tensor) -> Tensor:
        return layer(positions.add(x), positions)[0].sum(1)[:, -1]

    reversed_past = torch.cat([x[:, :-1].flip(1), x[:, -1:]], 1)
    return (last(reversed_past) - last(x)).norm(dim=-1).mean().item()


# --8<-- [end:order]


def rotary_error(d_head: int, config: Config, generator: Generator) -> float:
    """Move query and key together: largest change of their score."""
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=generator)
    scores = rotary_scores(q, k, config.n_positions)
    by_distance = [scores.diagonal(-back) for back in range(config.n_positions)]
    return max((s - s[0]).abs().max().item() for s in by_distance)


def rotary_scores(
    q: Float[Tensor, "d_head"], k: Float[Tensor, "d_head"], n_positions: int
) -> Float[Tensor, "query key"]:
    """The score of the same query and the same key at all pairs of positions."""
    same = torch.stack([q, k])[None, :, None].expand(1, 2, n_positions, -1)
    turned_q, turned_k = Rotary().rotate(same)[0]
    return turned_q @ turned_k.T / len(q) ** 0.5


def sinusoidal_error(d_model: int, n_positions: int) -> float:
    """Turn every position by the same angles: largest distance to where it should be,
    one step further, for steps of any length."""
    points = Sinusoidal(d_model).add(torch.zeros(1, n_positions, d_model).double())[0]
    circles = torch.view_as_complex(points.unflatten(-1, (-1, 2)))  # sin + i cos
    frequency = 10_000.0 ** -(torch.arange(0, d_model, 2).double() / d_model)
    worst = 0.0
    for shift in range(1, n_positions):
        turned = circles[:-shift] * torch.exp(-1j * shift * frequency)
        worst = max(worst, (turned - circles[shift:]).abs().max().item())
    return worst


def alibi_error(n_heads: int, n_positions: int) -> float:
    """Largest difference to -distance / 2^(8 h / n), where the key is not later."""
    bias = ALiBi(n_heads).bias(n_positions)
    return max(
        abs(bias[h, query, key].item() + (query - key) / 2 ** (8 * (h + 1) / n_heads))
        for h in range(n_heads)
        for query in range(n_positions)
        for key in range(query + 1)
    )


def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    layer = SelfAttention(config.d_model, config.n_heads, generator)
    exact = SelfAttention(config.d_model, config.n_heads, generator).double()
    shape = (config.batch, config.n_tokens, config.d_model)
    x = torch.randn(shape, generator=generator)
    q, k, v = torch.randn(3, *shape, generator=generator)
    qd, kd, vd = torch.randn(3, *shape, dtype=torch.float64, generator=generator)

    encodings = {
        "none": Nowhere(),
        "learned": Learned(config.n_tokens, config.d_model, generator),
        "sinusoidal": Sinusoidal(config.d_model),
        "rotary": Rotary(),
        "alibi": ALiBi(config.n_heads),
    }
    d_head = config.d_model // config.n_heads
    sizes = [
        scores_by_size(config.sizes[i], config.n_queries, config.n_keys, generator)
        for i in steps(len(config.sizes))
    ]
    with torch.no_grad():
        concatenated = concatenated_heads(exact, x.double())
        return {
            **{f"looked_up_{s}": soft_dictionary(float(s)) for s in SHARPNESS},
            "library_32": max(library_error(q, k, v), module_error(layer, x)),
            "library_64": max(
                library_error(qd, kd, vd), module_error(exact, x.double())
            ),
            "size": np.array(config.sizes),
            **{name: np.array([s[name] for s in sizes]) for name in sizes[0]},
            "reach_open": reach(x[:1], layer, causal=False).numpy(),
            "reach_causal": reach(x[:1], layer, causal=True).numpy(),
            "heads_error": (exact(x.double(), Nowhere())[0].sum(1) - concatenated)
            .abs()
            .max()
            .item(),
            **{
                f"order_{name}": order_matters(exact, x.double(), encoding.double())
                for name, encoding in encodings.items()
            },
            "rotary_error": rotary_error(d_head, config, generator),
            "sinusoidal_error": sinusoidal_error(config.d_model, config.n_positions),
            "alibi_error": alibi_error(config.n_heads, config.n_positions),
            **to_draw(config, generator),
        }


def concatenated_heads(
    layer: SelfAttention, x: Float[Tensor, "batch pos d_model"]
) -> Float[Tensor, "batch pos d_model"]:
    """What the heads read, side by side, times one tall W_O."""
    mask = causal_mask(x.shape[1]).to(x)
    reads = [
        attention(x @ W_Q, x @ W_K, x @ W_V, mask)[0]
        for W_Q, W_K, W_V in zip(layer.W_Q, layer.W_K, layer.W_V)
    ]
    return torch.cat(reads, -1) @ layer.W_O.flatten(0, 1)


def variance_off(m: Measurements) -> float:
    """Largest relative distance of the variance from d_k."""
    return float(np.abs(m["variance"] / m["size"] - 1).max())


def leak(m: Measurements) -> float:
    """Largest move of an output that stands before the input that was changed."""
    return float(np.triu(m["reach_causal"].T, 1).max())


def least_reach(m: Measurements) -> float:
    """Smallest move that any input causes anywhere, without a mask."""
    return float(m["reach_open"].min())


def order_seen(m: Measurements) -> float:
    """Smallest move, over the four encodings, when the past is reversed."""
    names = ("learned", "sinusoidal", "rotary", "alibi")
    return min(float(m[f"order_{name}"]) for name in names)


# fmt: off
CLAIMS = [
    Claim("library", lambda m: float(m["library_32"]), below(1e-6), "of the largest output",
          "In 32-bit numbers our attention differs from torch's by less than a millionth of the largest "
          "output."),
    Claim("library-64", lambda m: float(m["library_64"]), below(1e-12), "of the largest output",
          "In 64-bit numbers, by less than a millionth of a millionth of it."),
    Claim("variance", variance_off, below(0.1), "of it",
          "For every size tried, the variance of a score is within 10 % of d_k.",
          Reported("vaswani2017", "section 3.2.1",
                   "mean 0 and variance d_k, for independent components of variance 1", REPRODUCED)),
    Claim("saturates", lambda m: float(m["largest_plain"][-1]), above(0.9), "of the attention",
          "At d_k = 1024 an unscaled softmax gives one key over nine tenths.",
          Reported("vaswani2017", "section 3.2.1",
                   "large products push the softmax where its gradients are small", REPRODUCED)),
    Claim("slope", lambda m: float(m["slope_plain"][-1] / m["slope_scaled"][-1]), below(0.1), "",
          "There its slope is less than a tenth of that of the scaled softmax."),
    Claim("scaled", lambda m: float(m["largest_scaled"].max() / m["largest_scaled"].min()), below(1.2), "",
          "Scaled, the largest weight is the same at every size, within a fifth.",
          digits=3),
    Claim("causal", leak, equals(0.0), "",
          "With the mask, no later token moves an earlier output at all."),
    Claim("open", least_reach, above(1e-3), "",
          "Without the mask, each token moves each output."),
    Claim("heads", lambda m: float(m["heads_error"]), below(1e-12), "",
          "Heads side by side, times one W_O, are the sum of what each head writes.",
          Reported("elhage2021", "section Attention Heads are Independent and Additive",
                   "a layer's output is the sum of its heads' outputs", REPRODUCED)),
    Claim("blind", lambda m: float(m["order_none"]), below(1e-12), "",
          "Without an encoding, reversing the past does not move the last output."),
    Claim("sees-order", order_seen, above(0.01), "",
          "With each of the four encodings it does."),
    Claim("rotary", lambda m: float(m["rotary_error"]), below(1e-12), "",
          "With rotary positions a score depends on the distance only.",
          Reported("su2021", "abstract",
                   "rotations by the position make scores depend on relative position", REPRODUCED)),
    Claim("sinusoidal", lambda m: float(m["sinusoidal_error"]), below(1e-12), "",
          "A step along sinusoidal positions is a rotation, the same everywhere.",
          Reported("vaswani2017", "section 3.5",
                   "a shift by k is a linear function of the position's vector", REPRODUCED)),
    Claim("alibi", lambda m: float(m["alibi_error"]), below(1e-6), "",
          "ALiBi takes the distance times the head's slope off each score."),
]
# fmt: on


def to_draw(config: Config, generator: Generator) -> dict[str, np.ndarray]:
    """The encodings as pictures."""
    n, d_model = config.n_positions, config.d_model
    half = n // 2
    d_head = d_model // config.n_heads
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=generator)
    points = Sinusoidal(d_model).add(torch.zeros(1, n, d_model))[0]
    scores = rotary_scores(q, k, n)
    return {
        "sinusoidal": points.numpy(),
        "rotary": np.stack(
            [
                scores[i, : i + 1].flip(0)[:half]
                for i in (half - 1, 3 * half // 2 - 1, n - 1)
            ]
        ),
        "alibi": ALiBi(config.n_heads).bias(half)[:, -1].flip(1).numpy(),
    }

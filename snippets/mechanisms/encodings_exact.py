"""What do positional encodings do to attention, exactly?

Source: vaswani2017, section 3.5 (sinusoidal positions); su2021, abstract (rotary);
press2022, section 3 (ALiBi). Nothing is trained: random vectors go through random
weights, in 64-bit numbers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.positional_encodings import (
    ALiBi,
    Learned,
    Nowhere,
    Rotary,
    Sinusoidal,
)
from snippets.icl.networks.self_attention import SelfAttention
from snippets.icl.streams import streams


@dataclass(frozen=True)
class Config:
    n_tokens: int = 12
    d_model: int = 32
    n_heads: int = 4
    batch: int = 64
    n_positions: int = 64


PRESETS = {"laptop": Config()}


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


# --8<-- [start:formulas]
def rotary_error(d_head: int, n_positions: int, generator: Generator) -> float:
    """Move query and key together: largest change of their score."""
    q, k = torch.randn(2, d_head, dtype=torch.float64, generator=generator)
    scores = rotary_scores(q, k, n_positions)
    by_distance = [scores.diagonal(-back) for back in range(n_positions)]
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


# --8<-- [end:formulas]


def run(config: Config, seed: int) -> Measurements:
    weights, data = streams(seed, 2)
    d_model, n_heads = config.d_model, config.n_heads
    layer = SelfAttention(d_model, n_heads, weights).double()
    shape = (config.batch, config.n_tokens, d_model)
    x = torch.randn(shape, dtype=torch.float64, generator=data)
    encodings = {
        "none": Nowhere(),
        "learned": Learned(config.n_tokens, d_model, weights),
        "sinusoidal": Sinusoidal(d_model),
        "rotary": Rotary(),
        "alibi": ALiBi(n_heads),
    }
    with torch.no_grad():
        moved = {
            f"order_{name}": order_matters(layer, x, encoding.double())
            for name, encoding in encodings.items()
        }
    return {
        **moved,
        "rotary_error": rotary_error(d_model // n_heads, config.n_positions, data),
        "sinusoidal_error": sinusoidal_error(d_model, config.n_positions),
        "alibi_error": alibi_error(n_heads, config.n_positions),
    }


def order_seen(m: Measurements) -> float:
    """Smallest move, over the four encodings, when the past is reversed."""
    names = ("learned", "sinusoidal", "rotary", "alibi")
    return min(float(m[f"order_{name}"]) for name in names)


# fmt: off
CLAIMS = [
    Claim("blind", lambda m: float(m["order_none"]), below(1e-12), "",
          "Without an encoding, reversing the past does not move the last output.", exact=True),
    Claim("sees-order", order_seen, above(0.01), "",
          "With each of the four encodings it does."),
    Claim("rotary", lambda m: float(m["rotary_error"]), below(1e-12), "",
          "With rotary positions a score depends on the distance only.", exact=True),
    Claim("sinusoidal", lambda m: float(m["sinusoidal_error"]), below(1e-12), "",
          "A step along sinusoidal positions is a rotation, the same everywhere.", exact=True),
    Claim("alibi", lambda m: float(m["alibi_error"]), below(1e-6), "",
          "ALiBi takes the distance times the head's slope off each score.", exact=True),
]
# fmt: on

"""A memory that fills up: keys for the figure to touch, and what each rule recalls of them."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.networks import deltanet, linear_attention, mesa

MOST_PAIRS, MOST_DIMENSIONS, STRENGTH = 24, 16, 1e-4


def numbers() -> Float[Tensor, "pair dimension"]:
    """The keys before they are cut to the chosen size and scaled to length 1."""
    drawn = torch.randn(
        MOST_PAIRS,
        MOST_DIMENSIONS,
        generator=Generator().manual_seed(0),
        dtype=torch.float64,
    )
    return (1000 * drawn).round() / 1000


def recalled(rule: str, n: int, d: int) -> Float[Tensor, "asked value"]:
    """What a memory of d dimensions returns for each of the n keys, as so much of each
    stored value: row i is the read of key i, and the right answer is 1 at i, else 0."""
    k = numbers()[:n, :d]
    k = (k / k.norm(dim=-1, keepdim=True))[None]
    v = torch.eye(n, dtype=k.dtype)[None]
    # all keys are asked once more after the last write, which writes nothing
    keys, values = torch.cat([k, k], 1), torch.cat([v, torch.zeros_like(v)], 1)
    beta = torch.cat([torch.ones(1, n), torch.zeros(1, n)], 1).double()
    if rule == "linear":
        return linear_attention.recurrent(keys, keys, values)[0, n:]
    if rule == "delta":
        return deltanet.recurrent(keys, keys, values, beta)[0, n:]
    asked = [mesa.recurrent(key.expand(1, n, d), k, v, STRENGTH)[0, -1] for key in k[0]]
    return torch.stack(asked)


def data(runs: Any) -> dict[str, Any]:
    """What the figure needs. Nothing in it is measured, so it takes nothing from `runs`."""
    return {"numbers": numbers().tolist(), "strength": STRENGTH}

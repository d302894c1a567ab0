"""Three layers that differ in one thing, how a matrix memory takes up a token.

Queries, keys, values and an output matrix are those of attention. Keys have length 1.
The memory's rates are read off the token, each by a row of weights and a sigmoid.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks import deltanet, linear_attention, titans_memory
from snippets.icl.networks.parts import normal
from snippets.icl.shapes import Heads, Stream

# --8<-- [start:layer]
# what its sigmoids are before training: how fast to write, momentum, forgetting
RATES = {"linear": (), "delta": (0.5,), "titans": (0.5, 0.1, 0.02)}
READ: dict[str, Callable[..., Tensor]] = {
    "linear": linear_attention.parallel,
    "delta": deltanet.parallel,
    "titans": titans_memory.parallel,
}


class MemoryLayer(nn.Module):
    def __init__(
        self, rule: str, d_model: int, n_heads: int, generator: Generator
    ) -> None:
        """Raises ValueError for an unknown rule, or where n_heads does not divide."""
        super().__init__()
        if rule not in RATES:
            raise ValueError(f"no rule '{rule}': choose from {', '.join(RATES)}")
        if d_model % n_heads:
            raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")
        self.n_heads, self.read = n_heads, READ[rule]
        std, rates = d_model**-0.5, torch.tensor(RATES[rule])
        self.W_QKV = normal(d_model, 3 * d_model, std=std, generator=generator)
        self.W_O = normal(d_model, d_model, std=std, generator=generator)
        self.W_rates = nn.Parameter(torch.zeros(d_model, len(rates) * n_heads))
        self.b_rates = nn.Parameter(rates.logit().repeat_interleave(n_heads))

    def forward(self, x: Stream, n_examples: int) -> Stream:
        q, k, v = split_heads(x @ self.W_QKV, self.n_heads)
        rates = (x @ self.W_rates + self.b_rates).sigmoid()
        rates = rates.unflatten(-1, (-1, self.n_heads)).permute(2, 0, 3, 1)
        read = self.read(q, F.normalize(k, dim=-1), v, *rates)
        return read.transpose(1, 2).flatten(2) @ self.W_O


def split_heads(x: Float[Tensor, "batch pos q_k_v"], n_heads: int) -> tuple[Heads, ...]:
    """Queries, keys and values, by head."""
    batch, n_tokens, _ = x.shape
    return x.view(batch, n_tokens, 3, n_heads, -1).permute(2, 0, 3, 1, 4).unbind()


# --8<-- [end:layer]

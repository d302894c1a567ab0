"""A transformer with an MLP in each layer, which sees positions as distances.

It is chapter *markov*'s network (markov_network.py) with a place to remember in: after
the heads of a layer, an MLP adds to every token what it makes of it.

Source: gibson2026 trains two layers, each with attention and an MLP, on chains of a
pool. Here: RMS norms and one learned number for each head and distance.
"""

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.markov_network import MarkovNetwork
from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.shapes import HeadPattern, Tokens


# --8<-- [start:network]
class ChainNetwork(MarkovNetwork):
    """`heads` names the heads of each layer, `hidden` the width of each MLP."""

    def __init__(
        self,
        n_symbols: int,
        d_model: int,
        heads: tuple[int, ...],
        hidden: int,
        n_positions: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_symbols, d_model, heads, n_positions, generator)
        if hidden < 1:
            raise ValueError(f"hidden = {hidden}: an MLP needs at least one unit")
        weights = partial(normal, generator=generator)
        up, down = d_model**-0.5, (2 * hidden * len(heads)) ** -0.5
        each = range(len(heads))
        self.W_up = nn.ParameterList(weights(d_model, hidden, std=up) for _ in each)
        self.W_down = nn.ParameterList(weights(hidden, d_model, std=down) for _ in each)
        zeros = (torch.zeros(hidden) for _ in each)
        self.b_up = nn.ParameterList(nn.Parameter(zero) for zero in zeros)

    def forward(
        self, tokens: Tokens
    ) -> tuple[Float[Tensor, "*batch pos n_symbols"], list[HeadPattern]]:
        """Logits of the next symbol at each position, and each layer's attention."""
        self.check(tokens)
        position = torch.arange(tokens.shape[1])
        distance = position[:, None] - position  # (query, key)
        x, patterns = self.W_E[tokens], []
        for layer, by_distance in enumerate(self.by_distance):
            bias = by_distance[:, distance.clamp(min=0)]  # (head, query, key)
            bias = bias.masked_fill(distance < 0, -torch.inf)
            y = rms_norm(x)[:, None]  # (batch, 1, pos, d_model): the same for each head
            W_QK = self.W_Q[layer] @ self.W_K[layer].mT / y.shape[-1] ** 0.5
            W_VO = self.W_V[layer] @ self.W_O[layer]
            pattern = ((y @ W_QK) @ y.mT + bias).softmax(-1)
            x = x + ((pattern @ y) @ W_VO).sum(1)  # heads add up
            hidden = F.relu(rms_norm(x) @ self.W_up[layer] + self.b_up[layer])
            x = x + hidden @ self.W_down[layer]
            patterns.append(pattern)
        return rms_norm(x) @ self.W_U, patterns


# --8<-- [end:network]

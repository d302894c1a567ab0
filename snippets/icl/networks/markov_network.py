"""An attention-only transformer that sees positions as distances, and how it trains.

Each layer adds what its heads read to the residual stream. There is no MLP and no bias
but one: a number for each head and distance, added to the attention logits. It starts
at zero, so at first a head does not tell near from far.

Source: edelman2024, section 2, for attention-only layers with relative positions. Here:
RMS norms, wider initialisation, no dropout, the number instead of a learned vector.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal, rms_norm
from snippets.icl.shapes import HeadPattern, Tokens


# --8<-- [start:network]
class MarkovNetwork(nn.Module):
    """`heads` names the heads of each layer: (1, 1) is two layers of one head each."""

    def __init__(
        self,
        n_symbols: int,
        d_model: int,
        heads: tuple[int, ...],
        n_positions: int,
        generator: Generator,
    ) -> None:
        super().__init__()

        def square(n_heads: int) -> nn.Parameter:
            std = d_model**-0.5
            return normal(n_heads, d_model, d_model, std=std, generator=generator)

        self.n_symbols, self.n_positions = n_symbols, n_positions
        self.W_E = normal(n_symbols, d_model, std=1.0, generator=generator)
        self.W_Q = nn.ParameterList(square(h) for h in heads)
        self.W_K = nn.ParameterList(square(h) for h in heads)
        self.W_V = nn.ParameterList(square(h) for h in heads)
        self.W_O = nn.ParameterList(square(h) for h in heads)
        self.W_U = normal(d_model, n_symbols, std=d_model**-0.5, generator=generator)
        zeros = (torch.zeros(h, n_positions) for h in heads)
        self.by_distance = nn.ParameterList(nn.Parameter(zero) for zero in zeros)

    def forward(
        self, tokens: Tokens
    ) -> tuple[Float[Tensor, "*batch pos n_symbols"], list[HeadPattern]]:
        """Logits of the next symbol at each position, and each layer's attention."""
        self.check(tokens)
        position = torch.arange(tokens.shape[1])
        distance = position[:, None] - position  # (query, key)
        future: Bool[Tensor, "query key"] = distance < 0

        x, patterns = self.W_E[tokens], []
        for layer, by_distance in enumerate(self.by_distance):
            y = rms_norm(x)[:, None]  # (batch, 1, pos, d_model): the same for each head
            bias = by_distance[:, distance.clamp(min=0)].masked_fill(future, -torch.inf)
            # multiplied first, these are 16 by 16: less than queries and keys would be
            W_QK = self.W_Q[layer] @ self.W_K[layer].mT / y.shape[-1] ** 0.5
            W_VO = self.W_V[layer] @ self.W_O[layer]
            pattern = ((y @ W_QK) @ y.mT + bias).softmax(-1)
            x = x + ((pattern @ y) @ W_VO).sum(1)  # heads add up
            patterns.append(pattern)
        return rms_norm(x) @ self.W_U, patterns

    # --8<-- [end:network]

    def check(self, tokens: Tensor) -> None:
        """Raise ValueError for tokens that this network cannot read."""
        if tokens.shape[1] > self.n_positions:
            raise ValueError(
                f"a sequence of {tokens.shape[1]} tokens is longer than the "
                f"{self.n_positions} positions of this network"
            )
        if not 0 <= int(tokens.min()) <= int(tokens.max()) < self.n_symbols:
            raise ValueError(
                f"tokens run from {int(tokens.min())} to {int(tokens.max())}; this "
                f"network knows 0 to {self.n_symbols - 1}"
            )


# --8<-- [start:training]
class Training:
    """AdamW with a short warm-up, on the next symbol at every position."""

    def __init__(
        self,
        network: MarkovNetwork,
        learning_rate: float,
        distance_factor: float,  # how much faster the numbers for distances learn
        beta2: float = 0.98,
        weight_decay: float = 0.01,  # of matrices; the numbers for distances have none
        warm_up: int = 20,  # steps
    ) -> None:
        self.network = network
        distances = list(network.by_distance.parameters())
        theirs = {id(p) for p in distances}
        matrices = [p for p in network.parameters() if id(p) not in theirs]
        fast = {"lr": learning_rate * distance_factor, "weight_decay": 0.0}
        groups: list[dict[str, Any]] = [
            {"params": matrices},
            {"params": distances, **fast},
        ]
        self.optimizer = torch.optim.AdamW(
            groups, learning_rate, (0.9, beta2), weight_decay=weight_decay, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.LinearLR(
            self.optimizer, 1 / warm_up, total_iters=warm_up
        )

    def step(self, sequences: Tokens) -> None:
        logits, _ = self.network(sequences[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), sequences[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()


# --8<-- [end:training]


# --8<-- [start:attention]
def attention_back(pattern: HeadPattern, distance: int) -> Float[Tensor, "head"]:
    """Each head's mean attention to the token that stands so many places back."""
    if not 0 <= distance < pattern.shape[-1]:
        raise ValueError(
            f"no token stands {distance} back among {pattern.shape[-1]} tokens"
        )
    return pattern.diagonal(-distance, 2, 3).mean((0, 2))


def followers(tokens: Tokens) -> Bool[Tensor, "batch query key"]:
    """The tokens that came right after an earlier occurrence of the present symbol:
    those that a bigram count looks at."""
    same = tokens[:, :, None] == tokens[:, None, :]  # (batch, query, key)
    return F.pad(same[..., :-1], (1, 0)).tril()  # the key after the same symbol


def attention_to_followers(
    pattern: HeadPattern, tokens: Tokens
) -> Float[Tensor, "head"]:
    """Each head's attention to followers, where there are any to attend to."""
    right = followers(tokens)
    some = right.any(-1)  # (batch, query)
    if not some.any():
        raise ValueError("no symbol of these sequences has occurred before")
    mass = (pattern * right[:, None]).sum(-1)  # (batch, head, query)
    return (mass * some[:, None]).sum((0, 2)) / some.sum()


# --8<-- [end:attention]

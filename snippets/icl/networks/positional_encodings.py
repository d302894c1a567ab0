"""Five ways to tell attention where a token stands, each in a few lines.

An encoding acts in one of three places: it adds a vector to each token, it rotates
queries and keys, or it adds a number to each score. `Nowhere` does none of the three;
each of the others overrides one.

Source: vaswani2017, section 3.5 (sinusoidal); su2021, abstract (rotary); press2022,
section 3 (ALiBi). Rotary pairs coordinate i with coordinate i + d / 2.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn


class Nowhere(nn.Module):
    """No encoding. The others override one of the three methods."""

    def add(
        self, x: Float[Tensor, "batch pos d_model"]
    ) -> Float[Tensor, "batch pos d_model"]:
        """What enters the first layer, in place of the embeddings x."""
        return x

    def rotate(
        self, x: Float[Tensor, "batch head pos d_head"]
    ) -> Float[Tensor, "batch head pos d_head"]:
        """What is compared, in place of the queries or keys x."""
        return x

    def bias(self, n_tokens: int) -> Float[Tensor, "head query key"]:
        """What is added to the scores."""
        return torch.zeros(1, 1, 1)


# --8<-- [start:learned]
class Learned(Nowhere):
    """A vector for each position, learned like any other weight."""

    def __init__(self, n_positions: int, d_model: int, generator: Generator) -> None:
        super().__init__()
        self.W_pos = nn.Parameter(
            torch.randn(n_positions, d_model, generator=generator)
        )

    def add(self, x):
        n_tokens, n_positions = x.shape[1], len(self.W_pos)
        if n_tokens > n_positions:
            raise ValueError(
                f"a sequence of {n_tokens} tokens is longer than the {n_positions} "
                f"positions: shorten it, or make the encoding with more"
            )
        return x + self.W_pos[:n_tokens]


# --8<-- [end:learned]


# --8<-- [start:sinusoidal]
def frequencies(d: int, base: float = 10_000.0) -> Float[Tensor, "pair"]:
    """The angle per step of each pair of coordinates, from 1 down to about 1 / base."""
    if d % 2:
        raise ValueError(f"{d} dimensions do not form pairs: choose an even number")
    return base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)


def angles(
    n_positions: int, d: int, base: float = 10_000.0
) -> Float[Tensor, "pos pair"]:
    return torch.arange(n_positions)[:, None] * frequencies(d, base)


class Sinusoidal(Nowhere):
    """A fixed vector for each position: a point on d / 2 circles that turn at different
    speeds."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.d_model = d_model

    def add(self, x):
        a = angles(x.shape[1], self.d_model)
        return x + torch.stack([a.sin(), a.cos()], -1).flatten(1).to(x)


# --8<-- [end:sinusoidal]


# --8<-- [start:rotary]
class Rotary(Nowhere):
    """Turn queries and keys by an angle that grows with the position. The angle between
    the two then changes with their distance alone."""

    def __init__(self, base: float = 10_000.0) -> None:
        super().__init__()
        self.base = base

    def rotate(self, x):
        # --8<-- [start:turn]
        a = angles(x.shape[-2], x.shape[-1], self.base).to(x)
        first, second = x.chunk(2, -1)  # the two coordinates of each pair
        return torch.cat(
            [
                first * a.cos() - second * a.sin(),
                first * a.sin() + second * a.cos(),
            ],
            -1,
        )
        # --8<-- [end:turn]


# --8<-- [end:rotary]


# --8<-- [start:alibi]
class ALiBi(Nowhere):
    """Take off the score in proportion to the distance. Each head has its own slope:
    2^(-8/n), 2^(-16/n), ..., 2^-8 for n heads. Nothing is learned."""

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.slopes = 2.0 ** (-8.0 * torch.arange(1, n_heads + 1) / n_heads)

    def bias(self, n_tokens):
        position = torch.arange(n_tokens)
        distance = position[:, None] - position  # (query, key)
        return -self.slopes[:, None, None] * distance.abs()


# --8<-- [end:alibi]

"""More features than dimensions: many small networks that pack them side by side, and an
autoencoder that looks for them again.

Source: elhage2022, the model that packs; cunningham2023 for the autoencoder. Code ours.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from snippets.icl.networks.parts import normal

Features = Float[Tensor, "*net batch feature"]


def sparse_features(
    probability: Float[Tensor, "net"], n_features: int, n: int, generator: Generator
) -> Float[Tensor, "net batch feature"]:
    """Each feature is zero, or with that probability uniform between 0 and 1."""
    shape = (len(probability), n, n_features)
    on = torch.rand(shape, generator=generator) < probability[:, None, None]
    return on * torch.rand(shape, generator=generator)


# --8<-- [start:pack]
class Packed(nn.Module):
    """n features through m dimensions and back: relu(h W' + b) with h = x W."""

    def __init__(self, n_nets: int, n: int, m: int, generator: Generator) -> None:
        super().__init__()
        if m < 1 or n < 1:
            raise ValueError(f"{n} features in {m} dimensions: give 1 or more of each")
        self.W = normal(n_nets, n, m, std=m**-0.5, generator=generator)
        self.b = nn.Parameter(torch.zeros(n_nets, 1, n))

    def hidden(self, x: Features) -> Float[Tensor, "*net batch dim"]:
        return x @ self.W

    def forward(self, x: Features) -> Features:
        return F.relu(self.hidden(x) @ self.W.mT + self.b)


# --8<-- [end:pack]


# --8<-- [start:sae]
class SparseAutoencoder(nn.Module):
    """h = code @ D + c with few codes on: D holds a direction of length 1 in each row."""

    def __init__(self, n_nets: int, size: int, m: int, generator: Generator) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"a dictionary of {size} directions: give 1 or more")
        if m < 1:
            raise ValueError(f"directions of {m} dimensions: give 1 or more")
        self.D = normal(n_nets, size, m, std=1.0, generator=generator)
        self.E = nn.Parameter(F.normalize(self.D.detach(), dim=-1).clone())
        self.b = nn.Parameter(torch.zeros(n_nets, 1, size))
        self.c = nn.Parameter(torch.zeros(n_nets, 1, m))

    def directions(self) -> Float[Tensor, "net item dim"]:
        return F.normalize(self.D, dim=-1)

    def forward(
        self, h: Float[Tensor, "net batch dim"]
    ) -> tuple[Float[Tensor, "net batch dim"], Float[Tensor, "net batch item"]]:
        code = F.relu((h - self.c) @ self.E.mT + self.b)
        return code @ self.directions() + self.c, code

    def loss(
        self, h: Float[Tensor, "net batch dim"], price: float
    ) -> Float[Tensor, "net"]:
        """Squared error, and a price on the sum of what is on."""
        back, code = self(h)
        return (back - h).square().sum(-1).mean(1) + price * code.sum(-1).mean(1)


# --8<-- [end:sae]


# --8<-- [start:recovered]
def recovered(
    truth: Float[Tensor, "feature dim"],
    found: Float[Tensor, "item dim"],
    level: float = 0.9,
) -> float:
    """Share of the true directions that some found one meets with a cosine over the
    level."""
    if not len(found):
        raise ValueError(
            "an empty dictionary recovers nothing: give a direction or more"
        )
    cosine = F.normalize(truth, dim=-1) @ F.normalize(found, dim=-1).mT
    return float((cosine.max(-1).values > level).double().mean())


# --8<-- [end:recovered]

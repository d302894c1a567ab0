"""The small parts that every network of the book is made of."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn


def normal(*shape: int, std: float, generator: Generator) -> nn.Parameter:
    """Weights drawn from a normal law around 0."""
    return nn.Parameter(std * torch.randn(*shape, generator=generator))


def rms_norm(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Each row scaled to a mean square of 1; no gains."""
    return F.rms_norm(x, x.shape[-1:])

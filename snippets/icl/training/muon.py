"""Muon: a step that turns a matrix by the same amount in every direction.

Gradient descent with momentum M moves a weight matrix along M = U S V', far in the few
directions where S is large. Muon moves it along U V': every direction counts alike. No
singular values are computed. A polynomial, applied five times, drives them all to
about 1 (Newton-Schulz).

Source: jordan2024, with its coefficients. Here the matrices of a small network are cut
into square blocks, and all blocks are turned at once.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

# --8<-- [start:newton-schulz]
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def even_out(
    M: Float[Tensor, "block rows columns"], n_times: int = 5
) -> Float[Tensor, "block rows columns"]:
    """About U V' for each M = U S V': a polynomial in M that drives the singular values
    from (0, 1] into (0.6, 1.2), unless they are tiny."""
    a, b, c = COEFFICIENTS
    M = M / (M.norm(dim=(-2, -1), keepdim=True) + 1e-12)  # no singular value over 1
    for _ in range(n_times):
        square = M @ M.mT
        M = a * M + (b * square + c * square @ square) @ M
    return M


# --8<-- [end:newton-schulz]


# --8<-- [start:muon]
class Muon(torch.optim.Optimizer):
    """For weights of shape (layer, rows, columns), whose rows and columns are multiples
    of `width`. Raises ValueError for others."""

    def __init__(
        self,
        weights: Iterable[Tensor],
        lr: float,
        width: int,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum})
        self.width = width
        for weight in self.param_groups[0]["params"]:
            if weight.ndim != 3 or weight.shape[1] % width or weight.shape[2] % width:
                raise ValueError(
                    f"Muon cuts weights (layer, rows, columns) into blocks of {width} "
                    f"by {width}; {tuple(weight.shape)} does not divide: give it to "
                    "another optimizer"
                )

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        weights = [w for w in group["params"] if w.grad is not None]
        blocks = []
        for weight in weights:
            mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
            mean.mul_(group["momentum"]).add_(weight.grad)
            ahead = weight.grad + group["momentum"] * mean  # Nesterov's look ahead
            blocks.append(cut(ahead, self.width))
        turned = even_out(torch.cat(blocks)).split([len(b) for b in blocks])
        for weight, move in zip(weights, turned):
            weight.sub_(join(move, weight), alpha=group["lr"])


def cut(weight: Float[Tensor, "layer rows columns"], width: int) -> Tensor:
    """All blocks of width by width, one after the other."""
    layer, rows, columns = weight.shape
    tiles = weight.view(layer, rows // width, width, columns // width, width)
    return tiles.transpose(2, 3).reshape(-1, width, width)


def join(blocks: Float[Tensor, "block width width"], like: Tensor) -> Tensor:
    """The blocks put back to the shape of `like`."""
    layer, rows, columns = like.shape
    width = blocks.shape[-1]
    tiles = blocks.view(layer, rows // width, columns // width, width, width)
    return tiles.transpose(2, 3).reshape(like.shape)


# --8<-- [end:muon]

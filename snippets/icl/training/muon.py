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

Blocks = Float[Tensor, "block width width"]

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
        # baddbmm(A, B, C, beta=b, alpha=c) is b A + c B C: a M + (b M M' + c (M M')^2) M
        bent = torch.baddbmm(square, square, square, beta=b, alpha=c)
        M = torch.baddbmm(M, bent, M, beta=a)
    return M


# --8<-- [end:newton-schulz]


# --8<-- [start:muon]
class Muon(torch.optim.Optimizer):
    """For weights (rows, columns) whose rows and columns are multiples of `width`.
    Raises ValueError for others."""

    def __init__(
        self, weights: Iterable[Tensor], lr: float, width: int, momentum: float = 0.95
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum})
        self.width, n_blocks = width, 0
        for weight in self.param_groups[0]["params"]:
            check_blocks(weight, width)
            n_blocks += weight.numel() // width**2
        self.mean = torch.zeros(n_blocks, width, width)  # of the gradients so far

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        gradients = [cut(w.grad, self.width) for w in group["params"]]
        gradient = torch.cat(gradients)  # every block of every weight, in one tensor
        self.mean.mul_(group["momentum"]).add_(gradient)
        # Nesterov's look ahead: the mean as it will be if the gradient stays
        ahead = gradient.add(self.mean, alpha=group["momentum"])
        turned = even_out(ahead).split([len(blocks) for blocks in gradients])
        for weight, move in zip(group["params"], turned):
            weight.sub_(join(move, weight), alpha=group["lr"])


def cut(weight: Float[Tensor, "rows columns"], width: int) -> Blocks:
    """All blocks of width by width, one after the other."""
    rows, columns = weight.shape
    tiles = weight.reshape(rows // width, width, columns // width, width)
    return tiles.transpose(1, 2).reshape(-1, width, width)


def join(blocks: Blocks, like: Tensor) -> Tensor:
    """The blocks put back to the shape of `like`."""
    rows, columns = like.shape
    width = blocks.shape[-1]
    tiles = blocks.view(rows // width, columns // width, width, width)
    return tiles.transpose(1, 2).reshape(like.shape)


# --8<-- [end:muon]


def check_blocks(weight: Tensor, width: int) -> None:
    """Raise ValueError, in words, for a weight that cannot be cut."""
    if weight.ndim != 2 or weight.shape[0] % width or weight.shape[1] % width:
        raise ValueError(
            f"Muon cuts weights (rows, columns) into blocks of {width} by {width}; "
            f"{tuple(weight.shape)} does not divide: give it to another optimizer"
        )

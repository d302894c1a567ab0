"""Two strategies that share factors, as products of vectors: a b c and d b c.

Each strategy is learned when its product of three vectors equals a fixed one. Both use the
same b and c. With M1, M2 half the mean squared errors and C the cost of having both,

    loss = (M1 + mu1) (M2 + mu2) + alpha C,   C = half the mean of (a_i d_j)^2

Here exactly, and without arrays: of each vector the loss sees its part along its target and
its length across it. Gradient descent leaves the direction across as it is, so that eight
numbers, p and q of each vector, follow the whole toy at every step.

Source: singh2025, its minimal model, and the authors' released code for what the abstract
does not say: means over entries, dimensions 20, 20, 20, 160, Gaussian targets and starts,
rate 1, mu1 = alpha = 0.1, mu2 = 0. The eight numbers are ours.
Errors: ValueError where there is no such toy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

DIMENSIONS = (20, 20, 20, 160)  # of a, b, c, d
Number = Any  # one number, or an array with one for each race


@dataclass(frozen=True)
class Toy:
    """mu1 and alpha may be arrays: then there is a race for each."""

    mu1: float | ndarray = 0.1  # what strategy 1 leaves to be gained when it is perfect
    alpha: float | ndarray = 0.1  # how much it costs to have both
    mu2: float = 0.0
    dimensions: tuple[int, int, int, int] = DIMENSIONS

    def __post_init__(self) -> None:
        if min(self.dimensions) < 1:
            raise ValueError(
                f"dimensions = {self.dimensions}: a factor of dimension 0 multiplies "
                "nothing; take 1 or more for each of a, b, c, d"
            )
        if np.min(self.alpha) < 0:
            raise ValueError(
                f"alpha = {np.min(self.alpha)}: a cost is 0 or more; below 0 the loss has "
                "no bottom"
            )
        if np.min(self.mu1) < 0 or self.mu2 < 0:
            raise ValueError("mu1 and mu2 are what is left of a loss: 0 or more")


# --8<-- [start:loss]
Vectors = list[Tensor]  # a, b, c, d


def errors(vectors: Vectors, targets: Vectors) -> tuple[Tensor, Tensor, Tensor]:
    """M1, M2 and C, from products of all entries."""
    (a, b, c, d), (ta, tb, tc, td) = vectors, targets
    three = "i,j,k->ijk"
    error1 = torch.einsum(three, ta, tb, tc) - torch.einsum(three, a, b, c)
    error2 = torch.einsum(three, td, tb, tc) - torch.einsum(three, d, b, c)
    both = torch.outer(a, d)
    M1, M2, C = (0.5 * x.square().mean() for x in (error1, error2, both))
    return M1, M2, C


def loss(toy: Toy, vectors: Vectors, targets: Vectors) -> Tensor:
    M1, M2, C = errors(vectors, targets)
    mu1, alpha = float(toy.mu1), float(toy.alpha)
    return (M1 + mu1) * (M2 + toy.mu2) + alpha * C


# --8<-- [end:loss]


def drawn(toy: Toy, generator: torch.Generator) -> tuple[Vectors, Vectors]:
    """Targets and starts, all Gaussian."""
    made = [
        torch.randn(n, generator=generator, dtype=torch.float64)
        for n in 2 * toy.dimensions
    ]
    return made[:4], made[4:]


@dataclass(frozen=True)
class Start:
    """The eight numbers of a start, and the lengths of the targets; or of many starts."""

    lengths: Float[ndarray, "4 *starts"]
    along: Float[ndarray, "4 *starts"]  # p
    across: Float[ndarray, "4 *starts"]  # q


def eight(vectors: Vectors, targets: Vectors) -> Start:
    lengths = np.array([float(t.norm()) for t in targets])
    along = np.array([float(v @ t) for v, t in zip(vectors, targets)]) / lengths
    whole = np.array([float(v @ v) for v in vectors])
    return Start(lengths, along, np.sqrt(np.maximum(whole - along**2, 0)))


def together(starts: list[Start]) -> Start:
    """Many starts as one, with an axis for settings behind: (4, start, 1)."""
    names = ("lengths", "along", "across")
    stacked = (np.stack([getattr(s, name) for s in starts], 1) for name in names)
    return Start(*(one[..., None] for one in stacked))


# --8<-- [start:eight]
def slopes(
    toy: Toy, length: ndarray, p: ndarray, q: ndarray
) -> tuple[Number, Number, Number, ndarray, ndarray]:
    """M1, M2, C and, for each of a, b, c, d, the pull k back to zero and the push h
    along the target: gradient descent is p <- p - rate (k p - h), q <- q - rate k q."""
    na, nb, nc, nd = toy.dimensions
    r, o = p * p + q * q, length * p  # squared length; product with the target
    l2 = length * length
    M1 = l2[0] * l2[1] * l2[2] - 2 * o[0] * o[1] * o[2] + r[0] * r[1] * r[2]
    M2 = l2[3] * l2[1] * l2[2] - 2 * o[3] * o[1] * o[2] + r[3] * r[1] * r[2]
    M1, M2, C = (
        M1 / (2 * na * nb * nc),
        M2 / (2 * nd * nb * nc),
        r[0] * r[3] / (2 * na * nd),
    )
    f1 = (M2 + toy.mu2) / (na * nb * nc)
    f2 = (M1 + toy.mu1) / (nd * nb * nc)
    f3 = toy.alpha / (na * nd)
    ra, rb, rc, rd = r
    common, shared = f1 * ra + f2 * rd, f1 * o[0] + f2 * o[3]
    k = [f1 * rb * rc + f3 * rd, common * rc, common * rb, f2 * rb * rc + f3 * ra]
    h = [f1 * o[1] * o[2], shared * o[2], shared * o[1], f2 * o[1] * o[2]]
    return M1, M2, C, np.stack(k), np.stack(h) * length


def race(
    toy: Toy,
    start: Start,
    n_steps: int,
    rate: float = 1.0,
    without: int | None = None,
) -> Iterator[tuple[Number, Number, Number]]:
    """M1, M2 and C before every step and after the last. `without`: the place of a
    vector that is held at zero, 0 for a, 3 for d."""
    shape = np.broadcast_shapes(
        start.along.shape[1:], np.broadcast(toy.mu1, toy.alpha).shape
    )

    def wide(x: ndarray) -> ndarray:  # (4, ...) beside as many axes as there are races
        return x.reshape(4, *(1,) * (len(shape) + 1 - x.ndim), *x.shape[1:])

    kept = np.ones(4)
    if without is not None:
        kept[without] = 0
    kept, length = wide(kept), wide(start.lengths)
    p = kept * wide(start.along) + np.zeros((4, *shape))
    q = kept * wide(start.across) + np.zeros((4, *shape))
    for _ in range(n_steps + 1):
        M1, M2, C, k, h = slopes(toy, length, p, q)
        yield M1, M2, C
        p, q = p - rate * kept * (k * p - h), q - rate * kept * k * q


# --8<-- [end:eight]


# --8<-- [start:strength]
def strength(M: Number, start: Start, toy: Toy, which: int) -> Number:
    """How far a strategy is learned: 1 where its product is the target, 0 where it is
    nothing; below 0 where it is worse than nothing."""
    vectors = [[0, 1, 2], [3, 1, 2]][which]
    nothing = np.prod(start.lengths[vectors] ** 2, axis=0)
    nothing = nothing / np.prod([toy.dimensions[i] for i in vectors]) / 2
    return 1 - M / nothing


# --8<-- [end:strength]


def descend(
    toy: Toy, vectors: Vectors, targets: Vectors, n_steps: int, rate: float = 1.0
) -> Iterator[tuple[float, float, float]]:
    """The same race with the vectors themselves and autograd: slow, and what `race` is
    checked against."""
    now = [v.clone() for v in vectors]
    for _ in range(n_steps + 1):
        now = [v.detach().requires_grad_() for v in now]
        M1, M2, C = errors(now, targets)
        yield M1.item(), M2.item(), C.item()
        slope = torch.autograd.grad(loss(toy, now, targets), now)
        now = [v - rate * g for v, g in zip(now, slope)]


# --8<-- [start:kept]
def balances(toy: Toy, vectors: Vectors, targets: Vectors) -> tuple[float, float]:
    """What the gradient flow keeps: how far from zero, at a point, are the rates of
    |b|^2 - |c|^2, and of |a|^2 + |d|^2 - |b|^2 plus 8 alpha C?"""
    at = [v.detach().requires_grad_() for v in vectors]
    slope = torch.autograd.grad(loss(toy, at, targets), at)
    # the rate of change of the squared length of each, under the flow
    a, b, c, d = (float(-2 * v.detach() @ g) for v, g in zip(at, slope))
    C = errors(at, targets)[2].item()
    return abs(b - c), abs(a + d - b + 8 * float(toy.alpha) * C)


# --8<-- [end:kept]

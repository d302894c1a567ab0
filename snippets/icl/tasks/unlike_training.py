"""Regression prompts unlike those of training: inputs, values or queries are drawn in
another way than the examples that taught the network.

Source: the released code of garg2022, src/eval.py; the orthogonal kind is ours.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.tasks.linear_regression import draw_prompts, random_rotation


# --8<-- [start:kinds]
@dataclass(frozen=True)
class Exam:
    """Examples, and a query that need not be drawn as they are."""

    x: Float[Tensor, "batch n d"]
    query: Float[Tensor, "batch d"]
    w: Float[Tensor, "batch d"]

    @property
    def y(self) -> Float[Tensor, "batch n"]:
        return (self.x @ self.w[..., None])[..., 0]

    @property
    def answer(self) -> Float[Tensor, "batch"]:
        return (self.query * self.w).sum(-1)


def every_kind(n_test: int, n: int, d: int, generator: Generator) -> dict[str, Exam]:
    """Prompts as in training, and ten kinds that training never shows."""

    def drawn(x_root: Tensor | None = None) -> Exam:
        p = draw_prompts(n_test, n, d, generator, x_root=x_root)
        return Exam(p.x[:, :-1], p.x[:, -1], p.w)

    i = torch.arange(1, d + 1)
    few = (i <= half(d)).float()
    p = drawn()
    signs = torch.randn(len(p.x), 1, d, generator=generator).sign()
    orthogonal = p.x.clone()  # its first d examples at right angles
    orthogonal[:, :d] = d**0.5 * torch.linalg.qr(p.x[:, :d])[0]
    return {
        "as in training": p,
        "skewed": drawn(stretched(1 / i, generator)),
        "subspace": drawn(stretched(few, generator)),
        "orthogonal": Exam(orthogonal, p.query, p.w),
        "query repeats": Exam(p.x, p.x[:, 0], p.w),
        "x halved": Exam(p.x / 2, p.query / 2, p.w),
        "y halved": Exam(p.x, p.query, p.w / 2),
        "orthant": Exam(p.x.abs() * signs, p.query, p.w),
        "x * 2": Exam(p.x * 2, p.query * 2, p.w),
        "x * 3": Exam(p.x * 3, p.query * 3, p.w),
        "y * 3": Exam(p.x, p.query, p.w * 3),
    }


def stretched(
    lengths: Float[Tensor, "d"], generator: Generator
) -> Float[Tensor, "d d"]:
    """A square root of a covariance: these standard deviations, scaled to a mean square
    of 1, in random directions."""
    lengths = lengths / lengths.square().mean().sqrt()
    U = random_rotation(len(lengths), generator)
    return U @ lengths.diag() @ U.mT


def half(d: int) -> int:
    """The dimensions of a subspace prompt: half of them, or one."""
    return max(1, d // 2)


# --8<-- [end:kinds]

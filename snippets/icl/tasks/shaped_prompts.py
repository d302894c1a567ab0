"""Regression prompts whose inputs vary more in some directions than in others.

Source: ahn2023, theorem 1 and the experiments, which differ in the law of w.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.icl.tasks.linear_regression import (
    Prompts,
    draw_prompts,
    random_rotation,
    root,
)


# --8<-- [start:world]
@dataclass(frozen=True)
class World:
    """Where prompts come from: x ~ N(0, Sigma) and w ~ N(0, T)."""

    U: Float[Tensor, "d d"]  # the eigenvectors of Sigma
    Sigma: Float[Tensor, "d d"]
    T: Float[Tensor, "d d"]
    n: int

    @cached_property
    def roots(self) -> tuple[Tensor, Tensor]:
        return root(self.Sigma), root(self.T)

    def prompts(self, batch: int, generator: Generator) -> Prompts:
        x_root, w_root = self.roots
        d = len(self.Sigma)
        return draw_prompts(batch, self.n, d, generator, x_root=x_root, w_root=w_root)


def make_worlds(
    eigenvalues: Sequence[float], n: int, generator: Generator
) -> dict[str, World]:
    """Two, that differ in the law of w only. Sigma is turned at random."""
    U = random_rotation(len(eigenvalues), generator, torch.float64)
    lam = torch.tensor(eigenvalues, dtype=torch.float64)
    Sigma, inverse = (U @ values.diag() @ U.mT for values in (lam, 1 / lam))
    eye = torch.eye(len(lam), dtype=torch.float64)
    return {
        "theorem": World(U, Sigma, eye, n),
        "white": World(U, Sigma, inverse, n),
    }


# --8<-- [end:world]

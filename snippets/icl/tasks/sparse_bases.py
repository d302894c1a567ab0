"""Regression in which only some coordinates count, and the prompt does not say which.

    y = <w, x> + noise,   w is zero outside one of n_bases blocks of coordinates

The block is the concept: who knows it has a far smaller problem to solve.

Source: the synthetic task of han2025, 16 coordinates in 4 blocks there; ours is
smaller.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from snippets.icl.tasks.linear_regression import Prompts


@dataclass(frozen=True)
class Bases:
    d: int = 4
    n_bases: int = 4
    noise: float = 0.1  # standard deviation

    @property
    def masks(self) -> Bool[Tensor, "basis d"]:
        """Which coordinates each basis has. Raises ValueError where none fit."""
        if self.n_bases < 1 or self.d % self.n_bases:
            raise ValueError(
                f"{self.n_bases} bases do not share d = {self.d} coordinates evenly: "
                "give 1 or more that divide it"
            )
        size = self.d // self.n_bases
        return torch.eye(self.n_bases, dtype=torch.bool).repeat_interleave(size, 1)


def draw_sparse(task: Bases, basis: Tensor, n: int, generator: Generator) -> Prompts:
    """Prompts of n examples and a query, x ~ N(0, I) and w ~ N(0, I) on its basis."""
    size = (len(basis), task.d)
    w = torch.randn(size, generator=generator) * task.masks[basis]
    x = torch.randn(len(basis), n + 1, task.d, generator=generator)
    noise = task.noise * torch.randn(len(basis), n + 1, generator=generator)
    return Prompts(x, (x @ w[..., None])[..., 0] + noise, w)


# --8<-- [start:oracles]
def oracles(
    task: Bases,
    basis: Tensor,
    x: Float[Tensor, "batch n d"],
    y: Float[Tensor, "batch n"],
    query: Float[Tensor, "batch d"],
) -> dict[str, Float[Tensor, "batch"]]:
    """Best answers to the query of who is told the basis, of who weighs all bases by
    Bayes' rule, and of who is told only the variance of w (ridge)."""
    x, y, query = x.double(), y.double(), query.double()
    eye = torch.eye(x.shape[1], dtype=torch.float64)
    answers, evidence = [], []
    spread = torch.full((1, task.d), 1 / task.n_bases, dtype=torch.float64)
    for variance in torch.cat([task.masks.double(), spread]):
        K = (x * variance) @ x.mT + task.noise**2 * eye
        w = x.mT @ torch.linalg.solve(K, y[..., None])  # (batch, d, 1)
        answers.append(((query * variance)[:, None] @ w)[:, 0, 0])
        zero = torch.zeros(x.shape[1], dtype=torch.float64)
        law = torch.distributions.MultivariateNormal(zero, K)
        evidence.append(law.log_prob(y))
    each, ridge = torch.stack(answers[:-1], 1), answers[-1]
    posterior = torch.stack(evidence[:-1], 1).softmax(1)
    told = each.gather(1, basis[:, None])[:, 0]
    return {"told": told, "bayes": (posterior * each).sum(1), "ridge": ridge}


# --8<-- [end:oracles]

"""The step sizes that serve layers of linear attention best, plain or as GD++.

With x and w drawn from N(0, I), everything that a layer does commutes with C = X'X / n.
So the loss needs no more of a prompt than the eigenvalues of C.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


# --8<-- [start:sizes]
def loss(
    spectra: Float[Tensor, "batch d"], rates: Float[Tensor, "layer 2"]
) -> Float[Tensor, ""]:
    """In-context loss over the variance of y, exact in w and query, for layers with
    (eta, gamma). On an eigenvector of C with eigenvalue lam a layer leaves 1 - eta lam
    of what is left of y, and bends C's own eigenvalue by (1 - gamma lam)^2."""
    lam, left = spectra, torch.ones_like(spectra)
    bent = torch.ones_like(spectra)  # the query is bent as the examples are
    for eta, gamma in rates:
        left = left * (1 - eta * lam)
        bent = bent * (1 - gamma * lam)
        lam = spectra * bent**2
    return left.square().mean()


def fitted(spectra: Tensor, start: Tensor, n_layers: int, bends: bool) -> Tensor:
    """The sizes of least loss that LBFGS finds from there, (layer, 2): one pair for all
    layers, or a pair for each if so many are given. Gamma stays 0 unless it bends."""
    rates = start.clone().requires_grad_()
    kept = torch.tensor([1.0, float(bends)], dtype=torch.float64)
    search = torch.optim.LBFGS([rates], max_iter=100, line_search_fn="strong_wolfe")

    found, least = (rates * kept).detach(), math.inf

    def closure() -> Tensor:
        nonlocal found, least
        search.zero_grad()
        value = loss(spectra, (rates * kept).expand(n_layers, 2)).log()
        if value < least:  # a search may leave a good place and end in infinity
            found, least = (rates * kept).detach(), value.item()
        value.backward()
        return value

    search.step(closure)
    return found


def draw_spectra(
    n_prompts: int, n: int, d: int, generator: torch.Generator
) -> Float[Tensor, "batch d"]:
    """The eigenvalues of C = X'X / n, for many prompts."""
    x = torch.randn(n_prompts, n, d, generator=generator, dtype=torch.float64)
    return torch.linalg.eigvalsh(x.mT @ x / n)


# --8<-- [end:sizes]

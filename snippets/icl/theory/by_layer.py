"""What gradient steps leave after each layer: the least that any sizes can, and greedily.

C = X'X / n of each prompt. With x ~ N(0, S), w ~ N(0, S^-1) and steps preconditioned by
S^-1, all that matters of a prompt are the eigenvalues mu of S^-1/2 C S^-1/2: a step of
size a leaves (1 - a mu) of what is left along an eigenvector.

Errors: ValueError where there is no step, or no prompt.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Spectra = Float[Tensor, "prompt d"]


# --8<-- [start:spectra]
def spectra_of(x: Float[Tensor, "prompt n d"], Sigma: Float[Tensor, "d d"]) -> Spectra:
    """The eigenvalues of each prompt's C as S^-1 sees it."""
    white = torch.linalg.solve_triangular(
        torch.linalg.cholesky(Sigma), x.mT.to(Sigma.dtype), upper=False
    )
    return torch.linalg.eigvalsh(white @ white.mT / x.shape[1])


# --8<-- [end:spectra]


# --8<-- [start:best]
def least_left(spectra: Spectra, n_steps: int) -> float:
    """The least mean of |p(mu)|^2 over polynomials p of that degree with p(0) = 1: no
    sizes of so many steps leave less on these prompts. Over d, so 1 before any step."""
    check(spectra, n_steps)
    powers = torch.stack([spectra.flatten() ** k for k in range(1, n_steps + 1)], -1)
    ones = torch.ones(len(powers), 1, dtype=powers.dtype)
    found = fitted(powers, ones)
    return (ones - powers @ found).square().mean().item()


def greedy_left(spectra: Spectra, n_steps: int) -> list[float]:
    """The same after each step, where each takes the size that is best for itself: a
    booster's way."""
    check(spectra, n_steps)
    left, means = torch.ones_like(spectra), []
    for _ in range(n_steps):
        removes = spectra * left  # what a step of size 1 takes away
        size = (removes * left).mean() / removes.square().mean()
        left = left - size * removes
        means.append(left.square().mean().item())
    return means


# --8<-- [end:best]


# --8<-- [start:plain]
def least_left_plain(
    x: Float[Tensor, "prompt n_and_query d"], w: Float[Tensor, "prompt d"], n_steps: int
) -> float:
    """The least mean squared error that so many steps of plain gradient descent leave
    at the queries, with any sizes, over the mean square of the answers."""
    query, examples = x[:, -1], x[:, :-1]
    check(w, n_steps)
    answer, reached, powers = (query * w).sum(-1, keepdim=True), w, []
    for _ in range(n_steps):
        at_examples = (examples @ reached[..., None])[..., 0]
        reached = (at_examples[..., None] * examples).mean(1)  # C w, C^2 w, ...
        powers.append((query * reached).sum(-1))
    features = torch.stack(powers, -1)
    found = fitted(features, answer)
    left = answer - features @ found
    return (left.square().mean() / answer.square().mean()).item()


# --8<-- [end:plain]


def fitted(
    features: Float[Tensor, "row k"], wanted: Float[Tensor, "row 1"]
) -> Float[Tensor, "k 1"]:
    """Least squares by the normal equations: columns are few, and the same numbers give
    the same last bit, which LAPACK's own least squares does not promise."""
    return torch.linalg.solve(features.mT @ features, features.mT @ wanted)


def check(prompts: Tensor, n_steps: int) -> None:
    """Raise ValueError, in words, where there is nothing to compute."""
    if n_steps < 1:
        raise ValueError(f"{n_steps} steps: there must be at least 1")
    if len(prompts) == 0:
        raise ValueError("no prompts: give at least 1")

"""Answers of step-by-step algorithms on regression prompts, for comparison by layer.

C = X'X / n of a prompt, eigenvalues mu. An algorithm from w = 0 leaves a factor p(mu) of
w along an eigenvector, so its answer to a query is x'(I - p(C)) w. Step sizes are shares
of 2 / the largest eigenvalue of each prompt: no prompt diverges.

Source: fu2024 for Newton's iteration by layer, which starts there from a multiple of C.

Errors: ValueError where a prompt has no noise-free answer to compare, or no step.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.tasks.linear_regression import Prompts

Spectra = Float[Tensor, "prompt d"]
SHARES = torch.linspace(0.02, 0.98, 49).tolist()


# --8<-- [start:left]
def descent(mu: Spectra, n_steps: int, share: float) -> Spectra:
    """What plain steps of one size leave."""
    return (1 - 2 * share * scaled(mu)) ** n_steps


def newton(mu: Spectra, n_steps: int, share: float) -> Spectra:
    """What M <- 2M - M C M leaves from M = a I: each step squares it."""
    return (1 - 2 * share * scaled(mu)) ** (2**n_steps)


def best(way: Callable[..., Spectra], mu: Spectra, n_steps: int) -> Spectra:
    """With the share, of 49 from 0.02 to 0.98, that leaves least on these prompts."""
    if n_steps < 0:
        raise ValueError(f"{n_steps} steps: there must be 0 or more")
    found = [way(mu, n_steps, share) for share in SHARES]
    return min(found, key=lambda left: left.square().mean().item())


def ridge(mu: Spectra, n: int, strength: float) -> Spectra:
    """What ridge regression leaves."""
    return strength / (n * mu + strength)


def scaled(mu: Spectra) -> Spectra:
    return mu / mu.amax(1, keepdim=True)


# --8<-- [end:left]


# --8<-- [start:misses]
class Misses:
    """What an algorithm's answer to the query misses, prompt by prompt."""

    def __init__(self, prompts: Prompts) -> None:
        x, query = prompts.x[:, :-1], prompts.x[:, -1]
        if x.shape[1] < 1:
            raise ValueError("prompts without an example: give at least 1")
        self.n = x.shape[1]
        self.mu, U = torch.linalg.eigh(x.mT @ x / self.n)  # (prompt, d), (prompt, d, d)
        along = [(U.mT @ v[..., None])[..., 0] for v in (prompts.w, query)]
        self.weight = along[0] * along[1]  # of each direction in the answer

    def of(self, left: Spectra) -> Float[Tensor, "prompt"]:
        return (left * self.weight).sum(1)

    def rivals(
        self, steps: Sequence[int], iterations: Sequence[int], ridges: Sequence[float]
    ) -> dict[str, Float[Tensor, "prompt"]]:
        """By name: so many steps of descent, of Newton's kind, and ridges."""
        found = {f"descent {k}": best(descent, self.mu, k) for k in steps}
        found |= {f"newton {k}": best(newton, self.mu, k) for k in iterations}
        found |= {f"ridge {s:g}": ridge(self.mu, self.n, s) for s in ridges}
        return {name: self.of(left) for name, left in found.items()}


def alike(one: Float[Tensor, "prompt"], other: Float[Tensor, "prompt"]) -> float:
    """The cosine of two algorithms' misses over prompts: 1 if they go wrong alike."""
    sizes = one.square().mean() * other.square().mean()
    return ((one * other).mean() / sizes.sqrt()).item()


# --8<-- [end:misses]

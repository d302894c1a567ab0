"""How good is the inverse of a Hessian after k terms of a plain sum?

Source: lorraine2020, which uses such a sum in the place of the inverse. Here the inner
problem is a random quadratic whose curvatures are chosen, so that the inverse is known,
and so is what k terms leave of it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, between, equals
from snippets.icl.streams import streams
from snippets.icl.theory.bilevel import Bilevel, check_step_size, reverse
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 12  # weights
    n_hyper: int = 4  # hyperparameters
    conditions: tuple[float, ...] = (10.0, 100.0)  # largest over least curvature
    eta: float = 1.0  # the largest curvature is 1
    n_terms: int = 1200
    compared: tuple[int, ...] = (1, 2, 5, 10, 30)  # unrolled steps from the solution
    enough: float = 0.01  # of the inverse


PRESETS = {"laptop": Config()}


# --8<-- [start:problem]
@dataclass(frozen=True)
class Quadratic:
    """Inner: w'Hw / 2 - w'(b + M h). Outer: |w - a|^2 / 2."""

    H: Float[Tensor, "d d"]
    b: Float[Tensor, " d"]
    M: Float[Tensor, "d hyper"]
    a: Float[Tensor, " d"]

    def problem(self) -> Bilevel:
        return Bilevel(
            lambda w, h: w @ self.H @ w / 2 - w @ (self.b + self.M @ h),
            lambda w, h: (w - self.a).square().sum() / 2,
            start=lambda h: self.solution(h).detach(),  # no gradient through it
        )

    def solution(self, h: Float[Tensor, " hyper"]) -> Float[Tensor, " d"]:
        return torch.linalg.solve(self.H, self.b + self.M @ h)


def new_quadratic(config: Config, condition: float, generator: Generator) -> Quadratic:
    """Curvatures from 1 / condition to 1, in equal ratios. Raises ValueError for a
    condition below 1."""
    if condition < 1:
        raise ValueError(f"condition {condition:g}: the largest curvature is over the "
                         "least, 1 or more")  # fmt: skip
    sizes = ((config.d, config.d), (config.d,), (config.d, config.n_hyper), (config.d,))
    turn, b, M, a = (
        torch.randn(*size, generator=generator, dtype=torch.float64) for size in sizes
    )
    V = torch.linalg.qr(turn).Q
    ends = torch.linspace(0, 1, config.d, dtype=torch.float64)
    return Quadratic(V * condition ** (-ends) @ V.mT, b, M, a)


# --8<-- [end:problem]


# --8<-- [start:sum]
def plain_sum(
    H: Float[Tensor, "d d"], g: Float[Tensor, " d"], eta: float, n_terms: int
) -> Float[Tensor, "term d"]:
    """eta (I + A + A^2 + ...) g with A = I - eta H, after 1, 2, ... terms: it goes to
    H^-1 g. Only products of H with vectors are needed."""
    term, total, found = eta * g, torch.zeros_like(g), []
    for _ in range(n_terms):
        total = total + term
        term = term - eta * (H @ term)
        found.append(total)
    return torch.stack(found)


def predicted_left(H: Tensor, g: Tensor, eta: float, n_terms: int) -> Tensor:
    """The size of what is missing after each term: (1 - eta c)^k / c along the
    eigenvector of curvature c."""
    c, V = torch.linalg.eigh(H)
    k = torch.arange(1, n_terms + 1, dtype=H.dtype)[:, None]
    return ((1 - eta * c) ** k / c * (V.mT @ g)).norm(dim=1)


# --8<-- [end:sum]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    check_step_size(config.eta, 1.0)
    (generator,) = streams(seed, 1)
    left, formula, unrolled = [], [], []
    for number in steps(len(config.conditions)):
        q = new_quadratic(config, config.conditions[number], generator)
        h = torch.randn(config.n_hyper, generator=generator, dtype=torch.float64)
        w = q.solution(h)
        g = w - q.a  # the outer slope
        sums = plain_sum(q.H, g, config.eta, config.n_terms)
        exact = torch.linalg.solve(q.H, g)
        missing = (sums - exact).norm(dim=1)
        theory = predicted_left(q.H, g, config.eta, config.n_terms)
        left.append((missing / exact.norm()).numpy())
        formula.append(((missing - theory).abs().max() / exact.norm()).item())
        for k in config.compared:
            walked = reverse(q.problem(), h, config.eta, [w] * (k + 1))
            by_sum = q.M.mT @ sums[k - 1]
            unrolled.append(((walked - by_sum).norm() / by_sum.norm()).item())
    return {
        "left": np.array(left, dtype=np.float32),
        "formula": max(formula),
        "unrolled": max(unrolled),
        "enough": np.array([terms(one, config.enough) for one in left]),
    }


def terms(left: np.ndarray, enough: float) -> float:
    """How many terms leave less than that, or infinity."""
    found = np.flatnonzero(left < enough)
    return float(found[0] + 1) if len(found) else np.inf


# --8<-- [end:run]


# fmt: off
CLAIMS = [
    Claim("formula", lambda m: m["formula"], equals(0, 1e-10), "of the inverse",
          "After each number of terms the sum misses what the closed form says.", exact=True),
    Claim("unrolled", lambda m: m["unrolled"], equals(0, 1e-10), "of its size",
          "k terms of it are the unrolled hypergradient of k steps that begin at the solution.", exact=True),
    Claim("ten", lambda m: float(m["enough"][0]), between(20, 60), "terms",
          "Where the largest curvature is ten times the least, 1 part in 100 is left after 20 to 60 terms."),
    Claim("grows", lambda m: float(m["enough"][1] / m["enough"][0]), between(5, 20), "times",
          "Where it is a hundred times the least, it takes about ten times as many."),
]
# fmt: on

"""How do you differentiate through the solution of another problem, and how exactly?

Source: grazzi2020 for the comparison of unrolled and implicit hypergradients. The
problem is ours: ridge regression, whose hypergradient has a closed form, with features
made so that the inner problem's curvatures are known.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below, equals
from snippets.icl.streams import streams
from snippets.icl.theory.bilevel import (
    Bilevel,
    check_step_size,
    descend,
    forward,
    implicit,
    reverse,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 8  # features
    n_train: int = 40
    n_valid: int = 40
    noise: float = 0.2
    strength: float = 0.05  # lambda, the hyperparameter
    lowest: float = 0.1  # curvature of the inner problem, mu
    highest: float = 1.0
    eta: float = 1.0  # inner step size
    short: int = 20  # inner steps where two unrolled ways are compared
    solved: int = 400  # inner steps after which the inner problem counts as solved
    lengths: tuple[int, ...] = (5, 10, *range(20, 241, 20))  # T
    n_solve: int = 60  # steps that solve the linear system, at most


PRESETS = {"laptop": Config()}


# --8<-- [start:ridge]
@dataclass(frozen=True)
class Ridge:
    """Points to fit and points to judge the fit by."""

    X: Float[Tensor, "train d"]
    y: Float[Tensor, " train"]
    X_valid: Float[Tensor, "valid d"]
    y_valid: Float[Tensor, " valid"]

    def problem(self) -> Bilevel:
        """Inner: the fit, with strength h[0]. Outer: the error on the other points."""

        def fit(w: Tensor, h: Tensor) -> Tensor:
            error = (self.X @ w - self.y).square().mean() / 2
            return error + h[0] / 2 * w @ w

        def judge(w: Tensor, h: Tensor) -> Tensor:
            return (self.X_valid @ w - self.y_valid).square().mean() / 2

        return Bilevel(fit, judge, start=lambda h: 0 * h[0] * self.X[0])

    def solution(self, strength: float) -> Float[Tensor, " d"]:
        """w* = (C + strength I)^-1 b. Raises ValueError for a strength of 0 or less."""
        if strength <= 0:
            raise ValueError(f"ridge strength {strength:g}: choose one above 0")
        n, d = self.X.shape
        H = self.X.T @ self.X / n + strength * torch.eye(d).to(self.X)
        return torch.linalg.solve(H, self.X.T @ self.y / n)

    def closed_form(self, strength: float) -> Float[Tensor, " 1"]:
        """The hypergradient: -(d outer / dw) H^-1 w*."""
        n, d = self.X.shape
        w = self.solution(strength)
        H = self.X.T @ self.X / n + strength * torch.eye(d).to(w)
        at_w = self.X_valid.T @ (self.X_valid @ w - self.y_valid) / len(self.y_valid)
        return -(at_w @ torch.linalg.solve(H, w))[None]


# --8<-- [end:ridge]


def new_ridge(config: Config, generator: Generator) -> Ridge:
    """Random points in float64; the curvatures run from the lowest to the highest in
    equal ratios. Raises ValueError where that leaves no positive strength.
    """
    if not 0 < config.strength < config.lowest:
        raise ValueError(
            f"ridge strength {config.strength:g}: choose one above 0 and below the "
            f"lowest curvature, {config.lowest:g}"
        )
    curvatures = torch.logspace(
        math.log10(config.lowest),
        math.log10(config.highest),
        config.d,
        dtype=torch.float64,
    )
    scale = (curvatures - config.strength).sqrt()

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    V = torch.linalg.qr(normal(config.d, config.d)).Q
    U = torch.linalg.qr(normal(config.n_train, config.d)).Q
    X = math.sqrt(config.n_train) * U * scale @ V.T
    X_valid = normal(config.n_valid, config.d) * scale @ V.T
    w = V @ normal(config.d).sign()
    y = X @ w + config.noise * normal(config.n_train)
    return Ridge(X, y, X_valid, X_valid @ w + config.noise * normal(config.n_valid))


# --8<-- [start:predicted]
def predicted(ridge: Ridge, strength: float, eta: float, n: int) -> float:
    """The hypergradient after n inner steps, from the derived sum over directions."""
    s, V = torch.linalg.eigh(ridge.X.T @ ridge.X / len(ridge.y))
    c, b = s + strength, V.T @ ridge.X.T @ ridge.y / len(ridge.y)
    left = (1 - eta * c) ** n  # what n steps leave of the error in each direction
    w = V @ ((1 - left) / c * b)
    one_less = (1 - eta * c) ** (n - 1)
    dw = V @ ((-(1 - left) / c**2 + eta * n * one_less / c) * b)
    at_w = ridge.X_valid.T @ (ridge.X_valid @ w - ridge.y_valid) / len(ridge.y_valid)
    return (at_w @ dw).item()


# --8<-- [end:predicted]


def by_autograd(problem: Bilevel, h: Tensor, eta: float, n_steps: int) -> Tensor:
    """The unrolled hypergradient, left to the library."""
    h = h.clone().requires_grad_()
    w = problem.start(h)
    for _ in range(n_steps):
        slope = torch.autograd.grad(problem.inner(w, h), w, create_graph=True)[0]
        w = w - eta * slope
    return torch.autograd.grad(problem.outer(w, h), h)[0]


def by_differences(f: Callable[[float], float], h: float, by: float = 1e-5) -> float:
    """A derivative from two values."""
    return (f(h + by) - f(h - by)) / (2 * by)


def neumann(
    problem: Bilevel, w: Tensor, h: Tensor, eta: float, n_steps: int
) -> list[float]:
    """Implicit hypergradients from the sum v = eta (I + A + A^2 + ...) d outer/dw."""
    H = torch.func.hessian(problem.inner)(w, h)
    at_w = torch.func.grad(problem.outer)(w, h)
    mixed = torch.func.jacfwd(torch.func.grad(problem.inner), argnums=1)(w, h)
    v, found = torch.zeros_like(w), []
    for _ in range(n_steps):
        v = v - eta * (H @ v - at_w)
        found.append(-(mixed.T @ v).item())
    return found


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    check_step_size(config.eta, config.highest)
    ridge = new_ridge(config, streams(seed, 1)[0])
    problem, strength, eta = ridge.problem(), config.strength, config.eta
    h = torch.tensor([strength], dtype=torch.float64)
    exact = ridge.closed_form(strength).item()

    def off(found: float | Tensor) -> float:
        """The relative distance from the closed form."""
        return abs(float(found) - exact) / abs(exact)

    # one path: its first parts are paths
    path = descend(problem, h, eta, config.solved)
    unrolled, same_end, formula = [], [], []
    for number in steps(len(config.lengths)):
        n = config.lengths[number]
        found = reverse(problem, h, eta, path[: n + 1])
        unrolled.append(off(found))
        same_end.append(off(implicit(problem, path[n], h)))
        formula.append(abs(found.item() - predicted(ridge, strength, eta, n)))

    judged = lambda s: problem.outer(ridge.solution(s), h).item()  # noqa: E731
    return {
        "T": np.array(config.lengths),
        "unrolled": np.array(unrolled),
        "implicit": np.array(same_end),
        "formula": max(formula) / abs(exact),
        "q": 1 - eta * config.lowest,
        **solvers(problem, ridge.solution(strength), h, config, off),
        **on_one_path(problem, h, eta, path[: config.short + 1]),
        "reverse_solved": off(reverse(problem, h, eta, path)),
        "forward_solved": off(forward(problem, h, eta, config.solved)),
        "implicit_solved": off(implicit(problem, path[-1], h)),
        "differences": off(by_differences(judged, strength)),
        "exact": exact,
        "d": config.d,
    }


def solvers(
    problem: Bilevel, w: Tensor, h: Tensor, config: Config, off: Callable
) -> dict[str, np.ndarray]:
    """Errors of two ways to solve the linear system at the solution, step by step."""
    conjugate = [implicit(problem, w, h, k) for k in range(1, config.d + 3)]
    plain = neumann(problem, w, h, config.eta, config.n_solve)
    return {"cg": np.array([off(v) for v in conjugate]),
            "neumann": np.array([off(v) for v in plain])}  # fmt: skip


def on_one_path(
    problem: Bilevel, h: Tensor, eta: float, path: list[Tensor]
) -> dict[str, float]:
    """How far three ways along the same few steps are apart."""
    n, backward = len(path) - 1, reverse(problem, h, eta, path)
    return {
        "reverse_forward": relative(backward, forward(problem, h, eta, n)),
        "reverse_autograd": relative(backward, by_autograd(problem, h, eta, n)),
    }


def relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


# --8<-- [end:run]


def rate(m: Measurements, name: str, power: int, start: int = 100) -> float:
    """The measured rate of decline a step, over the rate in theory, log q.

    Fits log(error / T^power) by a line from `start` on.
    """
    late = (m["T"] >= start) & (m[name] > 1e-11)  # above rounding
    log_error = np.log(m[name][late]) - power * np.log(m["T"][late])
    return float(np.polyfit(m["T"][late], log_error, 1)[0] / np.log(m["q"]))


def lag(m: Measurements, T: int = 160) -> float:
    """How many times larger the unrolled error is after T steps from the same end."""
    at = int(np.flatnonzero(m["T"] == T)[0])
    return float(m["unrolled"][at] / m["implicit"][at])


# fmt: off
CLAIMS = [
    Claim("path", lambda m: max(m["reverse_forward"], m["reverse_autograd"]), below(1e-12), "of their size",
          "Along the same path, backward, forward and the library agree to 12 digits.",
          exact=True),
    Claim("solved", lambda m: max(m["reverse_solved"], m["forward_solved"], m["implicit_solved"]),
          below(1e-12), "of the exact value",
          "Once the inner problem is solved, all three give the closed form.",
          exact=True),
    Claim("differences", lambda m: m["differences"], below(1e-6), "of the exact value",
          "Finite differences of the outer error give the closed form to 6 digits.",
          exact=True),
    Claim("formula", lambda m: m["formula"], below(1e-12), "of the exact value",
          "Before that, the unrolled one is what the derived sum says.",
          exact=True),
    Claim("cg", lambda m: float(m["cg"][m["d"] - 1]), below(1e-10), "of the exact value",
          "Conjugate gradients solve the linear system in as many steps as there are weights.",
          exact=True),
    Claim("implicit-rate", lambda m: rate(m, "implicit", 0), equals(1, 0.05), "of the exponent in theory",
          "The implicit error falls by 1 - eta mu a step, to within 5 in 100 of the exponent.",
          digits=3),
    Claim("unrolled-rate", lambda m: rate(m, "unrolled", 1), equals(1, 0.02), "of the exponent in theory",
          "The unrolled error falls as T times (1 - eta mu)^T, to within 2 in 100 of the exponent.",
          digits=3),
    Claim("factor-t", lambda m: rate(m, "unrolled", 0), below(0.96), "of the exponent in theory",
          "Without the factor T the exponent seems too small, by 4 in 100 or more.",
          digits=3),
    Claim("same-end", lag, above(5), "times",
          "From the same unfinished inner solution, after 160 steps, the unrolled error is more than five "
          "times the implicit one."),
    Claim("neumann", lambda m: float(m["neumann"][m["d"] - 1]), above(0.01), "of the exact value",
          "As many steps of the plain sum leave more than one part in a hundred."),
]
# fmt: on

"""Is MAML a hypergradient method?

Source: finn2017 for the outer gradient, rajeswaran2019 for the proximal inner problem
(figure 1 and abstract). The linear tasks are ours: their curvatures are set, so that
theory says where the outer gradient goes as the inner steps grow in number.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.func import grad

from snippets.contract import Claim, Measurements, above, below, equals
from snippets.icl.streams import streams
from snippets.icl.tasks.few_shot import (
    Weights,
    adapt,
    new_weights,
    points,
    sinusoids,
    squared_error,
)
from snippets.icl.theory.bilevel import (
    Bilevel,
    check_step_size,
    descend,
    implicit,
    reverse,
)
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    d: int = 6  # weights of a linear task
    n_many: int = 20  # points that determine them
    n_few: int = 3  # points that do not
    n_asked: int = 40  # points of the outer loss
    lowest: float = 0.1  # curvature that is not zero, mu
    highest: float = 1.0
    proximal: float = 0.1  # lambda of the proximal term
    noise: float = 1.0  # of the points shown
    eta: float = 0.9
    lengths: tuple[int, ...] = (1, 3, 6, *range(10, 161, 10))  # T
    solved: int = 600
    width: int = 10  # of the small network's two hidden layers
    shots: int = 10
    alpha: float = 0.01  # inner step size of the network
    inner_steps: int = 5


PRESETS = {"laptop": Config()}

CASES = ("many", "few", "proximal")


# --8<-- [start:inner]
def maml(
    loss: Callable[[Tensor], Tensor], asked: Callable[[Tensor], Tensor]
) -> Bilevel:
    """MAML: h is the start, and the inner problem does not know it."""
    return Bilevel(lambda w, h: loss(w), lambda w, h: asked(w), start=lambda h: h)


def proximal(
    loss: Callable[[Tensor], Tensor], asked: Callable[[Tensor], Tensor], strength: float
) -> Bilevel:
    """iMAML: leaving the start costs. Raises ValueError for a strength of 0 or less."""
    if strength <= 0:
        raise ValueError(f"proximal strength {strength:g}: choose one above 0")

    def held(w: Tensor, h: Tensor) -> Tensor:
        return loss(w) + strength / 2 * (w - h).square().sum()

    return Bilevel(held, lambda w, h: asked(w), start=lambda h: h)


# --8<-- [end:inner]


@dataclass(frozen=True)
class LinearTask:
    """Points that a linear task shows, and those it asks for."""

    X: Float[Tensor, "shown d"]
    y: Float[Tensor, " shown"]
    X_asked: Float[Tensor, "asked d"]
    y_asked: Float[Tensor, " asked"]

    def loss(self, w: Float[Tensor, " d"]) -> Float[Tensor, ""]:
        return (self.X @ w - self.y).square().mean() / 2

    def asked(self, w: Float[Tensor, " d"]) -> Float[Tensor, ""]:
        return (self.X_asked @ w - self.y_asked).square().mean() / 2

    def flat(self) -> Float[Tensor, "d d"]:
        """Projects on the directions in which the points shown say nothing."""
        s, V = torch.linalg.eigh(self.X.T @ self.X / len(self.y))
        nothing = V[:, s < 1e-10]
        return nothing @ nothing.T


def linear_task(config: Config, n_shown: int, generator: Generator) -> LinearTask:
    """The curvatures that are not zero run from the lowest to the highest."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    rank = min(n_shown, config.d)
    curvatures = torch.logspace(
        math.log10(config.lowest),
        math.log10(config.highest),
        rank,
        dtype=torch.float64,
    )
    V = torch.linalg.qr(normal(config.d, config.d)).Q[:, :rank]
    U = torch.linalg.qr(normal(n_shown, rank)).Q
    X = math.sqrt(n_shown) * U * curvatures.sqrt() @ V.T
    X_asked, w = normal(config.n_asked, config.d), normal(config.d)
    y = X @ w + config.noise * normal(n_shown)
    return LinearTask(X, y, X_asked, X_asked @ w)


# --8<-- [start:linear]
def linear(config: Config, generator: Generator) -> Measurements:
    """Outer gradients of linear tasks, relative to the one that takes no step."""
    start = torch.randn(config.d, generator=generator, dtype=torch.float64)
    many = linear_task(config, config.n_many, generator)
    few = linear_task(config, config.n_few, generator)
    problems = {
        "many": maml(many.loss, many.asked),
        "few": maml(few.loss, few.asked),
        "proximal": proximal(few.loss, few.asked, config.proximal),
    }
    check_step_size(config.eta, config.highest + config.proximal)
    paths = {
        name: descend(problem, start, config.eta, config.solved)
        for name, problem in problems.items()
    }
    ends = {name: path[-1] for name, path in paths.items()}
    limits = {  # where the gradients should go as T grows
        "many": torch.zeros_like(start),
        "few": few.flat() @ grad(few.asked)(ends["few"]),
        "proximal": implicit(problems["proximal"], ends["proximal"], start),
    }
    size: dict[str, list[float]] = {name: [] for name in CASES}
    off: dict[str, list[float]] = {name: [] for name in CASES}
    for name, problem in problems.items():
        whole = grad(problem.outer)(start, start).norm()
        for n in config.lengths:
            found = reverse(problem, start, config.eta, paths[name][: n + 1])
            size[name].append((found.norm() / whole).item())
            off[name].append(((found - limits[name]).norm() / whole).item())
    return {
        **{f"{name}_size": np.array(size[name]) for name in CASES},
        **{f"{name}_off": np.array(off[name]) for name in CASES},
        "implicit_of_many": implicit(problems["many"], ends["many"], start)
        .norm()
        .item(),
        "start_needed": (
            limits["few"].norm() / grad(few.asked)(ends["few"]).norm()
        ).item(),
        "few_has_none": float(refuses(problems["few"], ends["few"], start)),
    }


def refuses(problem: Bilevel, w: Tensor, h: Tensor) -> bool:
    """Whether there is no single inner solution to differentiate at w."""
    try:
        implicit(problem, w, h)
    except ValueError:
        return True
    return False


# --8<-- [end:linear]


# --8<-- [start:network]
def flattened(weights: Weights) -> tuple[Tensor, Callable[[Tensor], Weights]]:
    """All weights as one vector, and the way back."""
    sizes = [part.numel() for part in weights]

    def unflatten(w: Tensor) -> Weights:
        parts = w.split(sizes)
        return [part.reshape(like.shape) for part, like in zip(parts, weights)]

    return torch.cat([part.flatten() for part in weights]), unflatten


def sinusoid(config: Config, generator: Generator) -> Measurements:
    """The same questions of a small network and one sinusoid."""
    weights = new_weights((1, config.width, config.width, 1), generator)
    start, unflatten = flattened([part.double() for part in weights])
    task = sinusoids(1, generator)
    x, y = (t.double() for t in points(task, config.shots, generator))
    x_asked, y_asked = (t.double() for t in points(task, config.shots, generator))
    loss = lambda w: squared_error(unflatten(w), x[0], y[0])  # noqa: E731
    asked = lambda w: squared_error(unflatten(w), x_asked[0], y_asked[0])  # noqa: E731

    def trained(first_order: bool) -> Tensor:
        """The outer gradient as the training of MAML computes it."""
        h = start.clone().requires_grad_()
        w = adapt(unflatten(h), x, y, config.alpha, config.inner_steps, first_order)
        return torch.autograd.grad(squared_error(w, x_asked, y_asked).sum(), h)[0]

    path = descend(maml(loss, asked), start, config.alpha, config.inner_steps)
    by_hand = reverse(maml(loss, asked), start, config.alpha, path)
    return {
        "identity": relative(trained(False), by_hand),
        "first_identity": relative(trained(True), grad(asked)(path[-1])),
        "first_off": relative(trained(True), by_hand),
    }


# --8<-- [end:network]


def relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


def run(config: Config, seed: int) -> Measurements:
    measured: dict = {}
    for part, generator in zip(steps(2), streams(seed, 2)):
        measured |= (linear, sinusoid)[part](config, generator)
    T, q = np.array(config.lengths), 1 - config.eta * config.lowest
    return measured | {"T": T, "q": q}


def rate(m: Measurements, name: str, curvature: float, eta: float) -> float:
    """The measured rate of decline a step, over that of this curvature in theory."""
    off = m[f"{name}_off"]
    late = (m["T"] >= 60) & (off > 1e-11)  # above rounding
    slope = np.polyfit(m["T"][late], np.log(off[late]), 1)[0]
    return float(slope / np.log(1 - eta * curvature))


SET = PRESETS["laptop"]

# fmt: off
CLAIMS = [
    Claim("identity", lambda m: m["identity"], below(1e-12), "of its size",
          "On the network, MAML's outer gradient is the unrolled hypergradient whose hyperparameter is the "
          "start, to 12 digits.",
          exact=True),
    Claim("first-order", lambda m: m["first_identity"], below(1e-12), "of its size",
          "The first-order variant is the outer slope at the end of the path, to 12 digits.",
          exact=True),
    Claim("implicit-zero", lambda m: m["implicit_of_many"], equals(0), "",
          "Where the points determine the weights, the implicit hypergradient is exactly zero.",
          exact=True),
    Claim("no-solution", lambda m: m["few_has_none"], equals(1), "of 1",
          "Where they do not, the linear system is singular: there is no single inner solution.",
          exact=True),
    Claim("vanishes", lambda m: rate(m, "many", SET.lowest, SET.eta), equals(1, 0.05), "of the exponent in theory",
          "Where the points determine the weights, the outer gradient falls as (1 - eta mu)^T, to within 5 "
          "in 100 of the exponent.",
          digits=3),
    Claim("stays", lambda m: float(m["few_size"][-1]), above(0.05), "of its size without a step",
          "Where they do not, the outer gradient keeps more than a twentieth of its size however many steps "
          "are taken."),
    Claim("flat", lambda m: rate(m, "few", SET.lowest, SET.eta), equals(1, 0.05), "of the exponent in theory",
          "What it keeps is the outer slope along the directions without curvature; the rest falls as (1 - "
          "eta mu)^T, to within 5 in 100 of the exponent.",
          digits=3),
    Claim("proximal", lambda m: rate(m, "proximal", SET.lowest + SET.proximal, SET.eta),
          equals(1, 0.05), "of the exponent in theory",
          "With a proximal term the unrolled one goes to the implicit one, as (1 - eta (mu + lambda))^T, to "
          "within 5 in 100 of the exponent.",
          digits=3),
]
# fmt: on

"""Bilevel problems, and three ways to differentiate through the solution of the inner
one: backward along the path that led there, forward along it, or at its end alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, jacfwd, jvp, vjp


# --8<-- [start:problem]
@dataclass(frozen=True)
class Bilevel:
    """Choose h so that outer(w, h) is small, where w minimises inner(w, h).

    w: (p,) is found by gradient descent from start(h); h: (m,) holds what is chosen
    outside: hyperparameters, or an initialisation.
    """

    inner: Callable[[Tensor, Tensor], Tensor]
    outer: Callable[[Tensor, Tensor], Tensor]
    start: Callable[[Tensor], Tensor]

    def step(self, eta: float) -> Callable[[Tensor, Tensor], Tensor]:
        """One inner step, as a map from (w, h) to the next w."""
        slope = grad(self.inner)
        return lambda w, h: w - eta * slope(w, h)


def descend(
    problem: Bilevel, h: Float[Tensor, " m"], eta: float, n_steps: int
) -> list[Float[Tensor, " p"]]:
    """The path w_0 ... w_T. Raises ValueError for no step, and where steps diverge."""
    step, path = problem.step(eta), [problem.start(h)]
    for _ in range(n_steps):
        path.append(step(path[-1], h))
    check_path(problem, path, h, eta)
    return path


# --8<-- [end:problem]


def check_path(
    problem: Bilevel, path: list[Tensor], h: Float[Tensor, " m"], eta: float
) -> None:
    """Raises ValueError for a path without a step, and for one that diverges."""
    if len(path) < 2:
        raise ValueError("0 inner steps: take at least 1")
    first, last = (grad(problem.inner)(w, h).norm() for w in (path[0], path[-1]))
    if not last <= 1e3 * first:  # growing, or not a number
        check_step_size(eta, curvature(problem, path[0], h))
        raise ValueError(
            f"inner step size {eta:g} diverges on the way: choose a smaller one"
        )


def curvature(
    problem: Bilevel, w: Float[Tensor, " p"], h: Float[Tensor, " m"]
) -> float:
    """The largest eigenvalue of the inner problem's Hessian at w."""
    hessian = jacfwd(lambda u: grad(problem.inner)(u, h))(w)
    return torch.linalg.eigvalsh(hessian)[-1].item()


def check_step_size(eta: float, largest: float) -> None:
    """Along a direction of curvature c a step multiplies the error by 1 - eta c.
    Raises ValueError where that is not below 1 in size for the largest curvature.
    """
    if not 0 < eta < 2 / largest:
        raise ValueError(
            f"inner step size {eta:g} diverges: the largest curvature is "
            f"{largest:.3g}, so it must lie between 0 and 2/{largest:.3g} = "
            f"{2 / largest:.3g}"
        )


# --8<-- [start:reverse]
def reverse(
    problem: Bilevel, h: Float[Tensor, " m"], eta: float, path: list[Tensor]
) -> Float[Tensor, " m"]:
    """The unrolled hypergradient: walk a path of `descend` back, all its T + 1 points.

    The first t + 1 points of a path are the path of t steps.
    """
    step = problem.step(eta)
    a, dh = grad(problem.outer, argnums=(0, 1))(path[-1], h)
    for w in reversed(path[:-1]):
        pull_back = vjp(step, w, h)[1]
        a, here = pull_back(a)  # A^T a and B^T a
        dh = dh + here
    pull_back = vjp(problem.start, h)[1]
    return dh + pull_back(a)[0]


# --8<-- [end:reverse]


# --8<-- [start:forward]
def forward(
    problem: Bilevel, h: Float[Tensor, " m"], eta: float, n_steps: int
) -> Float[Tensor, " m"]:
    """The same number, from the start on. Keeps one point, and J = dw/dh: (p, m)."""
    step = problem.step(eta)
    w, J = problem.start(h), jacfwd(problem.start)(h)
    for _ in range(n_steps):
        A, B = jacfwd(step, argnums=(0, 1))(w, h)
        w, J = step(w, h), A @ J + B
    at_w, at_h = grad(problem.outer, argnums=(0, 1))(w, h)
    return at_h + J.T @ at_w


# --8<-- [end:forward]


# --8<-- [start:implicit]
def implicit(
    problem: Bilevel,
    w: Float[Tensor, " p"],
    h: Float[Tensor, " m"],
    n_cg: int | None = None,
) -> Float[Tensor, " m"]:
    """The hypergradient as if w were the inner solution, however it was found.

    Solves (d2 inner / dw2) v = d outer / dw with `n_cg` steps of conjugate gradients,
    or as many as it takes.
    """
    at_w, at_h = grad(problem.outer, argnums=(0, 1))(w, h)
    slope = grad(problem.inner)
    hessian_times = lambda v: jvp(lambda u: slope(u, h), (w,), (v,))[1]  # noqa: E731
    v = conjugate_gradients(hessian_times, at_w, n_cg)
    pull_back = vjp(lambda h: slope(w, h), h)[1]
    return at_h - pull_back(v)[0]


def conjugate_gradients(
    times: Callable[[Tensor], Tensor],
    b: Float[Tensor, " p"],
    n_steps: int | None = None,
    tolerance: float = 1e-14,
) -> Float[Tensor, " p"]:
    """Solve A v = b, given v -> A v for a symmetric A. Raises ValueError where A has a
    direction without curvature.
    """
    v, residual = torch.zeros_like(b), b
    direction, square = b, b @ b
    for _ in range(10 * len(b) if n_steps is None else n_steps):
        if square <= tolerance**2 * (b @ b):
            return v
        along = times(direction)
        bend = direction @ along
        if bend <= 1e-12 * (direction @ direction):
            raise ValueError(
                f"the inner problem has a direction of curvature {bend:.1e}: it has no "
                "single solution to differentiate; add a ridge or proximal term"
            )
        v = v + square / bend * direction
        residual = residual - square / bend * along
        square, before = residual @ residual, square
        direction = residual + square / before * direction
    return v


# --8<-- [end:implicit]

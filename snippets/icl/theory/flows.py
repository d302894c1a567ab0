"""Gradient flow on one prompt, w' = -(C w - b) from w = 0, three ways, and its Euler steps.

C = X'X / n and b = X'y / n are those of the prompt's examples. L layers that take a step
of size T / L each walk along the flow up to time T, and are off it by about 1 / L.

Errors: ValueError where there is no layer or no example, where C is no covariance, and
where a step is so long that the walk does not end (`longest_step`).
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import solve_ivp
from torch import Tensor

from snippets.icl.theory.oracles import check_examples

Spread = Float[Tensor, "d1 d2"]  # C, checked to be square
Vector = Float[Tensor, "d"]


# --8<-- [start:flow]
def flow(C: Spread, b: Vector, time: float) -> Vector:
    """w(T) = (1 - exp(-mu T)) / mu along each eigenvector of C, times b; T where mu = 0."""
    mu, U = torch.linalg.eigh(checked(C, b))
    reached = torch.where(mu * time < 1e-12, time, -torch.expm1(-mu * time) / mu)
    return U @ (reached * (U.mT @ b))


def flow_by_exponential(C: Spread, b: Vector, time: float) -> Vector:
    """The same from one matrix exponential: w(T) is a corner of exp(T [[-C, b], [0, 0]])."""
    d = len(b)
    joined = torch.zeros(d + 1, d + 1, dtype=C.dtype)
    joined[:d, :d], joined[:d, d] = -checked(C, b), b
    return torch.linalg.matrix_exp(time * joined)[:d, d]


def flow_by_steps(C: Spread, b: Vector, time: float) -> Vector:
    """The same by a solver that knows neither."""
    matrix, pull = checked(C, b).double().numpy(), b.double().numpy()
    solved = solve_ivp(
        lambda _, w: pull - matrix @ w,
        (0, time),
        np.zeros(len(pull)),
        rtol=1e-12,
        atol=1e-13,
        method="DOP853",
    )
    return torch.from_numpy(solved.y[:, -1]).to(C.dtype)


# --8<-- [end:flow]


# --8<-- [start:euler]
def euler(C: Spread, b: Vector, time: float, n_layers: int) -> Float[Tensor, "step d"]:
    """w after 0, 1, ... n_layers steps of size time / n_layers."""
    if n_layers < 1:
        raise ValueError(f"{n_layers} layers: there must be at least 1")
    w, path, size = torch.zeros_like(b), [torch.zeros_like(b)], time / n_layers
    if size >= longest_step(checked(C, b)):
        raise ValueError(
            f"a step of {size:.3g} diverges: take more than {time / longest_step(C):.0f} "
            "layers"
        )
    for _ in range(n_layers):
        w = w - size * (C @ w - b)
        path.append(w)
    return torch.stack(path)


def longest_step(C: Spread) -> float:
    """2 / mu_max: from there on a step sends some direction further off than it was."""
    return 2 / torch.linalg.eigvalsh(C)[-1].item()


def first_order(C: Spread, b: Vector, time: float) -> Vector:
    """What L times the error comes to for many layers: (T^2 / 2) C exp(-C T) b, added."""
    mu, U = torch.linalg.eigh(checked(C, b))
    return U @ (time**2 / 2 * mu * torch.exp(-mu * time) * (U.mT @ b))


# --8<-- [end:euler]


def of_examples(
    x: Float[Tensor, "n d"], y: Float[Tensor, "n"]
) -> tuple[Spread, Vector]:
    """C and b of one prompt."""
    check_examples(x, y)
    return x.mT @ x / len(x), x.mT @ y / len(x)


def checked(C: Tensor, b: Tensor) -> Tensor:
    """Raise ValueError, in words, where the flow does not exist or does not end."""
    if C.shape != (len(b), len(b)):
        raise ValueError(f"C is {tuple(C.shape)} and b has d = {len(b)}: give one d")
    least = torch.linalg.eigvalsh(C)[0].item()
    if least < -1e-9 * C.abs().max().item() or not math.isfinite(least):
        raise ValueError(
            f"C has the eigenvalue {least:.3g}: a covariance has none below 0, and "
            "along this one the flow would run away"
        )
    return C

"""The gradient flow of the three numbers, written out, up to the edge of the cliff.

The loss is that of `three_exponentials`. A label token sees `others` tokens beside its
own item: N on average, which is the formula's context; or 2k - 1 for label k of N,
which is the truth. With the true ones loss and log-odds are means over the N pairs.
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.integrate import solve_ivp
from torch import Tensor

from snippets.icl.theory.three_exponentials import EXACT, Phis, loss

Numbers = Float[ndarray, "3"]  # xi, alpha, beta
Others = Float[ndarray, "kind"]


def average_context(n_pairs: int) -> Others:
    return np.array([float(n_pairs)])


def true_contexts(n_pairs: int) -> Others:
    return 2.0 * np.arange(1, n_pairs + 1) - 1


# --8<-- [start:flow]
SOLVER: dict[str, Any] = {"method": "LSODA", "rtol": 1e-8, "atol": 1e-10}


def gradient(
    theta: Float[Tensor, "*batch 3"], n_pairs: int, n_labels: int, phis: Phis = EXACT
) -> Float[Tensor, "*batch 3"]:
    """d loss / d (xi, alpha, beta)."""
    theta = theta.detach().requires_grad_()
    return torch.autograd.grad(loss(theta, n_pairs, n_labels, phis).sum(), theta)[0]


def flow(
    start: Float[Tensor, "3"],
    times: Float[ndarray, "time"],
    n_pairs: int,
    n_labels: int,
    phis: Phis = EXACT,
) -> Float[Tensor, "time 3"]:
    """theta at `times`: d theta / dt = - d loss / d theta, from `start` at t = 0."""

    def velocity(t: float, theta: ndarray) -> ndarray:
        return -gradient(torch.from_numpy(theta), n_pairs, n_labels, phis).numpy()

    span = (0, times[-1])
    solved = solve_ivp(velocity, span, start.numpy(), t_eval=times, **SOLVER)
    return torch.from_numpy(solved.y.T.copy())


# --8<-- [end:flow]


# --8<-- [start:velocity]
def velocity(
    theta: Numbers, n_pairs: int, n_labels: int, others: Others | None = None
) -> Numbers:
    """- d loss / d theta written out: far faster than autograd, and for both contexts."""
    others = average_context(n_pairs) if others is None else others
    xi, alpha, beta = theta
    y = math.exp(beta) / (math.exp(beta) + others)  # (kind,), as everything below
    match = np.exp(alpha * y)
    total = match + 2 * n_pairs
    z, z_other = match / total, 1 / total
    right, wrong = np.exp(xi * z), (n_pairs - 1) * np.exp(xi * z_other)
    everything = right + wrong + n_labels - n_pairs
    p, p_wrong = right / everything, wrong / everything

    along_xi = (1 - p) * z - p_wrong * z_other
    # z and z_other move by 2N match / total^2 and - match / total^2 per unit of alpha y
    along_match = xi * match / total**2 * (2 * n_pairs * (1 - p) + p_wrong)
    ways = (along_xi, along_match * y, along_match * alpha * y * (1 - y))
    return np.array([way.mean() for way in ways])


# --8<-- [end:velocity]


def log_odds(theta: Numbers, n_pairs: int, others: Others) -> float:
    """u, the log-odds of the correct label against another one of the context."""
    xi, alpha, beta = theta
    match = np.exp(alpha * math.exp(beta) / (math.exp(beta) + others))
    return float((xi * (match - 1) / (match + 2 * n_pairs)).mean())


# --8<-- [start:edge]
def edge(
    start: Numbers,
    n_pairs: int,
    n_labels: int,
    rate: float = 1.0,
    others: Others | None = None,
) -> tuple[float, Numbers]:
    """When and where u reaches 1 on the flow from `start`; infinity: not by 10^6.
    Alpha and beta learn at `rate`, and xi at 1."""
    seen = average_context(n_pairs) if others is None else others
    speeds = np.array([1, rate, rate])

    def move(t: float, theta: ndarray) -> ndarray:
        return speeds * velocity(theta, n_pairs, n_labels, seen)

    def u_minus_1(t: float, theta: ndarray) -> float:
        return log_odds(theta, n_pairs, seen) - 1

    u_minus_1.terminal = True  # type: ignore[attr-defined]  # the flow stops there
    solved = solve_ivp(
        move, (0, 1e6), start, "LSODA", events=u_minus_1, rtol=1e-8, atol=1e-12
    )
    arrived = bool(len(solved.t_events[0]))
    return float(solved.t[-1]) if arrived else math.inf, solved.y[:, -1]


# --8<-- [end:edge]

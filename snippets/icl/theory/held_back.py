"""The idealised head held back by a penalty: where it comes to rest.

The loss of `three_exponentials` plus decay / 2 times the squared length of (xi, alpha,
beta). At rest the pull of the loss on each number equals decay times that number. So
the decay that belongs to a state can be read off the state, and all states lie on a
curve that alpha runs along. In the average context.

Source: ours. That two states which are stable at one value of a parameter, with a jump
and a loop between them, mark a transition of first order is textbook mean-field theory.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.integrate import solve_ivp
from torch import Tensor

from snippets.icl.theory.head_flow import Numbers, gradient, velocity
from snippets.icl.theory.three_exponentials import first_layer, second_layer

Values = Float[ndarray, "alpha"]
States = Float[Tensor, "alpha 3"]  # xi, alpha, beta at rest
HALVINGS = 70  # of an interval, by bisection


def check(n_pairs: int, n_labels: int) -> None:
    """Raise ValueError where there is no such head."""
    if n_pairs < 1 or n_labels < max(n_pairs, 2):
        raise ValueError(
            f"n_pairs = {n_pairs} and n_labels = {n_labels}: give one pair or more, and "
            "at least as many labels, two or more"
        )


# --8<-- [start:states]
def tied_beta(alpha: Float[Tensor, "alpha"], n_pairs: int) -> Float[Tensor, "alpha"]:
    """At rest beta = alpha^2 (1 - y): the pulls on alpha and beta have that ratio."""
    low, high = torch.zeros_like(alpha), alpha**2
    for _ in range(HALVINGS):
        beta = (low + high) / 2
        short = beta < alpha**2 * (1 - first_layer(beta, n_pairs))
        low, high = torch.where(short, beta, low), torch.where(short, high, beta)
    return (low + high) / 2


def states_at_rest(
    alphas: Values, n_pairs: int, n_labels: int
) -> tuple[Values, States]:
    """For each alpha over 0 the decay at which the flow rests there, and the state.

    xi solves pull on xi / xi = pull on alpha / alpha; both are then the decay.
    """
    check(n_pairs, n_labels)
    alpha = torch.from_numpy(alphas)
    beta = tied_beta(alpha, n_pairs)
    low, high = torch.full_like(alpha, -14.0), torch.full_like(alpha, 3.4)  # ln xi
    for _ in range(HALVINGS):
        theta = torch.stack([((low + high) / 2).exp(), alpha, beta], -1)
        pull = -gradient(theta, n_pairs, n_labels)
        short = pull[:, 0] * theta[:, 1] > pull[:, 1] * theta[:, 0]
        low = torch.where(short, (low + high) / 2, low)
        high = torch.where(short, high, (low + high) / 2)
    return (pull[:, 0] / theta[:, 0]).numpy(), theta


# --8<-- [end:states]


# --8<-- [start:folds]
def folds(alphas: Values, n_pairs: int, n_labels: int) -> tuple[float, float]:
    """The decays between which two states are stable: below the first the flow leaves
    the plateau, above the second it loses the head.

    As alpha grows along the curve the decay falls on the plateau (with L = N the
    plateau is the origin, where the curve begins), rises on the branch between, and
    falls again on the head.
    """
    decay, _ = states_at_rest(alphas, n_pairs, n_labels)
    rises = np.flatnonzero(np.diff(decay) > 0)
    if not len(rises):
        raise ValueError(
            f"n_pairs = {n_pairs} and n_labels = {n_labels}: the curve of states never "
            "turns back, so nothing ends; give two pairs or more"
        )
    return float(decay[rises[0]]), float(decay[rises[-1] + 1])


# --8<-- [end:folds]


def attention(theta: States, n_pairs: int) -> Float[Tensor, "alpha"]:
    """z: the target's attention to the right label."""
    _, alpha, beta = theta.unbind(-1)
    return second_layer(alpha * first_layer(beta, n_pairs), n_pairs)[0]


# --8<-- [start:settle]
def settle(start: Numbers, decay: float, n_pairs: int, n_labels: int) -> Numbers:
    """Where the flow, held back by the decay, comes to rest from a start."""
    if decay <= 0:
        raise ValueError(f"decay = {decay}: give one over 0, or it never rests")

    def move(t: float, theta: ndarray) -> ndarray:
        return velocity(theta, n_pairs, n_labels) - decay * theta

    # the slowest rate near rest is of the order of the decay, slower close to a fold
    span = (0, 1000 / decay)
    return solve_ivp(move, span, start, "LSODA", rtol=1e-8, atol=1e-10).y[:, -1]


# --8<-- [end:settle]

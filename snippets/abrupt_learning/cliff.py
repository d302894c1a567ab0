"""Must in-context learning come all at once?

An idealised induction head has three numbers: xi in its classifier, alpha in its second
layer, beta in its first. Each sits in an exponential, and each exponential in the next.
Here the head's loss is a formula, training is the gradient flow on it, and what the
flow does can be predicted with pencil and paper.

Source: reddy2024, abstract: abrupt learning is traced to "the sequential learning of
three nested logits enabled by an intrinsic curriculum". What differs: the loss is our
reconstruction, in the average context; the paper's printed equation was not at hand.
The integral of the flow, the time to the edge and the linearised variants are ours.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from torch import Tensor

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    equals,
)
from snippets.icl.theory.three_exponentials import (
    EXACT,
    Phi,
    context_mass,
    first_layer,
    linear,
    log_odds,
    loss,
)

Phis = tuple[Phi, Phi, Phi]


@dataclass(frozen=True)
class Config:
    n_pairs: int = 8  # N
    n_labels: int = 32  # L
    start: float = 0.01  # spread of xi, alpha and beta at the start
    until: float = 1000.0  # how long the flow runs, about ten times what it needs
    n_times: int = 4000  # moments of a flow, in equal steps of ln t from t = 1
    grid_pairs: tuple[int, ...] = (3, 6, 12, 24)  # N, for the time to the edge
    grid_ratios: tuple[float, ...] = (1.5, 3.0, 6.0, 20.0)  # L / N
    rates: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)  # of alpha and beta; xi has 1
    slices: tuple[float, ...] = (0.0, 1.5, 3.0)  # beta at which the landscape is cut


PRESETS = {"laptop": Config()}


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


# --8<-- [start:edge]
def edge(
    start: Float[Tensor, "3"], n_pairs: int, n_labels: int, rate: float = 1.0
) -> tuple[float, Float[Tensor, "3"]]:
    """When and where u reaches 1 on the flow from `start`. Alpha and beta learn at
    `rate`, and xi at 1."""
    speeds = torch.tensor([1, rate, rate], dtype=torch.float64)

    def velocity(t: float, theta: ndarray) -> ndarray:
        return -(speeds * gradient(torch.from_numpy(theta), n_pairs, n_labels)).numpy()

    def u_minus_1(t: float, theta: ndarray) -> float:
        return float(log_odds(torch.from_numpy(theta), n_pairs)) - 1

    u_minus_1.terminal = True  # type: ignore[attr-defined]  # the flow stops there
    span = (0, 1e6)
    solved = solve_ivp(velocity, span, start.numpy(), events=u_minus_1, **SOLVER)
    if not len(solved.t_events[0]):
        return math.inf, torch.from_numpy(solved.y[:, -1].copy())  # never
    return float(solved.t_events[0][0]), torch.from_numpy(solved.y_events[0][0].copy())


# --8<-- [end:edge]


# --8<-- [start:predict]
def time_at(s: float, n_pairs: int, n_labels: int) -> float:
    """When s = xi / (2N + 1) is reached while alpha is still nearly 0."""
    absent = n_labels - n_pairs
    return (2 * n_pairs + 1) ** 2 * (n_pairs * math.expm1(s) + absent * s) / absent


def push_at(s: float, n_pairs: int, n_labels: int) -> float:
    """The push on alpha by then, per unit of y: the integral of d alpha / y."""
    absent, tokens = n_labels - n_pairs, 2 * n_pairs + 1
    against_others = (n_pairs - 1) * ((s - 1) * math.exp(s) + 1)
    against_absent = absent * n_pairs / tokens * s**2
    return tokens**2 / absent * (against_others + against_absent)


def predicted_edge(n_pairs: int, n_labels: int, push: float) -> float:
    """When the push reaches `push`."""
    s = brentq(lambda s: push_at(s, n_pairs, n_labels) - push, 0, 20)
    return time_at(s, n_pairs, n_labels)


def push_if_beta_follows(n_pairs: int) -> float:
    return (n_pairs + 1) * math.sqrt(math.pi / 2)


def push_if_beta_stays(n_pairs: int) -> float:
    return (n_pairs + 1) ** 2  # alpha y0 = 1 with y0 = 1 / (N + 1)


# --8<-- [end:predict]


# --8<-- [start:steepness]
def steepness(
    theta: Float[Tensor, "time 3"],
    times: Float[ndarray, "time"],
    n_pairs: int,
    n_labels: int,
    phis: Phis = EXACT,
) -> Float[ndarray, "time"]:
    """- d loss / d ln t, in nats per e-fold of time."""
    # on the flow, d loss / dt = - |gradient|^2
    return times * gradient(theta, n_pairs, n_labels, phis).square().sum(-1).numpy()


VARIANTS: dict[str, Phis] = {
    "exact": EXACT,
    "first layer linear": (linear, torch.exp, torch.exp),
    "second layer linear": (torch.exp, linear, torch.exp),
    "classifier linear": (torch.exp, torch.exp, linear),
    "all three linear": (linear, linear, linear),
}
# --8<-- [end:steepness]


# --8<-- [start:surface]
def beta_on_the_flow(alpha: float, n_pairs: int) -> float:
    """The beta that goes with alpha on a flow from the origin:
    alpha^2 / 2 = beta + (e^beta - 1) / N."""
    return brentq(lambda beta: beta + math.expm1(beta) / n_pairs - alpha**2 / 2, 0, 50)


# --8<-- [end:surface]


def landscapes(config: Config) -> Measurements:
    """The loss over alpha and xi, with beta fixed and with the beta of the flow."""
    alpha = torch.linspace(0, 7, 57, dtype=torch.float64)
    xi = torch.linspace(0, 10, 51, dtype=torch.float64)
    betas = [beta_on_the_flow(float(a), config.n_pairs) for a in alpha]
    follows = torch.tensor(betas, dtype=torch.float64)

    def over(beta: Float[Tensor, "alpha"]) -> ndarray:
        numbers = torch.broadcast_tensors(xi[:, None], alpha, beta)  # each (xi, alpha)
        return loss(torch.stack(numbers, -1), config.n_pairs, config.n_labels).numpy()

    cuts = np.stack([over(torch.full_like(alpha, beta)) for beta in config.slices])
    return {
        "axis_alpha": alpha.numpy(),
        "axis_xi": xi.numpy(),
        "surface": over(follows),
        "cuts": cuts,
    }


def average_context(theta: Float[Tensor, "time 3"], config: Config) -> float:
    """Most that the loss on the flow differs from its mean over the pairs, where label
    k sees 2k - 1 other tokens."""
    n, labels = config.n_pairs, config.n_labels
    xi, alpha, beta = theta.unbind(-1)
    y = first_layer(beta, n)
    per_pair = []
    for k in range(1, n + 1):
        y_k = beta.exp() / (beta.exp() + 2 * k - 1)
        # the same formula, with y_k in the place of y
        as_if = torch.stack([xi, alpha * y_k / y, beta], -1)
        per_pair.append(loss(as_if, n, labels))
    difference = torch.stack(per_pair).mean(0) - loss(theta, n, labels)
    return float(difference.abs().max())


def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    n, labels = config.n_pairs, config.n_labels
    sizes = torch.randn(3, dtype=torch.float64, generator=generator).abs()
    start = config.start * sizes
    times = np.geomspace(1, config.until, config.n_times)

    # the flow, exact and with exponentials replaced by their tangents
    flows = [(flow(start, times, n, labels, phis), phis) for phis in VARIANTS.values()]
    losses = [loss(path, n, labels, phis).numpy() for path, phis in flows]
    steepest = [steepness(path, times, n, labels, phis).max() for path, phis in flows]
    path = flows[0][0]

    # the time to the edge over a grid of N and L
    grid = [(p, round(p * r)) for p in config.grid_pairs for r in config.grid_ratios]
    edges = [edge(start, *point)[0] for point in grid]
    follows = [predicted_edge(*point, push_if_beta_follows(point[0])) for point in grid]
    stays = [predicted_edge(*point, push_if_beta_stays(point[0])) for point in grid]

    # the same as alpha and beta learn more slowly
    by_rate = [edge(start, n, labels, rate) for rate in config.rates]
    masses = [float(context_mass(theta, n, labels)) for _, theta in by_rate]

    # what a start ten times nearer to the origin delays, with labels that the context
    # does not show and without
    delay = edge(start / 10, n, labels)[0] / by_rate[0][0]
    equal, equal_near = edge(start, n, n)[0], edge(start / 10, n, n)[0]

    origin = torch.zeros(3, dtype=torch.float64)
    return {
        "time": times,
        "path": path.numpy(),
        "losses": np.stack(losses),
        "steepest": np.array(steepest),
        "grid": np.array(grid),
        "edges": np.array(edges),
        "edges_predicted": np.array(follows),
        "edges_if_beta_stays": np.array(stays),
        "edge": by_rate[0][0],
        "edge_predicted": predicted_edge(n, labels, push_if_beta_follows(n)),
        "context_mass_by_rate": np.array(masses),
        "delay": delay,
        "delay_at_equality": equal_near / equal,
        "edge_at_equality": equal,
        "slope": -float(gradient(origin, n, labels)[0]),
        "slope_predicted": (labels - n) / (labels * (2 * n + 1)),
        "gradient_at_equality": float(gradient(origin, n, n).abs().max()),
        "average_context": average_context(path, config),
        **landscapes(config),
    }


def middle(m: Measurements) -> int:
    """The moment at which the exact flow's loss has come down to half of what it was:
    the middle of the fall."""
    losses = m["losses"][0]
    return int(np.argmax(losses < losses[0] / 2))


def shares_halfway(m: Measurements) -> np.ndarray:
    """The share of their values in the middle of the fall that (xi, alpha, beta) have
    after half of that time."""
    half = int(np.searchsorted(m["time"], m["time"][middle(m)] / 2))
    return m["path"][half] / m["path"][middle(m)]


# fmt: off
CLAIMS = [
    Claim("slope", lambda m: float(m["slope"]), equals(24 / (32 * 17), 1e-12), "nats per unit of xi",
          "At the origin the loss falls with xi at the rate (L - N) / (L (2N + 1)), and autograd agrees."),
    Claim("critical", lambda m: float(m["gradient_at_equality"]), below(1e-12), "nats per unit",
          "With L = N every derivative of the loss vanishes at the origin.",
          Reported("reddy2024", "author's reply in the public reviews (OpenReview aN4Jf6Cx69)",
                   "the origin is a critical point of the loss only when L = N", REPRODUCED)),
    Claim("order", lambda m: float((shares_halfway(m)[:-1] / shares_halfway(m)[1:]).min()),
          above(2), "times the share of the next",
          "xi moves first, then alpha, then beta: half-way to the middle of the fall, xi has covered over "
          "twice alpha's share of its way, and alpha over twice beta's.",
          Reported("reddy2024", "abstract", "three nested logits are learned one after another", REPRODUCED)),
    Claim("early-edge", lambda m: float(m["context_mass_by_rate"][0]), below(0.5), "of the probability at the edge",
          "The flow goes over the edge before the labels of the context hold half of the probability: it "
          "does not rest at ln N."),
    Claim("slow-attention", lambda m: float(m["context_mass_by_rate"][-1]),
          above(0.9), "of the probability at the edge",
          "Where alpha and beta learn a thousand times more slowly than xi, the labels of the context hold "
          "over nine tenths of the probability at the edge."),
    Claim("soften-first", lambda m: float(m["steepest"][0] / m["steepest"][1]), above(1.5), "times less steep",
          "Linearising the first layer's exponential makes the steepest fall at least 1.5 times less steep."),
    Claim("soften-second", lambda m: float(m["steepest"][0] / m["steepest"][2]), above(5), "times less steep",
          "Linearising the second layer's exponential makes it at least 5 times less steep, the most of the "
          "three."),
    Claim("soften-classifier", lambda m: float(m["steepest"][0] / m["steepest"][3]), above(3), "times less steep",
          "Linearising the classifier's exponential makes it at least 3 times less steep."),
    Claim("soften-all", lambda m: float(m["steepest"][4]), below(3), "nats per e-fold of time",
          "With all three linear there is no cliff: the loss never falls faster than 3 nats per e-fold of "
          "time."),
    Claim("edge", lambda m: float(np.abs(m["edges_predicted"] / m["edges"] - 1).max() * 100), below(15), "% at worst",
          "The predicted time to the edge is within 15 % of the measured one for every N and L > N of the "
          "grid."),
    Claim("edge-if-beta-stays", lambda m: float((m["edges_if_beta_stays"] / m["edges"]).min()),
          above(1.5), "times too late at best",
          "A prediction that leaves beta at 0 comes at least 1.5 times too late for every N and L > N of the "
          "grid."),
    Claim("start", lambda m: float(m["delay"] - 1) * 100, below(5), "% later",
          "With L > N a start ten times nearer to the origin delays the edge by less than 5 %."),
    Claim("saddle", lambda m: float(m["delay_at_equality"] - 1) * 100, above(25), "% later",
          "With L = N a start ten times nearer to the origin delays the edge by more than 25 %."),
]
# fmt: on

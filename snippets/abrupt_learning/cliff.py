"""Must in-context learning come all at once?

An idealised induction head has three numbers: xi in its classifier, alpha in its second
layer, beta in its first. Each sits in an exponential, and each exponential in the next.
Here the head's loss is a formula, training is the gradient flow on it, and what the
flow does can be predicted with pencil and paper.

Source: reddy2024, abstract: abrupt learning is traced to "the sequential learning of
three nested logits enabled by an intrinsic curriculum". What differs: the loss is our
reconstruction, in the average context; the paper's printed equation was not at hand.
The integral of the flow, the time to the edge, the linearised variants, and the flow in
the true contexts beside that in the average one are ours.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq
from torch import Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.theory.head_flow import Others, edge, flow, gradient, true_contexts
from snippets.icl.theory.three_exponentials import (
    EXACT,
    Phis,
    context_mass,
    linear,
    loss,
)


@dataclass(frozen=True)
class Config:
    n_pairs: int = 8  # N
    n_labels: int = 32  # L
    start: float = 0.01  # spread of xi, alpha and beta at the start
    until: float = 1000.0  # how long the flow runs, about ten times what it needs
    n_times: int = 4000  # moments of a flow, in equal steps of ln t from t = 1
    keep_every: int = 10  # of these, for the figures
    grid_pairs: tuple[int, ...] = (3, 6, 12, 24)  # N, for the time to the edge
    grid_ratios: tuple[float, ...] = (1.5, 3.0, 6.0, 20.0)  # L / N
    rates: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)  # of alpha and beta; xi has 1


PRESETS = {"laptop": Config()}


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


# --8<-- [start:contexts]
def push_in(others: Others) -> float:
    """The push that sends alpha away where label tokens see `others`, number by number:
    the integral of d alpha (1 / y - 1), with y the mean over label tokens."""
    beta = np.linspace(0, 20, 20_001)
    y = np.exp(beta)[:, None] / (np.exp(beta)[:, None] + others)  # (beta, kind)
    mean, moves = y.mean(1), (y * (1 - y)).mean(1)
    # d beta / d alpha = alpha moves / mean
    alpha = np.sqrt(2 * cumulative_trapezoid(mean / moves, beta, initial=0))
    return float(np.trapezoid(1 / mean - 1, alpha))  # - 1: y cannot pass 1


# --8<-- [end:contexts]


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


def off_the_surface(theta: ndarray, n_pairs: int) -> float:
    """alpha^2 / 2 - beta - (e^beta - 1) / N, which is 0 on the flow from the origin."""
    _, alpha, beta = theta
    return float(alpha**2 / 2 - beta - math.expm1(beta) / n_pairs)


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    n, labels = config.n_pairs, config.n_labels
    sizes = torch.randn(3, dtype=torch.float64, generator=streams(seed, 1)[0]).abs()
    start = config.start * sizes
    times = np.geomspace(1, config.until, config.n_times)

    # the flow, exact and with exponentials replaced by their tangents
    flows = [(flow(start, times, n, labels, phis), phis) for phis in VARIANTS.values()]
    losses = [loss(path, n, labels, phis).numpy() for path, phis in flows]
    steepest = [steepness(path, times, n, labels, phis).max() for path, phis in flows]
    few = slice(None, None, config.keep_every)
    return {
        "time": times[few],
        "path": flows[0][0].numpy()[few],
        "losses": np.stack(losses)[:, few],
        "steepest": np.array(steepest),
        "shares_halfway": shares_halfway(times, losses[0], flows[0][0].numpy()),
        **at_the_edge(start.numpy(), config),
        **at_the_origin(config),
    }


def at_the_edge(start: ndarray, config: Config) -> Measurements:
    """Times to the edge: over a grid, in both contexts, at other rates and starts."""
    n, labels = config.n_pairs, config.n_labels
    grid = [(p, round(p * r)) for p in config.grid_pairs for r in config.grid_ratios]

    def over_grid(push: Callable[[int], float]) -> ndarray:
        return np.array([predicted_edge(*point, push(point[0])) for point in grid])

    by_rate = [edge(start, n, labels, rate) for rate in config.rates]
    there = torch.from_numpy(np.stack([theta for _, theta in by_rate]))
    here, near = edge(start, n, n)[0], edge(start / 10, n, n)[0]
    true_time, true_end = edge(start, n, labels, others=true_contexts(n))
    return {
        "grid": np.array(grid),
        "edges": np.array([edge(start, *point)[0] for point in grid]),
        "edges_predicted": over_grid(push_if_beta_follows),
        "edges_if_beta_stays": over_grid(push_if_beta_stays),
        "true_edges": np.array(
            [edge(start, *point, others=true_contexts(point[0]))[0] for point in grid]
        ),
        "true_edges_predicted": over_grid(lambda n: push_in(true_contexts(n))),
        "edge": by_rate[0][0],
        "edge_predicted": predicted_edge(n, labels, push_if_beta_follows(n)),
        "true_edge": true_time,
        "off_surface": off_the_surface(by_rate[0][1], n),
        "true_off_surface": off_the_surface(true_end, n),
        "context_mass_by_rate": context_mass(there, n, labels).numpy(),
        "delay": edge(start / 10, n, labels)[0] / by_rate[0][0],
        "delay_at_equality": near / here,
        "edge_at_equality": here,
    }


def at_the_origin(config: Config) -> Measurements:
    """How far autograd's gradient at the origin is from the closed form."""
    origin, n = torch.zeros(3, dtype=torch.float64), config.n_pairs
    slopes = [gradient(origin, n, labels) for labels in (config.n_labels, n)]
    expected = torch.zeros(3, dtype=torch.float64)
    expected[0] = -(config.n_labels - n) / (config.n_labels * (2 * n + 1))
    return {
        "slope": -float(slopes[0][0]),
        "slope_error": float((slopes[0] - expected).abs().max()),
        "gradient_at_equality": float(slopes[1].abs().max()),
    }


# --8<-- [end:run]


def shares_halfway(times: ndarray, losses: ndarray, path: ndarray) -> ndarray:
    """The share of their values in the middle of the fall, where half of the loss is
    gone, that (xi, alpha, beta) have after half of that time."""
    middle = int(np.argmax(losses < losses[0] / 2))
    half = int(np.searchsorted(times, times[middle] / 2))
    return path[half] / path[middle]


def doubling(m: Measurements, name: str) -> ndarray:
    """How many times later the edge comes with N and L twice as large."""
    by_size = m[name].reshape(len(set(m["grid"][:, 0])), -1)  # (N, L / N)
    return by_size[1:] / by_size[:-1]


def off_in_percent(predicted: ndarray, measured: ndarray) -> float:
    return float(np.abs(predicted / measured - 1).max() * 100)


# fmt: off
CLAIMS = [
    Claim("slope", lambda m: float(m["slope_error"]), below(1e-12), "",
          "At the origin the loss falls with xi alone, at the rate (L - N) / (L (2N + 1)): autograd agrees.",
          exact=True),
    Claim("critical", lambda m: float(m["gradient_at_equality"]), below(1e-12), "nats per unit",
          "With L = N every derivative of the loss vanishes at the origin.", exact=True),
    Claim("order", lambda m: float((m["shares_halfway"][:-1] / m["shares_halfway"][1:]).min()),
          above(2), "times the share of the next",
          "xi moves first, then alpha, then beta: half-way to the middle of the fall, xi has covered over "
          "twice alpha's share of its way, and alpha over twice beta's.",
          Reported("reddy2024", "abstract", "three nested logits are learned one after another", SMALLER)),
    Claim("early-edge", lambda m: float(m["context_mass_by_rate"][0]), below(0.5), "of the probability at the edge",
          "The flow goes over the edge before the labels of the context hold half of the probability: it "
          "does not rest at ln N."),
    Claim("slow-attention", lambda m: float(m["context_mass_by_rate"][-1]),
          above(0.9), "of the probability at the edge",
          "Where alpha and beta learn a thousand times more slowly than xi, the labels of the context hold "
          "over nine tenths of the probability at the edge."),
    Claim("soften-first", lambda m: float(m["steepest"][0] / m["steepest"][1]), between(1.5, 3), "times less steep",
          "Linearising the first layer's exponential makes the steepest fall 1.5 to 3 times less steep."),
    Claim("soften-second", lambda m: float(m["steepest"][0] / m["steepest"][2]), above(8), "times less steep",
          "Linearising the second layer's exponential makes it at least 8 times less steep, the most of the three."),
    Claim("soften-classifier", lambda m: float(m["steepest"][0] / m["steepest"][3]), between(3, 8), "times less steep",
          "Linearising the classifier's exponential makes it 3 to 8 times less steep."),
    Claim("soften-all", lambda m: float(m["steepest"][4]), below(3), "nats per e-fold of time",
          "With all three linear there is no cliff: the loss never falls faster than 3 nats per e-fold of time."),
    Claim("edge", lambda m: off_in_percent(m["edges_predicted"], m["edges"]), below(15), "% at worst",
          "The predicted time to the edge is within 15 % of the measured one for every N and L > N of the grid."),
    Claim("edge-if-beta-stays", lambda m: float((m["edges_if_beta_stays"] / m["edges"]).min()),
          above(1.5), "times too late at best",
          "A prediction that leaves beta at 0 comes at least 1.5 times too late for every N and L > N of the grid."),
    Claim("on-the-surface", lambda m: abs(float(m["off_surface"])), below(0.1), "off the surface",
          "In the average context the flow is within a tenth of its surface when it reaches the edge."),
    Claim("off-the-surface", lambda m: float(m["true_off_surface"]), above(0.5), "",
          "In the true contexts it has left that surface by more than a half."),
    Claim("true-earlier", lambda m: float((1 - m["true_edges"] / m["edges"]).max() * 100),
          above(20), "% at most",
          "In the true contexts the edge comes earlier, by more than a fifth for the longest of the grid."),
    Claim("true-edge", lambda m: off_in_percent(m["true_edges_predicted"], m["true_edges"]), below(20), "% at worst",
          "With y as the mean over the true contexts the same reasoning is within 20 % of that time over the grid."),
    Claim("doubling", lambda m: float(doubling(m, "edges")[-1].max()), between(2.5, 2.9), "times as long at most",
          "In the average context N = 24 takes 2.5 to 2.9 times as long as N = 12."),
    Claim("true-doubling", lambda m: float(doubling(m, "true_edges")[-1].max()),
          between(2.2, 2.6), "times as long at most",
          "In the true contexts it takes 2.2 to 2.6 times as long."),
    Claim("start", lambda m: float(m["delay"] - 1) * 100, below(5), "% later",
          "With L > N a start ten times nearer to the origin delays the edge by less than 5 %."),
    Claim("saddle", lambda m: float(m["delay_at_equality"] - 1) * 100, above(25), "% later",
          "With L = N a start ten times nearer to the origin delays the edge by more than 25 %."),
]
# fmt: on

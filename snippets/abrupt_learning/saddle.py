"""What holds a learner at a place where nothing pulls, and what lets it go?

With L = N labels the loss of *Must it be abrupt?* has no slope at the origin. Its
gradient and its Hessian there, the time that gradient flow takes to get away, and what
that time owes to the first values, to absent labels and to the optimiser are computed.

Source: reddy2024, appendix A.4, on L = N as a saddle. What differs: the loss is our
reconstruction, in the average context; the formula for the time, and Adam, are ours.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.integrate import quad
from torch import Tensor

from snippets.contract import Claim, Measurements, above, below, between, equals
from snippets.icl.streams import streams
from snippets.icl.theory.head_flow import edge
from snippets.icl.theory.three_exponentials import log_odds, loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    start: float = 0.01  # spread of xi, alpha and beta at the start
    grid_pairs: tuple[int, ...] = (2, 4, 8, 16, 32)  # N
    grid_ratios: tuple[float, ...] = (1.5, 2.0, 4.0, 16.0)  # L / N, besides N and N + 1
    n_pairs: int = 8  # N, outside the grid
    n_labels: int = 32  # L, outside the grid, where it is not N or N + 1
    nearest: int = 6  # starts as near to the origin as 10 to the minus 6
    n_directions: int = 48  # starts around the origin
    learning_rate: float = 0.01  # of Adam
    most_steps: int = 2000  # of Adam


PRESETS = {"laptop": Config()}


# --8<-- [start:slopes]
def slope(n_pairs: int, n_labels: int) -> float:
    """sigma: how fast the loss falls with xi at the origin."""
    return (n_labels - n_pairs) / (n_labels * (2 * n_pairs + 1))


def growth(n_pairs: int, n_labels: int) -> float:
    """g: at the origin, how much each of xi and alpha speeds up the other."""
    tokens, share = 2 * n_pairs + 1, (n_pairs + 1) / n_labels
    return (2 * n_pairs - share) / (tokens**2 * (n_pairs + 1))


# --8<-- [end:slopes]


# --8<-- [start:hessian]
def hessian(n_pairs: int, n_labels: int) -> Float[Tensor, "3 3"]:
    """The Hessian at the origin, in the order xi, alpha, beta."""
    absent, tokens = n_labels - n_pairs, 2 * n_pairs + 1
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[0, 0] = n_pairs * absent / (n_labels * tokens) ** 2
    matrix[0, 1] = matrix[1, 0] = -growth(n_pairs, n_labels)
    return matrix


# --8<-- [end:hessian]


def at_the_origin(
    n_pairs: int, n_labels: int
) -> tuple[Float[Tensor, "3"], Float[Tensor, "3 3"]]:
    """Gradient and Hessian of the loss at the origin, by autograd."""
    origin = torch.zeros(3, dtype=torch.float64)

    def of(theta: Float[Tensor, "3"]) -> Float[Tensor, ""]:
        return loss(theta, n_pairs, n_labels)

    gradient = torch.autograd.functional.jacobian(of, origin)
    return gradient, torch.autograd.functional.hessian(of, origin)


def worst_error(n_pairs: int, n_labels: int) -> float:
    """The largest difference between autograd and the closed form."""
    gradient, curvature = at_the_origin(n_pairs, n_labels)
    closed = torch.tensor([-slope(n_pairs, n_labels), 0, 0], dtype=torch.float64)
    differences = [gradient - closed, curvature - hessian(n_pairs, n_labels)]
    return max(float(difference.abs().max()) for difference in differences)


# --8<-- [start:predict]
def predicted_edge(xi: float, alpha: float, n_pairs: int, n_labels: int) -> float:
    """The time to the edge from a start with xi, alpha > 0, as one integral."""
    sigma, g = slope(n_pairs, n_labels), growth(n_pairs, n_labels)

    def area(to: float) -> float:  # under exp(- a^2 / 2), from the start
        ends = math.erf(to / math.sqrt(2)) - math.erf(alpha / math.sqrt(2))
        return math.sqrt(math.pi / 2) * ends

    def time(log_a: float) -> float:  # d a = a d log a: most of it passes at small a
        a = math.exp(log_a)
        xi_squared = xi**2 - alpha**2 + a**2 + 2 * sigma / g * area(a)
        return a * math.exp(-(a**2) / 2) / (g * math.sqrt(xi_squared))

    return quad(time, math.log(alpha), math.log(10), limit=500)[0]


def wait_at_a_saddle(total: float, n_pairs: int) -> float:
    """The same with L = N, from a start near the origin with xi + alpha = total > 0."""
    return (math.log(math.sqrt(8) / total) - np.euler_gamma / 2) / growth(
        n_pairs, n_pairs
    )


def wait_on_a_slope(n_pairs: int, n_labels: int) -> float:
    """The same with L well above N, from the origin itself."""
    both = slope(n_pairs, n_labels) * growth(n_pairs, n_labels)
    return math.sqrt(math.sqrt(2 * math.pi) / both)


# --8<-- [end:predict]


# --8<-- [start:adam]
def adam_steps(start: ndarray, n_pairs: int, n_labels: int, config: Config) -> float:
    """After how many steps of Adam u reaches 1."""
    theta = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.Adam([theta], config.learning_rate)
    for step in range(config.most_steps):
        optimizer.zero_grad()
        loss(theta, n_pairs, n_labels).backward()
        optimizer.step()
        if log_odds(theta.detach(), n_pairs) >= 1:
            return float(step + 1)
    return math.inf


# --8<-- [end:adam]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = streams(seed, 1)[0]
    direction = torch.randn(3, dtype=torch.float64, generator=generator).abs().numpy()
    turn = float(torch.rand(1, generator=generator))
    return {
        "total": float(direction[0] + direction[1]),  # of xi + alpha, at size 1
        "growth": growth(config.n_pairs, config.n_pairs),
        "wait_ratio": growth(2, 2) / growth(config.n_pairs, config.n_pairs),
        **on_the_grid(config, config.start * direction),
        **nearer_and_nearer(config, direction),
        **all_around(config, turn),
        **at_the_saddle(config),
    }


def labels_beside(config: Config) -> tuple[int, int, int]:
    """L = N, N + 1 and more."""
    return config.n_pairs, config.n_pairs + 1, config.n_labels


def on_the_grid(config: Config, start: ndarray) -> Measurements:
    """The time to the edge from one start, computed and predicted, for many N and L."""
    grid = [
        (pairs, round(pairs * ratio) if ratio else pairs + extra)
        for pairs in config.grid_pairs
        for ratio, extra in [(0, 0), (0, 1), *((r, 0) for r in config.grid_ratios)]
    ]
    predicted = [predicted_edge(start[0], start[1], *point) for point in grid]
    return {
        "worst_error": max(worst_error(*point) for point in grid),
        "grid": np.array(grid),
        "edges": np.array([edge(start, *point)[0] for point in grid]),
        "edges_predicted": np.array(predicted),
    }


def nearer_and_nearer(config: Config, direction: ndarray) -> Measurements:
    """The time to the edge as the start moves to the origin; by flow, and by Adam."""
    n, labels = config.n_pairs, labels_beside(config)
    sizes = 10.0 ** -np.arange(1, config.nearest + 1)
    by_size = [[edge(size * direction, n, L)[0] for L in labels] for size in sizes]
    adam = [[adam_steps(size * direction, n, L, config) for L in labels]
            for size in (0.01, 0.0001)]  # fmt: skip
    return {
        "sizes": sizes,
        "edges_by_size": np.array(by_size),  # (size, labels)
        "adam": np.array(adam),  # (size, labels)
    }


def all_around(config: Config, turn: float) -> Measurements:
    """Starts at one distance, in every direction of xi and alpha."""
    n, labels = config.n_pairs, labels_beside(config)
    angles = 2 * math.pi * (np.arange(config.n_directions) + turn) / config.n_directions
    around = config.start * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    found = [[edge(around[i], n, L) for L in labels] for i in steps(len(angles))]
    return {
        "angles": angles,
        "edges_by_angle": np.array([[time for time, _ in row] for row in found]),
        # with L = N: where each of them is when u reaches 1, (angle, 3)
        "ends": np.stack([row[0][1] for row in found]),
    }


def at_the_saddle(config: Config) -> Measurements:
    """With L = N: what autograd finds at the origin, and the two sides apart."""
    n, s = config.n_pairs, config.start
    gradient, curvature = at_the_origin(n, n)
    down, up = (edge(np.array([x, x, 0.0]), n, n)[0] for x in (-s, s))
    return {
        "gradient_at_saddle": float(gradient.abs().max()),
        "eigenvalues": torch.linalg.eigvalsh(curvature).numpy(),
        "minus_side_delay": down - up,
    }


# --8<-- [end:run]


def wait_per_decade(m: Measurements, labels: int) -> np.ndarray:
    """What each start, ten times nearer than the one before, adds to the time."""
    return np.diff(m["edges_by_size"][:, labels])


def on_plus_side(m: Measurements) -> np.ndarray:
    """Which of the starts have xi + alpha > 0."""
    return np.cos(m["angles"]) + np.sin(m["angles"]) > 0


def side_agrees(m: Measurements) -> float:
    """The share of starts that arrive with xi and alpha of the sign of xi + alpha."""
    sign = np.where(on_plus_side(m), 1, -1)
    ends = np.sign(m["ends"][:, :2]) == sign[:, None]
    return float((ends.all(1) & np.isfinite(m["edges_by_angle"][:, 0])).mean())


def minus_side_later(m: Measurements) -> float:
    """The time of each start with a negative sum in units of its mirror image's."""
    times, half = m["edges_by_angle"][:, 0], len(m["angles"]) // 2
    mirrored = np.roll(times, half)  # half a turn further on
    return float(np.median((times / mirrored)[~on_plus_side(m)]))


def grid_error(m: Measurements, pairs: np.ndarray) -> float:
    """How far the prediction is off at worst, in percent."""
    off = np.abs(m["edges_predicted"] / m["edges"] - 1)[pairs]
    return float(off.max()) * 100


def times_slower(m: Measurements, labels: int, size: int) -> float:
    """The time with L = N, in units of the time with the other labels."""
    return float(m["edges_by_size"][size, 0] / m["edges_by_size"][size, labels])


def off_the_saddle(m: Measurements) -> float:
    """How far the eigenvalues are from -g, 0, g, and the gradient from 0."""
    expected = m["growth"] * np.array([-1, 0, 1])
    return float(np.abs(m["eigenvalues"] - expected).max() + m["gradient_at_saddle"])


# fmt: off
CLAIMS = [
    Claim("closed-form", lambda m: float(m["worst_error"]), below(1e-12), "",
          "At the origin gradient and Hessian are those of the closed form for every N and L of the grid, "
          "and autograd agrees.", exact=True),
    Claim("saddle", off_the_saddle, below(1e-12), "off in all",
          "With L = N the origin is a saddle: the gradient is zero and the Hessian's eigenvalues are -g, 0 and g.",
          exact=True),
    Claim("logarithm", lambda m: float(np.abs(wait_per_decade(m, 0)[2:] * m["growth"] / math.log(10) - 1).max() * 100),
          below(2), "% off at worst",
          "With L = N, from a thousandth on, each start ten times nearer waits ln(10) / g longer, within 2 "
          "%."),
    Claim("one-absent-label", lambda m: (float(m["edges_by_size"][-1, 1] / m["edges_by_size"][1, 1] - 1) * 100),
          below(5), "% later",
          "With one label more than pairs the nearest start, ten thousand times nearer than a hundredth, "
          "comes less than 5 % later."),
    Claim("one-label-faster", lambda m: times_slower(m, 1, 1), above(2), "times earlier",
          "From a hundredth, one absent label makes the edge come at least twice as early."),
    Claim("one-formula", lambda m: grid_error(m, m["grid"][:, 0] >= 4), below(8), "% at worst",
          "One integral predicts the time to the edge within 8 % for every N of 4 or more, with L = N and "
          "with L > N."),
    Claim("two-pairs", lambda m: grid_error(m, m["grid"][:, 0] == 2), between(8, 25), "% at worst",
          "With two pairs, where e^beta is not small against N, it is off by more than 8 %."),
    Claim("either-side", lambda m: 100 * side_agrees(m), equals(100), "% of the starts",
          "With L = N every start gets away, with xi and alpha both of the sign that xi + alpha had.",
          digits=3),
    Claim("minus-side", minus_side_later, between(1.25, 1.75), "times as long",
          "Starts with a negative sum take a quarter to three quarters longer than their mirror images.",
          digits=3),
    Claim("adam", lambda m: (float(np.abs(m["adam"][:, 0] / m["adam"][:, 2] - 1).max()) * 100), below(15), "% apart",
          "Under Adam L = N takes as many steps as L = 4 N, within 15 %, from a hundredth and from a "
          "ten-thousandth."),
    Claim("flow-beside-adam", lambda m: times_slower(m, 2, 1), above(5), "times as long",
          "Under gradient flow L = N takes at least 5 times as long as L = 4 N."),
]
# fmt: on

"""What holds a learner at a place where nothing pulls, and what lets it go?

With L = N labels the loss of chapter 20 has no slope at the origin. Its gradient and
its Hessian there, the time that gradient flow takes to get away, and what that time
owes to the first values, to absent labels and to the optimiser are computed exactly.

Source: reddy2024, appendix A.4, on L = N as a saddle. What differs: the loss is our
reconstruction of chapter 20; the formula for the time, and Adam, are ours.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy import ndarray
from scipy.integrate import quad, solve_ivp
from torch import Tensor

from snippets.book.contract import Claim, Measurements, Reported
from snippets.book.style import colour, ink, panels, seeds_and_median
from snippets.icl.progress import steps
from snippets.icl.three_exponentials import log_odds, loss


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


# --8<-- [start:origin]
def slope(n_pairs: int, n_labels: int) -> float:
    """sigma: how fast the loss falls with xi at the origin."""
    return (n_labels - n_pairs) / (n_labels * (2 * n_pairs + 1))


def growth(n_pairs: int, n_labels: int) -> float:
    """g: at the origin, how much each of xi and alpha speeds up the other."""
    tokens, share = 2 * n_pairs + 1, (n_pairs + 1) / n_labels
    return (2 * n_pairs - share) / (tokens**2 * (n_pairs + 1))


def hessian(n_pairs: int, n_labels: int) -> Float[Tensor, "3 3"]:
    """The Hessian at the origin, in the order xi, alpha, beta."""
    absent, tokens = n_labels - n_pairs, 2 * n_pairs + 1
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[0, 0] = n_pairs * absent / (n_labels * tokens) ** 2
    matrix[0, 1] = matrix[1, 0] = -growth(n_pairs, n_labels)
    return matrix


# --8<-- [end:origin]


# --8<-- [start:autograd]
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


# --8<-- [end:autograd]


# --8<-- [start:flow]
def velocity(theta: ndarray, n_pairs: int, n_labels: int) -> ndarray:
    """- d loss / d theta, written out, which is far faster than autograd."""
    xi, alpha, beta = theta
    y = math.exp(beta) / (math.exp(beta) + n_pairs)
    match = math.exp(alpha * y)
    total = match + 2 * n_pairs
    z, z_other = match / total, 1 / total
    correct, others = math.exp(xi * z), (n_pairs - 1) * math.exp(xi * z_other)
    everything = correct + others + n_labels - n_pairs
    p, p_others = correct / everything, others / everything

    along_xi = (1 - p) * z - p_others * z_other
    # z and z_other move by 2N match / total^2 and - match / total^2 per unit of alpha y
    along_match = xi * match / total**2 * (2 * n_pairs * (1 - p) + p_others)
    return np.array([along_xi, along_match * y, along_match * alpha * y * (1 - y)])


def edge(start: ndarray, n_pairs: int, n_labels: int) -> tuple[float, ndarray]:
    """When u, the log-odds of the correct label against another one of the context,
    reaches 1 on the flow from `start`, and where that is. Infinity: not by 10^6."""

    def move(t: float, theta: ndarray) -> ndarray:
        return velocity(theta, n_pairs, n_labels)

    def u_minus_1(t: float, theta: ndarray) -> float:
        return float(log_odds(torch.from_numpy(theta), n_pairs)) - 1

    u_minus_1.terminal = True  # type: ignore[attr-defined]  # the flow stops there
    solved = solve_ivp(
        move, (0, 1e6), start, "LSODA", events=u_minus_1, rtol=1e-8, atol=1e-12
    )
    arrived = bool(len(solved.t_events[0]))
    return float(solved.t[-1]) if arrived else math.inf, solved.y[:, -1]


# --8<-- [end:flow]


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
    generator = torch.Generator().manual_seed(seed)
    n, labels = config.n_pairs, (config.n_pairs, config.n_pairs + 1, config.n_labels)
    direction = torch.randn(3, dtype=torch.float64, generator=generator).abs().numpy()
    start = config.start * direction

    # the grid
    grid = [
        (pairs, round(pairs * ratio) if ratio else pairs + extra)
        for pairs in config.grid_pairs
        for ratio, extra in [(0, 0), (0, 1), *((r, 0) for r in config.grid_ratios)]
    ]
    edges = [edge(start, *point)[0] for point in grid]
    predicted = [predicted_edge(start[0], start[1], *point) for point in grid]

    # starts nearer and nearer, with L = N, N + 1 and more
    sizes = 10.0 ** -np.arange(1, config.nearest + 1)
    by_size = [[edge(size * direction, n, L)[0] for L in labels] for size in sizes]

    # starts all around, at the same distance
    turn = float(torch.rand(1, generator=generator))
    angles = 2 * math.pi * (np.arange(config.n_directions) + turn) / config.n_directions
    around = config.start * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    found = [[edge(around[i], n, L) for L in labels] for i in steps(len(angles))]

    adam = [[adam_steps(size * direction, n, L, config) for L in labels]
            for size in (0.01, 0.0001)]  # fmt: skip
    gradient, curvature = at_the_origin(n, n)
    down, up = (
        edge(np.array([s, s, 0.0]), n, n)[0] for s in (-config.start, config.start)
    )
    delay = down - up
    return {
        "worst_error": max(worst_error(*point) for point in grid),
        "gradient_at_saddle": float(gradient.abs().max()),
        "eigenvalues": torch.linalg.eigvalsh(curvature).numpy(),
        "growth": growth(n, n),
        "wait_ratio": growth(2, 2) / growth(n, n),
        "grid": np.array(grid),
        "edges": np.array(edges),
        "edges_predicted": np.array(predicted),
        "sizes": sizes,
        "total": float(direction[0] + direction[1]),  # of xi + alpha, at size 1
        "edges_by_size": np.array(by_size),  # (size, labels)
        "angles": angles,
        "edges_by_angle": np.array([[time for time, _ in row] for row in found]),
        # with L = N: where each of them is when u reaches 1, (angle, 3)
        "ends": np.stack([row[0][1] for row in found]),
        "minus_side_delay": delay,
        "adam": np.array(adam),  # (size, labels)
    }


# --8<-- [end:run]


# --8<-- [start:derived]
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


# --8<-- [end:derived]


CLAIMS = [
    Claim(
        id="closed-form",
        says=(
            "At the origin gradient and Hessian are those of the closed form for every "
            "N and L of the grid, and autograd agrees."
        ),
        value=lambda m: float(m["worst_error"]),
        holds=lambda v: v < 1e-12,
        unit="at most between the two",
    ),
    Claim(
        id="saddle",
        says=(
            "With L = N the origin is a saddle: the gradient is zero and the Hessian's "
            "eigenvalues are -g, 0 and g."
        ),
        value=lambda m: float(
            np.abs(m["eigenvalues"] - m["growth"] * np.array([-1, 0, 1])).max()
            + m["gradient_at_saddle"]
        ),
        holds=lambda v: v < 1e-12,
        unit="off in all",
        reported=Reported(
            "reddy2024",
            "author's reply in the public reviews (OpenReview aN4Jf6Cx69)",
            "the origin is a critical point of the loss only when L = N",
            "reproduced",
        ),
    ),
    Claim(
        id="logarithm",
        says=(
            "With L = N, from a thousandth on, each start ten times nearer waits "
            "ln(10) / g longer, within 2 %."
        ),
        value=lambda m: float(
            np.abs(wait_per_decade(m, 0)[2:] * m["growth"] / math.log(10) - 1).max()
            * 100
        ),
        holds=lambda v: v < 2,
        unit="% off at worst",
    ),
    Claim(
        id="one-absent-label",
        says=(
            "With one label more than pairs the nearest start, ten thousand times "
            "nearer than a hundredth, comes less than 5 % later."
        ),
        value=lambda m: (
            float(m["edges_by_size"][-1, 1] / m["edges_by_size"][1, 1] - 1) * 100
        ),
        holds=lambda v: v < 5,
        unit="% later",
    ),
    Claim(
        id="one-label-faster",
        says=(
            "From a hundredth, one absent label makes the edge come at least twice as "
            "early."
        ),
        value=lambda m: times_slower(m, 1, 1),
        holds=lambda v: v > 2,
        unit="times earlier",
    ),
    Claim(
        id="one-formula",
        says=(
            "One integral predicts the time to the edge within 8 % for every N of 4 or "
            "more, with L = N and with L > N."
        ),
        value=lambda m: grid_error(m, m["grid"][:, 0] >= 4),
        holds=lambda v: v < 8,
        unit="% at worst",
    ),
    Claim(
        id="two-pairs",
        says=(
            "With two pairs, where e^beta is not small against N, it is off by more "
            "than 8 %."
        ),
        value=lambda m: grid_error(m, m["grid"][:, 0] == 2),
        holds=lambda v: 8 < v < 25,
        unit="% at worst",
    ),
    Claim(
        id="either-side",
        says=(
            "With L = N every start gets away, with xi and alpha both of the sign that "
            "xi + alpha had."
        ),
        value=lambda m: 100 * side_agrees(m),
        holds=lambda v: v == 100,
        unit="% of the starts",
        digits=3,
    ),
    Claim(
        id="minus-side",
        says=(
            "Starts with a negative sum take a quarter to three quarters longer than "
            "their mirror images."
        ),
        value=minus_side_later,
        holds=lambda v: 1.25 < v < 1.75,
        unit="times as long",
        digits=3,
    ),
    Claim(
        id="adam",
        says=(
            "Under Adam L = N takes as many steps as L = 4 N, within 15 %, from a "
            "hundredth and from a ten-thousandth."
        ),
        value=lambda m: (
            float(np.abs(m["adam"][:, 0] / m["adam"][:, 2] - 1).max()) * 100
        ),
        holds=lambda v: v < 15,
        unit="% apart",
    ),
    Claim(
        id="flow-beside-adam",
        says="Under gradient flow L = N takes at least 5 times as long as L = 4 N.",
        value=lambda m: times_slower(m, 2, 1),
        holds=lambda v: v > 5,
        unit="times as long",
    ),
]


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "wait": draw_wait(runs),
        "around": draw_around(runs),
        "grid": draw_grid(runs),
    }


NAMES = ("L = N", "L = N + 1", "L = 4 N")


def draw_wait(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.1)
    ax, n = axes[0, 0], PRESETS["laptop"].n_pairs
    for index, name in enumerate(NAMES):
        curves = [m["edges_by_size"][:, index] for m in runs]
        dots = {"linestyle": "none", "marker": "o", "markersize": 5}
        seeds_and_median(ax, runs[0]["sizes"], curves, index, name, **dots)
    sizes = np.geomspace(1e-1, 1e-6, 20)
    total = float(np.median([m["total"] for m in runs]))
    theory = {"color": ink(), "linestyle": ":", "linewidth": 1.3}
    at_saddle = [wait_at_a_saddle(total * size, n) for size in sizes]
    ax.plot(sizes, at_saddle, label="theory", **theory)
    on_slope = np.full(len(sizes), wait_on_a_slope(n, PRESETS["laptop"].n_labels))
    ax.plot(sizes, on_slope, label="_theory, L = 4 N", **theory)
    ax.set(xscale="log", xlabel="size of the start", ylabel="time to the edge")
    ax.set(ylim=(0, None))
    ax.invert_xaxis()
    ax.legend()
    return fig


def draw_around(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.1)
    ax = axes[0, 0]
    for index, name in enumerate(NAMES):
        for number, m in enumerate(runs):
            label = name if not number else f"_{name}, seed {number}"
            dots = {"color": colour(index), "markersize": 3, "label": label}
            ax.plot(np.degrees(m["angles"]), m["edges_by_angle"][:, index], "o", **dots)
    for angle in (135, 315):
        ax.axvline(
            angle, color=ink(), linewidth=0.9, linestyle=":", label="_xi = -alpha"
        )
    ax.annotate(
        "xi = -alpha",
        (135, 60),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=8.5,
    )
    ax.set(xlabel="direction of the start (degrees from xi to alpha)")
    ax.set(ylabel="time to the edge", yscale="log", xticks=range(0, 361, 45))
    ax.set(ylim=(50, 6000))
    ax.legend(loc="upper center", ncols=3, fontsize=8.5)
    return fig


def draw_grid(runs: list[Measurements]) -> Figure:
    fig, axes = panels(1, height=3.3)
    ax = axes[0, 0]
    for index, pairs in enumerate(PRESETS["laptop"].grid_pairs):
        for number, m in enumerate(runs):
            here = m["grid"][:, 0] == pairs
            absent = (m["grid"][here, 1] - pairs) / pairs
            x = np.where(absent == 0, 0.012, absent)  # a place of its own for L = N
            label = f"N = {pairs}" if not number else f"_N = {pairs}, seed {number}"
            dots = {"color": colour(index), "markersize": 3.5, "label": label}
            ax.plot(x, m["edges"][here], "o", **dots)
            if not number:
                ax.plot(
                    x[1:],
                    m["edges_predicted"][here][1:],
                    color=ink(),
                    linewidth=0.9,
                    linestyle=":",
                    label=f"_predicted, N = {pairs}",
                )
            ax.plot(
                x[0],
                m["edges_predicted"][here][0],
                "_",
                color=ink(),
                label=f"_predicted, N = {pairs}, L = N, seed {number}",
            )
    ax.set(xscale="log", yscale="log", ylabel="time to the edge")
    ax.set_xticks([0.012, 0.1, 1, 10], ["L = N", "0.1", "1", "10"])
    ax.minorticks_off()
    ax.set(xlabel="absent labels for each label shown, (L - N) / N")
    ax.legend(loc="upper right", fontsize=8.5)
    return fig

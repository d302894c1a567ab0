"""Is the jump a phase transition, and of which order?

The three numbers of *Must it be abrupt?* are held back by a weight decay, which is
swept down and up. Two states that are stable at one decay, a jump between them and a
loop say first order; one state that changes continuously says second order or none.
Beside it: does the fall in training time sharpen with the size of the context?

Source: ours. No paper that we could check reports the order; the loss is that of
reddy2024 (abstract) in our reconstruction, in the average context.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy import ndarray
from scipy.integrate import solve_ivp

from snippets.contract import Claim, Measurements, above, below, between, equals
from snippets.icl.streams import as_numpy, streams
from snippets.icl.theory.head_flow import velocity
from snippets.icl.theory.held_back import attention, folds, settle, states_at_rest
from snippets.icl.theory.three_exponentials import loss
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    n_pairs: int = 8  # N, of the loop
    n_labels: int = 32  # L, of the loop
    decays: tuple[float, float] = (0.015, 0.25)  # the sweep's ends
    n_decays: int = 41
    kick: float = 0.01  # added to the state before each value of the sweep
    n_starts: int = 40
    box: tuple[float, float] = (-3.0, 6.0)  # starts are drawn from here
    grid_pairs: tuple[int, ...] = (2, 4, 8, 16, 32, 64)  # N
    ratio: int = 4  # L / N in the grid, besides 1
    start: float = 0.01  # size of the start of the flow in time


PRESETS = {"laptop": Config()}
ALPHAS = np.geomspace(1e-6, 7, 600)  # along the curve of states


def on_the_right_label(theta: ndarray, n_pairs: int) -> ndarray:
    return attention(torch.from_numpy(np.atleast_2d(theta)), n_pairs).numpy()


# --8<-- [start:sweep]
def sweep(decays: ndarray, config: Config, rng: np.random.Generator) -> ndarray:
    """Attention on the right label at rest, at one decay after the other. Each begins
    where the one before ended, a little kicked."""
    n, n_labels = config.n_pairs, config.n_labels
    theta, found = np.zeros(3), []
    if decays[0] < decays[-1]:  # on the way up it begins with a head
        theta = np.full(3, config.box[1])
    for decay in decays:
        kicked = theta + rng.normal(0, config.kick, 3)
        theta = settle(kicked, float(decay), n, n_labels)
        found.append(on_the_right_label(theta, n)[0])
    return np.array(found)


# --8<-- [end:sweep]


# --8<-- [start:width]
def fall(n_pairs: int, n_labels: int, start: ndarray) -> tuple[float, float]:
    """Without decay: when the right label's probability reaches a quarter, and how much
    longer it takes to three quarters."""
    ends = []
    for level in (0.25, 0.75):

        def there(t: float, theta: ndarray, level: float = level) -> float:
            nats = loss(torch.from_numpy(theta), n_pairs, n_labels)
            return math.exp(-float(nats)) - level

        there.terminal = True  # type: ignore[attr-defined]  # the flow stops there
        found = solve_ivp(
            lambda t, theta: velocity(theta, n_pairs, n_labels),
            (0, 1e7),
            start,
            "LSODA",
            events=there,
            rtol=1e-8,
            atol=1e-12,
        )
        ends.append(float(found.t_events[0][0]))
    return ends[0], ends[1] - ends[0]


# --8<-- [end:width]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    kicks, starts, flows = (as_numpy(stream) for stream in streams(seed, 3))
    n, n_labels = config.n_pairs, config.n_labels
    decays = np.geomspace(*config.decays, config.n_decays)
    curve_decay, curve = states_at_rest(ALPHAS, n, n_labels)
    ends = np.array(  # (L / N, N, 2): where the plateau and the head end
        [
            [folds(ALPHAS, pairs, ratio * pairs) for pairs in config.grid_pairs]
            for ratio in (1, config.ratio)
        ]
    )
    middle = math.sqrt(math.prod(folds(ALPHAS, n, n_labels)))
    rests = [
        settle(starts.uniform(*config.box, 3), middle, n, n_labels)
        for _ in steps(config.n_starts)
    ]
    falls = [
        fall(pairs, config.ratio * pairs, flows.normal(0, config.start, 3))
        for pairs in config.grid_pairs
    ]
    lone, _ = states_at_rest(ALPHAS, 1, config.ratio)
    return {
        "decays": decays,
        "up": sweep(decays, config, kicks),
        "down": sweep(decays[::-1], config, kicks)[::-1],
        "curve": np.stack([curve_decay, attention(curve, n).numpy()])[:, ::3],
        "rests": on_the_right_label(np.array(rests), n),
        "middle": middle,
        "ends": ends,
        "wait": np.array([wait for wait, _ in falls]),
        "width": np.array([width for _, width in falls]),
        "one_pair": float(np.diff(lone).max()),  # over 0 where the curve turns
        "n_pairs": np.array(config.grid_pairs),
        "ratio": config.ratio,
    }


# --8<-- [end:run]


def loop_ends(m: Measurements) -> tuple[float, float]:
    """The decays at which a sweep jumps: the first way down with a head, and the last
    way up with one."""
    decays, middle = m["decays"], 0.3
    came, stayed = decays[m["down"] > middle], decays[m["up"] > middle]
    return float(came[-1]), float(stayed[-1])


def loop(m: Measurements) -> float:
    came, stayed = loop_ends(m)
    return stayed / came


def off_the_folds(m: Measurements) -> float:
    """How far the sweep's jumps lie from the folds, as a factor less 1, at worst."""
    sizes = list(m["n_pairs"])
    found = np.array(loop_ends(m)) / m["ends"][1, sizes.index(8)]
    return float(np.abs(np.log(found)).max())


def n_kinds(m: Measurements) -> float:
    """How many different rests the starts found, told apart by 0.01 of attention."""
    return float(1 + (np.diff(np.sort(m["rests"])) > 0.01).sum())


def heads(m: Measurements) -> float:
    """The share of the random starts that end with a head."""
    return float((m["rests"] > 0.3).mean())


def gap(m: Measurements) -> float:
    """The largest step of attention between neighbours of either sweep."""
    return float(min(np.abs(np.diff(m[way])).max() for way in ("up", "down")))


def windows(m: Measurements) -> ndarray:
    """(L / N, N): the decay where the head ends over that where the plateau does."""
    return m["ends"][..., 1] / m["ends"][..., 0]


def no_slope_error(m: Measurements) -> float:
    """L = N: the plateau's end against the Hessian's at the origin, at worst."""
    n = m["n_pairs"].astype(float)
    expected = (n - 1) / n / ((n + 1) * (2 * n + 1))
    return float(np.abs(m["ends"][0, :, 0] / expected - 1).max())


def large_contexts(m: Measurements) -> float:
    """The plateau's end for many pairs against its closed form, at the largest N."""
    n, ratio = float(m["n_pairs"][-1]), float(m["ratio"])
    expected = math.sqrt((1 - 1 / ratio) * math.sqrt(2 * math.e) / 4) * n**-1.5
    return abs(float(m["ends"][1, -1, 0]) / expected - 1)


def sharpness(m: Measurements) -> ndarray:
    """(N,): how long the fall takes, as a share of the wait before it."""
    return m["width"] / m["wait"]


def exponent(values: Callable[[Measurements], ndarray]) -> Callable:
    """The slope of a quantity against N on logarithmic axes, from N = 8 up."""

    def slope(m: Measurements) -> float:
        large = m["n_pairs"] >= 8
        found = np.polyfit(np.log(m["n_pairs"][large]), np.log(values(m)[large]), 1)
        return float(found[0])

    return slope


# fmt: off
CLAIMS = [
    Claim("loop", loop, above(4), "times",
          "Swept up, the head is lost at more than four times the decay at which, swept down, it comes."),
    Claim("leap", gap, above(0.4), "",
          "On both sweeps attention on the right label leaps by over four tenths between neighbouring decays."),
    Claim("two-rests", n_kinds, equals(2), "kinds of rest",
          "At a decay inside the loop, starts in a box end in two states and in no third."),
    Claim("on-the-folds", off_the_folds, below(0.08), "of the decay",
          "Both leaps lie within a step of the sweep of the decays at which the curve of states turns back."),
    Claim("two-pairs", lambda m: float(windows(m)[1, 0]), between(1.05, 1.2), "times", digits=3,
          says="With two pairs, L = 4 N, the loop is there, and narrow: a factor between 1.05 and 1.2."),
    Claim("one-pair", lambda m: float(m["one_pair"]), below(1e-9), "",
          "With one pair the curve of states never turns back: one state at each decay, and no loop."),
    Claim("wider", exponent(lambda m: windows(m)[1]), between(1.2, 1.6), "",
          "From eight pairs to 64 the loop, as a factor of the decay, widens with a power of N between 1.2 and 1.6."),
    Claim("no-slope", no_slope_error, below(1e-5), "",
          "With L = N the plateau is stable down to the decay that the Hessian at the origin gives.", exact=True),
    Claim("closed-form", large_contexts, below(0.03), "off",
          "With 64 pairs the decay at which the plateau ends is within 3 % of its closed form for many pairs."),
    Claim("sharpens", exponent(sharpness), between(-2.5, -1.8), "",
          "Without decay the fall, as a share of the wait before it, shrinks with a power of N between -2.5 and -1.8, "
          "from eight pairs to 64.", digits=3),
    Claim("at-eight", lambda m: float(sharpness(m)[list(m["n_pairs"]).index(8)]), below(0.04), "of the wait",
          "With eight pairs it takes less than a twenty-fifth of the wait."),
    Claim("longer", exponent(lambda m: m["wait"]), between(1.35, 1.5), "",
          "From eight pairs to 64 the wait grows with a power of N between 1.35 and 1.5.", digits=3),
]
# fmt: on

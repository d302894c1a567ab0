"""When does a strategy that came first make room for another, and when does it stay?

Source: singh2025, its minimal model (abstract; details from the authors' released code): two
strategies a b c and d b c race for one loss. The same dimensions, rate, gap and cost; half
as many steps again. Ours: the eight numbers, the map, and the two races with a vector taken out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy import ndarray

from snippets.contract import (
    REPRODUCED,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.theory import shared_factors
from snippets.icl.theory.shared_factors import (
    Start,
    Toy,
    eight,
    race,
    strength,
    together,
)

MU = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
ALPHA = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Config:
    toy: Toy = field(default_factory=Toy)
    n_starts: int = 12  # a seed draws so many races, each with targets of its own
    n_shown: int = 4  # of these are drawn as curves
    n_steps: int = 24_000
    every: int = 60
    n_checked: int = (
        400  # steps of the toy with all its entries, beside the eight numbers
    )


PRESETS = {"laptop": Config()}


# --8<-- [start:races]
def races(
    toy: Toy, start: Start, config: Config, without: int | None = None
) -> dict[str, ndarray]:
    """The strengths of both strategies, now and then: (time, start, setting)."""
    seen = []
    for step, now in enumerate(race(toy, start, config.n_steps, without=without)):
        if step % config.every == 0:
            seen.append(now)
    M1, M2, _ = (np.stack(one) for one in zip(*seen))
    first, second = strength(M1, start, toy, 0), strength(M2, start, toy, 1)
    return {"first": first.astype(np.float32), "second": second.astype(np.float32)}


# --8<-- [end:races]


def settings(toy: Toy) -> dict[str, tuple[float, float]]:
    """mu1 and alpha of the races that are drawn as curves."""
    mu1, alpha = float(toy.mu1), float(toy.alpha)
    return {
        "both": (mu1, alpha),
        "no_gap": (0.0, alpha),  # strategy 1 leaves nothing to be gained
        "no_cost": (mu1, 0.0),
        "small_gap": (mu1 / 2, alpha),
    }


def all_entries(config: Config, targets: list, vectors: list) -> float:
    """The largest difference between the eight numbers and the toy with all its entries."""
    whole = shared_factors.descend(config.toy, vectors, targets, config.n_checked)
    few = race(config.toy, shared_factors.eight(vectors, targets), config.n_checked)
    return max(float(np.abs(np.subtract(x, y)).max()) for x, y in zip(whole, few))


def kept(config: Config, targets: list, generator: torch.Generator) -> float:
    """The largest violation of the two balances at random points."""
    worst = 0.0
    for _ in range(20):
        vectors = shared_factors.drawn(config.toy, generator)[0]
        worst = max(worst, *shared_factors.balances(config.toy, vectors, targets))
    return worst


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    drawing, points = streams(seed, 2)
    drawn = [shared_factors.drawn(config.toy, drawing) for _ in range(config.n_starts)]
    starts = together([eight(vectors, targets) for targets, vectors in drawn])
    named = settings(config.toy)
    pairs = [*named.values(), *((mu, alpha) for mu in MU for alpha in ALPHA)]
    found = races(Toy(*np.array(pairs).T), starts, config)
    alone = {
        which: races(config.toy, starts, config, without)[which][:, :, 0]
        for which, without in (("first", 3), ("second", 0))  # without d, without a
    }
    targets, vectors = drawn[0]
    return {
        **summary(config, found, alone, list(named)),
        **shown(config, found, list(named)),
        "eight_numbers": all_entries(config, targets, vectors),
        "balances": kept(config, targets, points),
    }


# --8<-- [end:run]


def shown(config: Config, found: dict, names: list[str]) -> Measurements:
    """What is drawn: a few starts in each setting, and a map over gap and cost."""
    some = {
        f"{name}_{which}": found[which][::4, : config.n_shown, i].T
        for i, name in enumerate(names[:3])
        for which in found
    }
    over = found["first"][:, :, len(names) :] > 0.5
    shape = (len(MU), len(ALPHA))
    return some | {
        "step": np.arange(0, config.n_steps + 1, 4 * config.every),
        "map_comes": np.float32(over.any(0).mean(0).reshape(shape)),
        "map_stays": np.float32(over[-1].mean(0).reshape(shape)),
    }


def half_way(curve: ndarray, config: Config) -> ndarray:
    """The first step at which a strength is over a half, or infinity: (time, start)."""
    over = curve > 0.5
    return np.where(over.any(0), config.every * over.argmax(0), np.inf)


def summary(config: Config, found: dict, alone: dict, names: list[str]) -> Measurements:
    """Shares of starts, and medians over those that have both to compare."""
    first = {name: found["first"][:, :, i] for i, name in enumerate(names)}
    second = {name: found["second"][:, :, i] for i, name in enumerate(names)}
    came = {name: (x > 0.5).any(0) for name, x in first.items()}
    # the second strategy was there for a while, so that one sees what it did
    early = half_way(second["both"], config) < config.n_steps / 2
    raced = came["both"] & early
    life = {name: (x > 0.5).sum(0) * config.every for name, x in first.items()}
    times = {
        "second": half_way(second["both"], config),
        "first": half_way(first["both"], config),
    }
    got = {which: half_way(curve, config) for which, curve in alone.items()}

    def ratio(which: str) -> float:
        both = np.isfinite(times[which]) & np.isfinite(got[which])
        return float(
            np.median(times[which][both] / np.maximum(got[which][both], config.every))
        )

    return {
        "raced": float(raced.mean()),
        "trapped": float((~came["both"] & np.isinf(times["second"])).mean()),
        "gone": float((first["both"][-1, raced] < 0.2).mean()),
        "peak": float(np.median(first["both"][:, raced].max(0))),
        "taken_over": float((second["both"][-1, raced] > 0.9).mean()),
        "stays_no_gap": float((first["no_gap"][-1, came["no_gap"]] > 0.8).mean()),
        "stays_no_cost": float((first["no_cost"][-1, raced] > 0.8).mean()),
        "longer": float(
            np.median((life["small_gap"] / np.maximum(life["both"], 1))[raced])
        ),
        "second_with_first": ratio("second"),
        "first_with_second": ratio("first"),
    }


def number(name: str) -> Callable[[Measurements], float]:
    return lambda m: float(m[name])


def least_gone(m: Measurements) -> float:
    """The least share of starts in which strategy 1 comes and is gone again at the end, of
    those in which it comes; over gaps of 0.02 and more, costs of 0.03 to 0.3."""
    cells = np.ix_(
        range(MU.index(0.02), len(MU)), range(ALPHA.index(0.03), ALPHA.index(0.3) + 1)
    )
    comes, stays = m["map_comes"][cells], m["map_stays"][cells]
    return float((1 - stays / np.maximum(comes, 1e-9)).min())


# fmt: off
CLAIMS = [
    Claim("eight", number("eight_numbers"), below(1e-9), "",
          "Eight numbers follow the errors and the cost of the whole toy at every step.", exact=True),
    Claim("balances", number("balances"), below(1e-9), "",
          "At random points the flow keeps the difference of the squared lengths of b and c, and changes that of a "
          "and d "
          "together against b at the rate -8 alpha C.", exact=True),
    Claim("raced", number("raced"), above(0.4), "of starts",
          "In more than four starts of ten the first strategy comes, and the second is half learned in the first half "
          "of the run."),
    Claim("comes", number("peak"), above(0.8), "",
          "Where the second strategy is learned in time, the first becomes more than 0.8 strong at its best, in "
          "the median."),
    Claim("goes", number("gone"), above(0.8), "of starts",
          "There, in more than eight starts of ten, the first is less than 0.2 strong at the end.",
          Reported("singh2025", "abstract",
                   "a minimal model reproduces that the first strategy emerges and then fades", REPRODUCED)),
    Claim("second", number("taken_over"), above(0.8), "of starts",
          "There, in more than eight starts of ten, the second is more than 0.9 strong at the end."),
    Claim("no-gap", number("stays_no_gap"), above(0.8), "of starts",
          "Without a gap the first is still more than 0.8 strong at the end in more than eight of ten starts in "
          "which it came."),
    Claim("no-cost", number("stays_no_cost"), above(0.8), "of starts",
          "Without a cost the first is still more than 0.8 strong at the end in more than eight of ten starts."),
    Claim("longer", number("longer"), between(1.1, 3), "times as long",
          "With half the gap the first strategy lives between 1.1 and 3 times as long, in the median."),
    Claim("second-helped", number("second_with_first"), below(1.1), "of the time alone",
          "With the first beside it the second takes at most a tenth longer than alone until it is half learned, "
          "in the median."),
    Claim("first-hindered", number("first_with_second"), above(1.2), "times the time alone",
          "With the second beside it the first takes over a fifth longer than alone until it is half learned, in "
          "the median."),
    Claim("map", least_gone, above(0.7), "of starts at least",
          "Wherever the gap is 0.02 or more and the cost 0.1 or 0.3, the first is gone at the end in more than "
          "seven of ten "
          "starts in which it came."),
]
# fmt: on

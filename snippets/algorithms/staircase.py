"""One drop or a staircase: what do a key and a query apart change about training?

Source: zhang2025, abstract: with key and query merged the loss drops once; with separate
ones it goes from saddle to saddle and learns one principal component after the other.
Here: d = 4, eigenvalues 2 : 1 : 0.5 : 0.25, n = 31, small first weights, plain SGD on
fresh batches beside the gradient flow of the mean loss. Five heads with one key and one
query each, as in the source's released code; one head with four of each; one with a
merged matrix.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_least,
    below,
    between,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import draw_prompts, root
from snippets.icl.theory import best_steps, staircase
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    lam: tuple[float, ...] = (2.0, 1.0, 0.5, 0.25)
    n: int = 31
    n_heads: int = 5
    std: float = 0.05  # of first weights
    batch: int = 128
    learning_rate: float = 0.03  # a step is so much time of the flow
    n_steps: int = 5000
    n_times: int = 160  # at which the loss is looked at
    longest: float = 160.0  # wait, over the size of the first weights
    n_starts: int = 12  # whose first wait is measured, at each size of first weights
    sizes: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)


PRESETS = {"laptop": Config()}
KINDS = ("apart", "full", "merged")


# --8<-- [start:start]
def start(kind: str, config: Config, std: float, generator: Generator) -> dict:
    """First weights of `kind`: heads with one key and query, a head with d, or one
    matrix."""
    d = len(config.lam)
    heads = config.n_heads if kind == "apart" else 1
    shapes: dict[str, tuple[int, ...]] = {"v": (heads,)}
    if kind == "merged":
        shapes["U"] = (heads, d, d)
    else:
        rank = 1 if kind == "apart" else d
        shapes |= {"Q": (heads, rank, d), "K": (heads, rank, d)}
    return {
        name: std * torch.randn(*shape, generator=generator, dtype=torch.float64)
        for name, shape in shapes.items()
    }


# --8<-- [end:start]


# --8<-- [start:train]
def train(
    starts: dict[str, dict], config: Config, data: Generator, times: np.ndarray
) -> dict[str, np.ndarray]:
    """Plain SGD, all kinds on the same batches; their mean loss at these times."""
    lam = torch.tensor(config.lam, dtype=torch.float64)
    Sigma, eye = lam.diag(), torch.eye(len(lam), dtype=torch.float64)
    half = root(Sigma)
    weights = {
        k: {n: w.clone().requires_grad_() for n, w in s.items()}
        for k, s in starts.items()
    }
    sgd = torch.optim.SGD(
        [w for each in weights.values() for w in each.values()], config.learning_rate
    )
    looks = {round(t / config.learning_rate) for t in times}
    seen: dict[str, list[float]] = {kind: [] for kind in weights}
    for step in steps(config.n_steps + 1):
        maps = {kind: staircase.map_of(w) for kind, w in weights.items()}
        if step in looks:
            for kind, A in maps.items():
                loss = best_steps.population_loss(A, Sigma, eye, config.n)
                seen[kind].append(loss.item())
        p = draw_prompts(
            config.batch, config.n, len(lam), data, x_root=half, dtype=lam.dtype
        )
        x, query = p.x[:, :-1], p.x[:, -1]
        average = (p.y[:, :-1, None] * x).mean(1)  # C w, (batch, d)
        off = query @ torch.stack([*maps.values()]) * average  # (kind, batch, d)
        loss = (off.sum(-1) - p.answer).square().mean(1).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return {kind: np.array(losses) for kind, losses in seen.items()}


# --8<-- [end:train]


# --8<-- [start:waits]
def waits(config: Config, generator: Generator) -> dict[str, np.ndarray]:
    """For first weights of several sizes, along the flow: when half of the first drop is
    done, how long it then takes to half of the second, and the bound on the first;
    (size, start)."""
    lam = torch.tensor(config.lam, dtype=torch.float64)
    levels = staircase.levels(lam, config.n)[:3]
    half_way = tuple((levels[:-1] + levels[1:]) / 2)
    shape = (len(config.sizes), config.n_starts)
    names = ("bound", *(f"{what}_{kind}" for what in ("wait", "gap") for kind in KINDS))
    found = {name: np.zeros(shape) for name in names}
    for at in np.ndindex(shape):
        std = config.sizes[at[0]]
        for kind in KINDS:
            weights = start(kind, config, std, generator)
            flow = staircase.Flow(weights, lam.diag(), config.n)
            first, second = flow.first_times_below(half_way, config.longest / std)
            found[f"wait_{kind}"][at], found[f"gap_{kind}"][at] = first, second - first
            if kind == "apart":
                found["bound"][at] = staircase.soonest_drop(weights, lam, config.n)
    return found


# --8<-- [end:waits]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, more = streams(seed, 3)
    lam = torch.tensor(config.lam, dtype=torch.float64)
    end = config.n_steps * config.learning_rate
    in_steps = np.geomspace(1, config.n_steps, config.n_times).round()
    times = np.unique(in_steps) * config.learning_rate
    starts = {kind: start(kind, config, config.std, weights) for kind in KINDS}
    found = {"time": times, "levels": staircase.levels(lam, config.n), "end": end}
    found["sizes"] = np.array(config.sizes)
    for kind, losses in train(starts, config, data, times).items():
        found[kind] = losses
        found[f"{kind}_flow"] = staircase.Flow(
            starts[kind], lam.diag(), config.n
        ).losses(times)
    return found | waits(config, more)


# --8<-- [end:run]


def middles(m: Measurements, name: str) -> np.ndarray:
    """When each of the four drops is half done; infinity where one is not."""
    half_way = (m["levels"][:-1] + m["levels"][1:]) / 2
    below = m[name][:, None] < half_way  # (time, drop)
    return np.where(below.any(0), m["time"][below.argmax(0)], np.inf)


def pauses(m: Measurements, name: str) -> float:
    """At how many of the levels 1 to 3 the loss rests: within a tenth of the height of
    the drops beside it, until at least twice as late as when it came."""
    found = 0
    for level in (1, 2, 3):
        height = m["levels"][level] - m["levels"][level + 1]
        near = np.abs(m[name] - m["levels"][level]) < 0.1 * height
        times = m["time"][near]
        found += len(times) > 0 and times[-1] >= 2 * times[0]
    return float(found)


def late(m: Measurements, name: str) -> float:
    """The largest factor between a drop's time in training and along the flow, over the
    drops that the flow takes before the end."""
    trained, flowing = middles(m, name), middles(m, f"{name}_flow")
    in_time = np.isfinite(flowing)
    return float(np.exp(np.abs(np.log(trained[in_time] / flowing[in_time])).max()))


def growth(m: Measurements, name: str) -> float:
    """By what the median time is multiplied when first weights are halved."""
    waits = np.median(m[name], 1)
    return float((waits[-1] / waits[0]) ** (1 / (len(waits) - 1)))


def over_bound(m: Measurements) -> np.ndarray:
    return (m["wait_apart"] / m["bound"]).ravel()


# fmt: off
CLAIMS = [
    Claim("stairs", lambda m: pauses(m, "apart"), at_least(2), "of 3 levels",
          "With heads of one key and one query each the loss rests at two or three of the three levels between the "
          "first and the last.",
          Reported("zhang2025", "abstract", "saddle to saddle, one principal component after the other", SMALLER)),
    Claim("one-drop", lambda m: growth(m, "gap_merged"), below(1.15), "times",
          "With one matrix for key and query, smaller first weights do not put the second drop off: halving them "
          "makes the time between the first two drops at most 1.15 times as long.",
          Reported("zhang2025", "abstract", "a single, abrupt drop", SMALLER)),
    Claim("saddles", lambda m: growth(m, "gap_apart"), above(1.4), "times",
          "With heads of one key and one query each it makes that time more than 1.4 times as long: a saddle."),
    Claim("full", lambda m: growth(m, "gap_full"), between(1.05, 1.4), "times",
          "With as many keys and queries as directions in one head it makes it 1.05 to 1.4 times as long."),
    Claim("with-flow", lambda m: late(m, "apart"), below(2), "times",
          "SGD on batches takes its drops within a factor of 2 of the times of the gradient flow."),
    Claim("bound", lambda m: float(over_bound(m).min()), above(1), "times the bound",
          "No start makes half of its first drop before the bound."),
    Claim("loose", lambda m: float(np.median(over_bound(m))), between(1.2, 8), "times the bound",
          "The middle one of 48 starts waits 1.2 to 8 times as long as the bound says."),
    Claim("twice", lambda m: growth(m, "wait_apart"), between(1.6, 2.4), "times",
          "Halving the first weights about doubles the first wait, with key and query apart."),
    Claim("not-twice", lambda m: growth(m, "wait_merged"), below(1.5), "times",
          "With one matrix it grows by less than half."),
]
# fmt: on

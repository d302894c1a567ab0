"""Trained on a pool of M regression tasks, does a network know the pool, or regress?

Source: raventos2023, figures 2 and 3. Here: 2 dimensions instead of 8, prompts of 6
pairs instead of 16, pools of 4 to 256 tasks, 400 steps of Muon with batches of 64
instead of 500,000 of Adam with 256, and two noise levels. Without `n_tasks` each prompt
has a task of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
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
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import Prompts
from snippets.icl.theory import posterior_average as average
from snippets.icl.theory import task_prior


@dataclass(frozen=True)
class Config:
    noise: float  # standard deviation
    n_tasks: int | None  # M, the size of the pool
    sizes: Sizes = field(default_factory=lambda: Sizes(d=2, n_layers=3))
    n: int = 5  # examples before the last question
    training: Training = field(default_factory=lambda: Training(n_steps=400))
    n_test: int = 2000  # prompts of each kind


SMALL = Sizes(d=8, n_layers=4, width=64, n_heads=2)  # the source's small network
LONG = Training(500_000, 256, muon_rate=None, adam_rate=1e-3, warm_up=0.5)
SIZES = (4, 16, 64, 256)
NOISES = {"low": 0.25, "high": 0.5}
PRESETS = {
    "laptop": {
        "low-4": Config(0.25, 4),
        "low-16": Config(0.25, 16),
        "low-64": Config(0.25, 64),
        "low-256": Config(0.25, 256),
        "low-all": Config(0.25, None),
        "high-4": Config(0.5, 4),
        "high-16": Config(0.5, 16),
        "high-64": Config(0.5, 64),
        "high-256": Config(0.5, 256),
        "high-all": Config(0.5, None),
    },
    "paper": {  # we have not run it
        "high-16": Config(0.5, 16, SMALL, 15, LONG),
        "high-1024": Config(0.5, 1024, SMALL, 15, LONG),
        "high-65536": Config(0.5, 65536, SMALL, 15, LONG),
        "high-all": Config(0.5, None, SMALL, 15, LONG),
    },
}


# --8<-- [start:distance]
def apart(a: Float[Tensor, "n k"], b: Float[Tensor, "n k"], d: int) -> float:
    """Mean squared difference of two predictors over all positions, over d."""
    return (a - b).square().mean().item() / d


@torch.no_grad()
def distances(
    network: RegressionTransformer,
    test: Prompts,
    pool: task_prior.Pool | None,
    c: Config,
) -> dict[str, float]:
    """Of the network to each exact predictor, and of these to each other."""
    d, f = c.sizes.d, network(test.x, test.y)
    ridge = task_prior.from_any_task(test.x, test.y, c.noise)
    if pool is None:
        return {"ridge": apart(f, ridge, d)}
    memory = task_prior.from_memory(test.x, test.y, pool, c.noise)
    return {
        "memory": apart(f, memory, d),
        "ridge": apart(f, ridge, d),
        "apart": apart(memory, ridge, d),
        "weight": average.weight_on(memory, ridge, f),
    }


# --8<-- [end:distance]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, tests, once = streams(seed, 4)
    c, d = config, config.sizes.d
    pool = None if c.n_tasks is None else task_prior.draw_pool(c.n_tasks, d, once)

    def draw(batch: int) -> Prompts:
        return task_prior.draw_from(pool, batch, c.n, d, c.noise, data)

    network = RegressionTransformer(c.sizes, weights)
    train(network, draw, c.training)
    n_parameters = sum(p.numel() for p in network.parameters())
    measured: dict[str, float] = {"n_parameters": n_parameters}
    for kind, source in (("pool", pool), ("new", None)):
        test = task_prior.draw_from(source, c.n_test, c.n, d, c.noise, tests)
        found = distances(network, test, pool, c)
        measured |= {f"{kind}_{name}": value for name, value in found.items()}
    return measured


# --8<-- [end:run]


def by_size(m: Measurements, noise: str, name: str) -> np.ndarray:
    """A measurement for each pool size, at one noise level."""
    return np.array([m[f"{noise}-{M}"][name] for M in SIZES])


def crossing(m: Measurements, noise: str) -> float:
    """The pool size at which the weight on memory falls to a half on new tasks, between
    two sizes by a line in log M; infinity where it does not."""
    weight, size = by_size(m, noise, "new_weight"), np.log(SIZES)
    below_half = np.flatnonzero(weight < 0.5)
    if not len(below_half):
        return np.inf
    first = int(below_half[0])
    if first == 0:
        return float(SIZES[0])
    high, low = weight[first - 1], weight[first]
    share = (high - 0.5) / (high - low)
    return float(np.exp(size[first - 1] + share * (size[first] - size[first - 1])))


def over_noises(
    which: Callable, value: Callable[[Measurements, str], float]
) -> Callable[[Measurements], float]:
    """The larger (max) or the smaller (min) of a value's two noise levels."""
    return lambda m: float(which(value(m, noise) for noise in NOISES))


def ratio(M: int, over: str, under: str) -> Callable[[Measurements, str], float]:
    return lambda m, noise: m[f"{noise}-{M}"][over] / m[f"{noise}-{M}"][under]


def fall(m: Measurements, noise: str) -> float:
    """How much less weight on memory the three larger pools have than the smallest."""
    weight = by_size(m, noise, "new_weight")
    return weight[0] - weight[1:].mean()


def less_with_less_noise(m: Measurements) -> float:
    """Weight on memory at the two middle sizes: with more noise, less with less."""
    high, low = (
        by_size(m, noise, "new_weight")[1:3].mean() for noise in ("high", "low")
    )
    return float(high - low)


# fmt: off
CLAIMS = [
    Claim("few", over_noises(min, ratio(4, "new_ridge", "new_memory")), above(2), "times as far",
          "Trained on four tasks, the network is on new tasks more than twice as far from ridge as from memory, "
          "at both noise levels.",
          Reported("raventos2023", "figure 2", "few tasks: near the discrete posterior mean", SMALLER)),
    Claim("falls", over_noises(min, fall), above(0.15), "",
          "On new tasks the mean weight on memory of the larger pools, 16 to 256 tasks, is more than 0.15 below that "
          "of four tasks, at both noise levels."),
    Claim("many", over_noises(max, lambda m, noise: m[f"{noise}-256"]["pool_weight"]), below(0.75), "",
          "Trained on 256 tasks, it is no pure memory even on these tasks: the larger of the two weights is below "
          "0.75."),
    Claim("beats-memory", over_noises(max, ratio(16, "new_ridge", "new_apart")), below(1), "of memory's",
          "With 16 tasks its excess error on new tasks is below that of exact memory, at both noise levels."),
    Claim("noise", less_with_less_noise, above(0), "more",
          "With 16 and 64 tasks it leans on memory more where there is more noise."),
    Claim("crossing-low", lambda m: crossing(m, "low"), between(5, 300), "tasks",
          "With noise 0.25 the weight on new tasks passes a half between 5 and 300 tasks."),
    Claim("crossing-high", lambda m: crossing(m, "high"), above(8), "tasks",
          "With noise 0.5 it passes a half beyond 8 tasks, or not at all up to 256."),
    Claim("later", lambda m: crossing(m, "high") / crossing(m, "low"), above(1), "times as many",
          "With more noise it takes more tasks to pass a half, or 256 are not enough.",
          applies=lambda m: bool(np.isfinite(crossing(m, "low")))),
    Claim("floor", over_noises(min, lambda m, noise: m[f"{noise}-all"]["new_ridge"] / m[f"{noise}-256"]["new_apart"]),
          above(1), "times as far",
          "With an endless supply of tasks the network is still further from ridge than memory of 256 tasks is."),
]
# fmt: on

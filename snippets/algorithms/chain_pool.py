"""Trained on a finite pool of Markov chains, does a network remember the chains or count
what it reads, and does it look at single symbols or at pairs?

Source: gibson2026, abstract; park2025, abstract. Here: 4 symbols instead of 10, 48
tokens, pools of 4 to 256 chains, two layers with two heads and an MLP each, width 32,
700 steps of AdamW at 0.006 with batches of 32 (1,200 steps at K = 16).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    at_most,
    below,
    between,
)
from snippets.icl.networks.chain_network import ChainNetwork
from snippets.icl.networks.markov_network import Training
from snippets.icl.streams import streams
from snippets.icl.tasks import chain_pool as pools
from snippets.icl.tasks import markov
from snippets.icl.theory import posterior_average as average
from snippets.progress import steps

LOOKS = (25, 50, 100, 150, 200, 300, 400, 500, 600, 700, 850, 1000, 1200)


@dataclass(frozen=True)
class Config:
    n_chains: int  # K, the size of the pool
    n_steps: int = 700
    k: int = 4  # symbols
    length: int = 48  # tokens the network reads
    d_model: int = 32
    hidden: int = 128
    learning_rate: float = 6e-3
    batch: int = 32
    n_test: int = 256  # sequences of each kind


SIZES = (4, 8, 16, 32, 64, 256)
PRESETS = {
    "laptop": {
        "k4": Config(4),
        "k8": Config(8),
        "k16": Config(16, n_steps=1200),
        "k32": Config(32),
        "k64": Config(64),
        "k256": Config(256),
    }
}


# --8<-- [start:exam]
class Exam:
    """Sequences to measure on, with what each of the four predicts."""

    def __init__(
        self,
        chains: Float[Tensor, "n k k"],
        pool: Float[Tensor, "chain k k"],
        generator: Generator,
        length: int,
    ) -> None:
        self.tokens = markov.sample(chains, length, generator)
        self.guesses = pools.four_guesses(self.tokens, pool)
        self.truth = markov.oracle(self.tokens, chains)

    @torch.no_grad()
    def look(self, network: ChainNetwork) -> tuple[list[float], float]:
        """KL(predictor || network) for each of the four, and its weight on memory."""
        f = network(self.tokens)[0].softmax(-1)
        off = [markov.divergence(g, f).mean().item() for g in self.guesses.values()]
        m, g = self.guesses["memory-2"], self.guesses["counts-2"]
        return off, average.weight_on(m, g, f)

    def saved(self) -> float:
        """How much less memory loses than counting, per symbol, by pairs."""
        m, g = self.guesses["memory-2"], self.guesses["counts-2"]
        losses = [markov.cross_entropy(self.truth, p).mean() for p in (g, m)]
        return (losses[0] - losses[1]).item()


# --8<-- [end:exam]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, tests, once = streams(seed, 4)
    c, k, n = config, config.k, config.n_test
    pool = pools.draw_pool(c.n_chains, k, once)
    exams = {
        "new": Exam(markov.dirichlet_chains(n, k, tests), pool, tests, c.length),
        "pool": Exam(pools.pick(pool, n, tests), pool, tests, c.length),
    }
    network = ChainNetwork(k, c.d_model, (2, 2), c.hidden, c.length, weights)
    training = Training(network, c.learning_rate, distance_factor=2.0)
    kinds = [f"{name}_{what}" for name in exams for what in ("off", "weight")]
    history: dict[str, list] = {kind: [] for kind in kinds}
    for step in steps(c.n_steps + 1):
        if step in LOOKS:
            for name, exam in exams.items():
                off, weight = exam.look(network)
                history[f"{name}_off"].append(off)
                history[f"{name}_weight"].append(weight)
        if step % 100 == 0:  # a hundred batches at a time: sampling is quicker so
            chains = pools.pick(pool, 100 * c.batch, data)
            sequences = markov.sample(chains, c.length + 1, data)
        training.step(sequences[step % 100 :: 100])
    return {name: np.array(values, np.float32) for name, values in history.items()} | {
        "step": np.array([look for look in LOOKS if look <= c.n_steps]),
        "saved": exams["pool"].saved(),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


# --8<-- [end:run]


FITTED, END = (4, 16, 64), 700  # sizes that the law is fitted on; the last common look
SETTLED = 300  # from here on the network looks at pairs


def at(m: Measurements, K: int, name: str, step: int = END) -> Any:
    """What a cell measured at one look: a number, or the four distances."""
    return m[f"k{K}"][name][list(m[f"k{K}"]["step"]).index(step)]


def nearest(m: Measurements, K: int, kind: str = "new") -> np.ndarray:
    """Which of the four is nearest at each look, in the order of `pools.NAMES`."""
    return m[f"k{K}"][f"{kind}_off"].argmin(1)


def share_nearest(
    m: Measurements,
    which: tuple[int, ...],
    sizes: tuple[int, ...],
    step: int | None = None,
) -> float:
    """In how many of the looks, at these sizes and this step, one of `which` is nearest."""
    found = []
    for K in sizes:
        asked = m[f"k{K}"]["step"] == (m[f"k{K}"]["step"] if step is None else step)
        found.append(np.isin(nearest(m, K), which)[asked])
    return float(np.concatenate(found).mean())


def end_weights(m: Measurements) -> np.ndarray:
    return np.array([at(m, K, "pool_weight") for K in SIZES])


def boundary(m: Measurements) -> float:
    """The pool size at which the weight on memory falls to a half, by a line in log K."""
    weight, size = end_weights(m), np.log(SIZES)
    first = int(np.argmax(weight < 0.5))
    if not (weight < 0.5).any():
        return np.inf
    if first == 0:
        return float(SIZES[0])
    share = (weight[first - 1] - 0.5) / (weight[first - 1] - weight[first])
    return float(np.exp(size[first - 1] + share * (size[first] - size[first - 1])))


def return_of_memory(m: Measurements) -> float:
    """At K = 16: how much weight memory gains from step 300 to step 1,200."""
    late, early = at(m, 16, "pool_weight", 1200), at(m, 16, "pool_weight", SETTLED)
    return float(late - early)


def no_nearer(m: Measurements) -> float:
    """At K = 16, on new chains: the distance from counting pairs at steps 1,000 and
    1,200 over that at steps 300 to 500."""
    late, early = (
        np.mean([at(m, 16, "new_off", step)[3] for step in which])
        for which in ((1000, 1200), (300, 400, 500))
    )
    return float(late / early)


# --8<-- [start:points]
def points(m: Measurements) -> tuple[np.ndarray, ...]:
    """Step, size, what memory saves, and the measured weight: a point for each look
    from step 300 to step 700."""
    found = []
    for K in SIZES:
        cell = m[f"k{K}"]
        for step, weight in zip(cell["step"], cell["pool_weight"]):
            if SETTLED <= step <= END:
                found.append((step, K, cell["saved"], weight))
    return tuple(np.array(found, float).T)


def errors(m: Measurements) -> dict[str, float]:
    """Each model's error on the sizes that it was not fitted on."""
    t, K, saved, weight = points(m)
    return average.held_out_errors(t, K, saved, weight, FITTED)


# --8<-- [end:points]


def law_over(other: str) -> Callable[[Measurements], float]:
    return lambda m: errors(m)["law"] / errors(m)[other]


# fmt: off
CLAIMS = [
    Claim("symbols-first", lambda m: share_nearest(m, (0, 2), SIZES, 50), above(0.8), "",
          "At step 50 a predictor that looks at single symbols is nearest, at more than 0.8 of the pool sizes.",
          Reported("gibson2026", "abstract", "phases of 1-point and 2-point statistics", SMALLER)),
    Claim("remembers", lambda m: float(at(m, 4, "new_off")[1] / at(m, 4, "new_off")[3]), below(0.75), "times as far",
          "Trained on 4 chains, it ends nearer to memory by pairs than to counting pairs, even on new chains.",
          Reported("gibson2026", "abstract", "few chains: it memorises", SMALLER)),
    Claim("counts", lambda m: float(at(m, 256, "new_off")[3] / at(m, 256, "new_off")[1]), below(0.75), "times as far",
          "Trained on 256 chains, it ends nearer to counting pairs, on new chains.",
          Reported("gibson2026", "abstract", "many chains: it generalises", SMALLER)),
    Claim("no-memory", lambda m: share_nearest(m, (1,), (64, 256)), at_most(0.05), "",
          "With 64 chains and with 256 it is never, or in one look of twenty, nearest to memory by pairs."),
    Claim("boundary", boundary, between(8, 40), "chains",
          "After 700 steps the weight on memory passes a half between 8 and 40 chains."),
    Claim("gradual", lambda m: float(-np.diff(end_weights(m)).min()), below(0.45), "",
          "It falls by less than 0.45 from each pool size to the next."),
    Claim("returns", return_of_memory, above(0.05), "",
          "With 16 chains the weight on memory, on the pool's chains, grows by more than 0.05 from step 300 to "
          "step 1,200."),
    Claim("no-nearer", no_nearer, above(0.85), "times",
          "With 16 chains some 700 more steps bring it no nearer to counting pairs on new chains: its distance is "
          "still more than 0.85 times what it was."),
    Claim("no-fourth", lambda m: share_nearest(m, (2,), SIZES), below(0.15), "of the looks",
          "Counting single symbols is nearest in fewer than 15 looks in 100, over all pool sizes.",
          Reported("gibson2026", "abstract", "a phase that generalises by 1-point statistics", NOT_REPRODUCED)),
    Claim("law-off", lambda m: errors(m)["law"], below(0.15), "",
          "Fitted on pools of 4, 16 and 64, the law's weights for 8, 32 and 256 are off by less than 0.15."),
    Claim("law-constant", law_over("constant"), below(0.6), "of the error",
          "It errs less than 0.6 times as much as one weight for all."),
    Claim("law-nearest", law_over("nearest"), below(0.7), "of the error",
          "It errs less than 0.7 times as much as the best cut between all memory and none."),
    Claim("law-no-better", law_over("logistic"), above(0.7), "times",
          "It errs more than 0.7 times as much as a logistic curve in log K and log t with as many constants: to tell "
          "them apart takes more sizes and longer training.",
          Reported("wurgaft2025", "abstract", "the law predicts a network almost perfectly throughout training",
                   INCONCLUSIVE)),
]
# fmt: on

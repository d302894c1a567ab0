"""Does a network that must count triples first count single symbols, and then pairs?

Source: edelman2024, abstract (n-grams for n > 2); the released code gives the first of
two layers n - 1 heads. Here: n = 3, k = 3 symbols, T = 64, two heads and then one,
AdamW at 0.005 with batches of 32 for 1,400 steps.
The `paper` preset has T = 100 and the released code's batch, learning rate, weight decay
and 2,000 steps, in our network.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
    equals,
)
from snippets.icl.networks.markov_network import MarkovNetwork, Training, attention_back
from snippets.icl.streams import streams
from snippets.icl.tasks import markov
from snippets.progress import steps

STRATEGIES = ("uniform", "unigram", "bigram", "trigram")
FURTHEST = 6  # places back that the figure of the heads shows


@dataclass(frozen=True)
class Config:
    k: int = 3  # symbols
    length: int = 64  # T, tokens the network reads
    d_model: int = 16
    heads: tuple[int, ...] = (2, 1)  # n - 1 heads in the first layer
    learning_rate: float = 5e-3
    distance_factor: float = 2.0
    beta2: float = 0.98
    weight_decay: float = 0.01
    batch: int = 32
    n_steps: int = 1400
    evaluate_every: int = 20
    n_test: int = 256  # chains that each measurement uses


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        length=100,
        learning_rate=5e-4,
        distance_factor=1.0,
        beta2=0.95,
        weight_decay=0.1,
        batch=64,
        n_steps=2000,
    ),
}


# --8<-- [start:run]
class Test:
    """Chains of order 2 to measure on, with what each strategy says."""

    def __init__(self, config: Config, generator: Generator) -> None:
        k = config.k
        chains = markov.dirichlet_chains(config.n_test, k, generator, order=2)
        self.tokens = markov.sample(chains, config.length, generator)
        self.truth = markov.oracle(self.tokens, chains)
        counts = [markov.counting(self.tokens, k, order) for order in range(3)]
        self.strategies = [markov.uniform(self.tokens, k), *counts]

    def lines(self) -> Float[Tensor, "strategy"]:
        """Mean loss of each strategy, and of the oracle."""
        guesses = [*self.strategies, self.truth]
        losses = [markov.cross_entropy(self.truth, guess).mean() for guess in guesses]
        return torch.stack(losses)


@torch.no_grad()
def evaluate(network: MarkovNetwork, test: Test) -> dict[str, float | list[float]]:
    logits, _ = network(test.tokens)
    guess = logits.softmax(-1)
    return {
        "loss": markov.cross_entropy(test.truth, guess).mean().item(),
        "divergence": [
            markov.divergence(strategy, guess).mean().item()
            for strategy in test.strategies
        ],
    }


def run(config: Config, seed: int) -> Measurements:
    weights, data, held_out = streams(seed, 3)
    network = MarkovNetwork(
        config.k, config.d_model, config.heads, config.length, weights
    )
    training = Training(
        network,
        config.learning_rate,
        config.distance_factor,
        config.beta2,
        config.weight_decay,
    )
    test = Test(config, held_out)
    history = []
    for step in steps(config.n_steps + 1):
        if step % config.evaluate_every == 0:
            history.append({"step": step, **evaluate(network, test)})
        if step % 100 == 0:  # a hundred batches at a time: sampling is quicker so
            n = 100 * config.batch
            chains = markov.dirichlet_chains(n, config.k, data, order=2)
            sequences = markov.sample(chains, config.length + 1, data)
        training.step(sequences[step % 100 :: 100])

    with torch.no_grad():
        _, attention = network(test.tokens)
    back = [attention_back(attention[0], d).numpy() for d in range(FURTHEST)]
    return {
        **{name: np.array([h[name] for h in history]) for name in history[0]},
        "lines": test.lines().numpy(),  # on the same chains as the loss
        **dict(zip((*STRATEGIES, "oracle"), test.lines().tolist())),
        "back": np.stack(back, 1),  # (head, distance), at the end
    }


# --8<-- [end:run]


def nearest(m: Measurements) -> np.ndarray:
    """Which strategy is nearest: 0 uniform, 1 unigram, 2 bigram, 3 trigram."""
    return m["divergence"].argmin(1)


def first_nearest(m: Measurements, strategy: str) -> float:
    """The first measured step at which a strategy is the nearest, or infinity."""
    there = m["step"][nearest(m) == STRATEGIES.index(strategy)]
    return float(there[0]) if len(there) else np.inf


def stairs_in_order(m: Measurements) -> float:
    """How many of unigram, bigram and trigram become nearest, each after the last."""
    firsts = [first_nearest(m, name) for name in STRATEGIES[1:]]
    count, last = 0, -1.0
    for first in firsts:
        if last < first < np.inf:
            count, last = count + 1, first
    return float(count)


def all_stairs(m: Measurements) -> bool:
    """Whether the three become nearest in order: else no stair has a length."""
    return stairs_in_order(m) == 3


def bigram_to_unigram_stair(m: Measurements) -> float:
    """Steps from the first nearest to the bigram to the first nearest to the trigram
    strategy, over those from the unigram to the bigram."""
    unigram, bigram, trigram = (first_nearest(m, name) for name in STRATEGIES[1:])
    return (trigram - bigram) / (bigram - unigram)


def gap_closed(m: Measurements) -> float:
    """Share of the gap from the bigram to the trigram line closed at the end."""
    _, _, bigram, trigram, _ = m["lines"]
    return float((bigram - m["loss"][-4:].mean()) / (bigram - trigram))


def heads_by_distance(m: Measurements) -> float:
    """The smaller of two shares of attention: one head's to the token before, and the
    other head's to the token two back, whichever way round is larger."""
    back = m["back"]
    one_way = min(back[0, 1], back[1, 2])
    other_way = min(back[1, 1], back[0, 2])
    return float(max(one_way, other_way))


# fmt: off
CLAIMS = [
    Claim("stairs", stairs_in_order, equals(3), "strategies in order",
          "The network becomes nearest to the unigram, then the bigram, then the trigram strategy, in this "
          "order.",
          Reported("edelman2024", "abstract", "the task generalises to n-grams for n > 2", SMALLER)),
    Claim("short-stair", bigram_to_unigram_stair, below(1), "of the unigram stair",
          "The bigram stair is shorter than the unigram stair.", applies=all_stairs),
    Claim("closed", gap_closed, above(0.5), "of the gap",
          "At the end it has closed more than half of the gap from the bigram to the trigram line."),
    Claim("above", lambda m: float(m["loss"][-4:].mean() - m["lines"][3]), between(0.01, 0.06), "nats",
          "It stops 0.01 to 0.06 nats above the trigram line."),
    Claim("two-heads", heads_by_distance, above(0.35), "",
          "One first-layer head gives the token before, and the other the token two back, at least 0.35 of "
          "its attention."),
]
# fmt: on

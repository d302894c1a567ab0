"""How many tokens does it take to keep a prompt?

A prompt of pairs is read into m learned summary tokens, and queries see only these:
accuracy on multi-query recall against m, for a network of one size.

Source: mu2023 (abstract) for learned tokens behind a mask, there on language models.
The task and the measurement are ours.
"""

from dataclasses import dataclass, field

import numpy as np
from torch import Generator, nn

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks.more_blocks import build_blocks
from snippets.icl.networks.recaller import LookUp, Recaller, Vocabulary, accuracy_of
from snippets.icl.networks.same_block import count_parameters
from snippets.icl.networks.summary_tokens import Summarised
from snippets.icl.streams import streams
from snippets.icl.training.comparison import Comparison, at, fit


@dataclass(frozen=True)
class Config(Comparison):
    architecture: str = "summary"
    m: int = 4  # summary tokens
    words: Vocabulary = field(default_factory=lambda: Vocabulary(16, 8, 8))
    train_sizes: tuple[int, ...] = (2, 4, 8)  # pairs stored
    test_sizes: tuple[int, ...] = (2, 4, 8)
    rate: float = 0.003
    n_steps: int = 900


PRESETS = {
    "laptop": {
        "m1": Config(m=1),
        "m4": Config(m=4),
        "m8": Config(m=8),
        "m16": Config(m=16),
    }
}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    task = LookUp(config.words)

    def blocks(generator: Generator) -> nn.Module:
        stack = build_blocks(config, generator)
        return Summarised(stack, config.m, config.d_model, generator)

    network = Recaller(config.words, config.d_model, weights, blocks)
    network = fit(network, task, config, data)
    exams = [task.draw(config.n_test, n, test) for n in config.test_sizes]
    return {
        "size": np.array(config.test_sizes),
        "accuracy": np.array([accuracy_of(network, exam) for exam in exams]),
        "loss": float(np.mean([task.loss(network, exam) for exam in exams])),
        "n_parameters": count_parameters(network.blocks),
    }


# --8<-- [end:run]


def recalled(m: Measurements, cell: str, n: int) -> float:
    return at(m, cell, n, "accuracy")


# fmt: off
CLAIMS = [
    Claim("many", lambda m: recalled(m, "m16", 8), above(0.75), "",
          "With as many summaries as there are keys, more than 75 in 100 of 8 pairs are recalled."),
    Claim("one", lambda m: recalled(m, "m1", 8), below(0.5), "",
          "Through one summary less than half of 8 pairs, where naming the value stored most often would give 32 "
          "in 100."),
    Claim("one-of-two", lambda m: recalled(m, "m1", 2), below(0.8), "",
          "Even of 2 pairs one summary lets less than 8 in 10 through, where naming one of the stored values "
          "would give 56 in 100."),
    Claim("gain", lambda m: recalled(m, "m16", 8) - recalled(m, "m1", 8), above(0.3), "",
          "With 8 pairs, 16 summaries recall over 30 in 100 more than one."),
    Claim("between", lambda m: recalled(m, "m16", 8) - recalled(m, "m4", 8), above(0.1), "",
          "And over 10 in 100 more than 4 summaries."),
]
# fmt: on

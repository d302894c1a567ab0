"""How many tokens does it take to keep a prompt?

A prompt of pairs is read into m learned summary tokens, and queries see only these:
accuracy on multi-query recall against m, for a network of one size.

Source: mu2023 (abstract) for learned tokens behind a mask, there on language models.
The task and the measurement are ours.
"""

from dataclasses import dataclass, field

import numpy as np
from torch import Generator, nn

from snippets.contract import Claim, Measurements
from snippets.icl.networks.more_blocks import build_blocks
from snippets.icl.networks.recaller import LookUp, Recaller, Vocabulary, accuracy_of
from snippets.icl.networks.same_block import count_parameters
from snippets.icl.networks.summary_tokens import Summarised
from snippets.icl.streams import streams
from snippets.icl.training.comparison import Comparison, fit


@dataclass(frozen=True)
class Config(Comparison):
    architecture: str = "summary"
    m: int = 4  # summary tokens
    words: Vocabulary = field(default_factory=Vocabulary)
    train_sizes: tuple[int, ...] = (4, 8, 16)  # pairs stored
    test_sizes: tuple[int, ...] = (2, 4, 8, 16)
    rate: float = 0.01
    n_steps: int = 400


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

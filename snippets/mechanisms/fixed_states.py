"""What do a selective state space and a gated convolution recall, and what does one
attention layer add?

The recall of `recall`, with the same sizes, for layers that it does not have: a
selective state space whose state is as large as the matrices there, a long convolution
between gates, and a hybrid, one block of state space and one of attention. Beside them
attention in both blocks, trained for as many steps.

Source: arora2023, the task and the question; park2024 for the hybrid. What differs: a
pair is one token, so there is no short convolution before the state space; 25 thousand
parameters.
"""

from dataclasses import dataclass, field

import numpy as np

from snippets.contract import Claim, Measurements
from snippets.icl.networks.more_blocks import build_blocks
from snippets.icl.networks.recaller import LookUp, Recaller, Vocabulary, accuracy_of
from snippets.icl.networks.same_block import count_parameters
from snippets.icl.streams import streams
from snippets.icl.training.comparison import Comparison, fit


@dataclass(frozen=True)
class Config(Comparison):
    words: Vocabulary = field(default_factory=Vocabulary)
    train_sizes: tuple[int, ...] = (4, 8, 16, 32)  # pairs stored
    test_sizes: tuple[int, ...] = (4, 8, 16, 32)


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, test = streams(seed, 3)
    task = LookUp(config.words)
    network = Recaller(
        config.words, config.d_model, weights, lambda g: build_blocks(config, g)
    )
    network = fit(network, task, config, data)
    exams = [task.draw(config.n_test, n, test) for n in config.test_sizes]
    return {
        "size": np.array(config.test_sizes),
        "accuracy": np.array([accuracy_of(network, exam) for exam in exams]),
        "loss": float(np.mean([task.loss(network, exam) for exam in exams])),
        "n_parameters": count_parameters(network.blocks),
    }


# --8<-- [end:run]

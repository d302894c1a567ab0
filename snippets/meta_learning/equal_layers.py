"""What does the start of the first layer decide?

Source: minegishi2025, table 1, for the circuit a network should end in. Here: the
setting of `phases`, but with the first layer's W_Q and W_K at their usual scale, as in
the source. A run ends when the task is mastered, as there.
"""

import numpy as np

from snippets.contract import SMALLER, Claim, Measurements, Reported, above
from snippets.icl.training.label_map_training import Config, train

PRESETS = {"laptop": Config(first_scale=1.0)}


def run(config: Config, seed: int) -> Measurements:
    return train(config, seed)


# --8<-- [start:derived]
def at_the_end(m: Measurements, name: str) -> float:
    return float(m[name][-5:].mean())


def second_reads(m: Measurements) -> float:
    """What layer 2 gives to labels at the end, where layer 1 looks at the query itself
    with more than half of its attention; infinity where it does not."""
    return at_the_end(m, "label_2") if at_the_end(m, "bigram_1") > 0.5 else np.inf


def first_reads(m: Measurements) -> float:
    """What layer 1 gives to labels at the end, where layer 2 gives them less than half;
    infinity where it does not."""
    return at_the_end(m, "label_1") if at_the_end(m, "label_2") < 0.5 else np.inf


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("end", lambda m: at_the_end(m, "accuracy"), above(0.8), "",
          "At the end more than 80 answers in 100 are right.",
          digits=3),
    Claim("second-reads", second_reads, above(0.5), "",
          "Where layer 1 ends with more than half of its attention on the query, layer 2 gives labels more "
          "than half.",
          Reported("minegishi2025", "table 1", "label attention in layer 2", SMALLER)),
    Claim("first-reads", first_reads, above(0.4), "",
          "Where layer 2 ends with less than half of its attention on labels, layer 1 gives them more than "
          "0.4."),
]
# fmt: on

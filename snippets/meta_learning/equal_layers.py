"""What does the start of the first layer decide?

Source: minegishi2025, table 1, for the circuit a network should end in. Here: the
setting of `phases`, but with the first layer's W_Q and W_K at their usual scale, as in
the source. A run ends when the task is mastered, as there.
"""

from snippets.contract import SMALLER, Claim, Measurements, Reported, above
from snippets.icl.training.circuits import at_the_end, attention, begins, second_phase
from snippets.icl.training.label_map_training import Config, train

PRESETS = {"laptop": Config(first_scale=1.0)}


def run(config: Config, seed: int) -> Measurements:
    m = train(config, seed)
    return {**m, "second": second_phase(m), "split": begins(m)[2]}


# --8<-- [start:derived]
def looks(m: Measurements, name: str) -> float:
    """A share of attention at the end of the run."""
    return at_the_end(m, attention(m, name))


def first_is_taken(m: Measurements) -> bool:
    """Layer 1 ends with more than half of its attention on the query itself."""
    return looks(m, "bigram_1") > 0.5


def second_is_divided(m: Measurements) -> bool:
    """Layer 2 ends with less than half of its attention on labels."""
    return looks(m, "label_2") < 0.5


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("end", lambda m: at_the_end(m, m["accuracy"]), above(0.95), "",
          "At the end more than 95 answers in 100 are right.",
          digits=3),
    Claim("second-reads", lambda m: looks(m, "label_2"), above(0.5), "",
          "Where layer 1 ends with more than half of its attention on the query, layer 2 gives labels more "
          "than half.",
          Reported("minegishi2025", "table 1", "label attention in layer 2", SMALLER),
          applies=first_is_taken),
]
# fmt: on

"""What limits a learner in context: what it can hold, or how many parameters it has?

Source: kirsch2022, section 4.2, which compares LSTMs and transformers of many sizes by
the size of their state. Here: one kind of network in two widths, its sight cut to a
window of tokens, in training too, so that state and parameters vary separately.
"""

from dataclasses import dataclass, field

from snippets.contract import Claim, Measurements, above, below, equals
from snippets.icl.networks.context_classifier import Shape
from snippets.icl.streams import streams
from snippets.icl.tasks.projected_tasks import (
    digits,
    nearest_neighbour,
    new_tasks,
    sequences,
)
from snippets.icl.training.meta_training import Training, accuracy, meta_train


# --8<-- [start:cells]
@dataclass(frozen=True)
class Config:
    d_model: int
    window: int  # tokens that a token sees in each layer, itself included
    n_heads: int = 2  # with one a narrow network often stays half-learned
    training: Training = field(default_factory=Training)
    classes: tuple[int, ...] = (0, 1, 2, 3, 4)
    n_test: int = 512  # sequences
    late: int = 4  # positions, at the end, that count as late


PRESETS = {
    "laptop": {
        "narrow-6": Config(32, window=6),
        "narrow-12": Config(32, window=12),
        "narrow-24": Config(32, window=24),
        "wide-6": Config(64, window=6),
        "wide-12": Config(64, window=12),
        "wide-24": Config(64, window=24),
    },
}
# --8<-- [end:cells]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    split, weights, training, tests = streams(seed, 4)  # the same for each cell
    how, shape = config.training, Shape(config.d_model, n_heads=config.n_heads)
    data = digits(config.classes, (), split)
    held_out = data["held out"]
    tasks = new_tasks(config.n_test, held_out, how.n_dims, how.n_labels, tests)
    unseen = sequences(held_out, tasks, how.length, tests)
    network = meta_train(
        shape, how, data["train"], None, weights, training, config.window
    )

    late = slice(-config.late, None)
    return {
        "accuracy": accuracy(network, unseen, config.window)[late].mean().item(),
        # the nearest of as many earlier points as there are tokens in sight
        "neighbour": nearest_neighbour(unseen, config.window)[late].mean().item(),
        "n_parameters": sum(p.numel() for p in network.parameters()),
        # keys and values of the tokens in sight, in each layer
        "state": 2 * shape.n_layers * shape.d_model * config.window,
    }


# --8<-- [end:run]


# --8<-- [start:derived]
def ahead(m: Measurements, one: str, other: str) -> float:
    """By how much one network ends above another."""
    return float(m[one]["accuracy"] - m[other]["accuracy"])


def farthest_from_neighbour(m: Measurements) -> float:
    """The largest difference between a network and the nearest neighbour that looks at
    as many last examples as the network has tokens in sight."""
    return max(abs(float(c["accuracy"] - c["neighbour"])) for c in m.values())


# --8<-- [end:derived]

# fmt: off
CLAIMS = [
    Claim("memory", lambda m: ahead(m, "wide-24", "wide-6"), above(0.15), "",
          "With the same parameters, 24 tokens in sight end above 6 by over 0.15."),
    Claim("parameters", lambda m: ahead(m, "wide-6", "narrow-6"), equals(0, 0.08), "",
          "With 6 tokens in sight the wide network ends within 0.08 of the narrow."),
    Claim("memory-or-parameters", lambda m: ahead(m, "narrow-24", "wide-6"), above(0.1), "",
          "The narrow network with 24 in sight beats the wide with 6 by over 0.1."),
    Claim("same-state", lambda m: ahead(m, "narrow-12", "wide-6"), above(0.05), "",
          "With a state of one size the narrow network, seeing more, leads by 0.05."),
    Claim("in-sight", farthest_from_neighbour, below(0.1), "",
          "Each ends within 0.1 of the nearest among as many last examples."),
]
# fmt: on

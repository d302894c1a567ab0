"""When does a network that is trained on many tasks learn to learn a new one?

Source: kirsch2022, section 4.1 and table 1. Here: 8 x 8 images of five digits, not
MNIST, sequences of 24 instead of 100, two layers of attention without an MLP instead of
four with, in each token the whole example before it instead of its label alone, and 40
first steps on two classes, which shorten the plateau. The
`paper` preset has the source's network, token and length. Its data, batch and learning
rate are ours, for we have neither MNIST nor the source's numbers.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    NOT_REPRODUCED,
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
    between,
    equals,
)
from snippets.icl.networks.context_classifier import Shape
from snippets.icl.streams import streams
from snippets.icl.tasks.projected_tasks import (
    TABLES,
    Batch,
    DataSet,
    Tasks,
    digits,
    nearest_neighbour,
    new_tasks,
    sequences,
    table,
)
from snippets.icl.training.meta_training import Training, accuracy, meta_train


@dataclass(frozen=True)
class Config:
    classes: tuple[int, ...] = (0, 1, 2, 3, 4)  # digits to train on
    others: tuple[int, ...] = (5, 6, 7, 8, 9)  # digits never seen
    n_tasks: tuple[int | None, ...] = (1, 8, 64, 256, None)  # None: new ones always
    shape: Shape = field(default_factory=Shape)
    training: Training = field(default_factory=Training)
    n_test: int = 512  # sequences in each test set
    late: int = 4  # positions, at the end, that count as late


PRESETS = {
    "laptop": Config(),
    "paper": Config(
        classes=tuple(range(10)),
        others=tuple(range(10)),  # no digit is left to hold out
        n_tasks=(1, 8, 64, 2**9, 2**12, 2**13, 2**14, 2**16, None),
        shape=Shape(256, n_layers=4, n_heads=8, mlp=4, paired=False, n_positions=100),
        training=Training(
            n_labels=10,
            n_dims=64,
            length=100,
            batch=128,
            learning_rate=3e-4,
            warm_up=1000,
            n_steps=100_000,
            start_steps=0,
        ),
    ),
}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    split, weights, pools, training, tests = streams(seed, 5)
    data, how = digits(config.classes, config.others, split), config.training

    def fresh(n: int, of: DataSet, stream: Generator) -> Tasks:
        return new_tasks(n, of, how.n_dims, how.n_labels, stream)

    def test(of: DataSet, pool: Tasks | None = None) -> Batch:
        n = config.n_test
        tasks = fresh(n, of, tests) if pool is None else pool.pick(n, tests)
        return sequences(of, tasks, how.length, tests)

    # what no network is trained on: held-out images, new tasks, other data
    held_out = data["held out"]
    unseen = test(held_out)
    elsewhere = {"other digits": test(data["other digits"])}
    elsewhere |= {name: test(table(name)) for name in TABLES}

    largest = fresh(max(k for k in config.n_tasks if k), data["train"], pools)
    rows = []
    for number, k in enumerate(config.n_tasks):
        pool = largest.first(k) if k is not None else None
        loop = {"loop": number, "of": len(config.n_tasks)}
        network = meta_train(
            config.shape, how, data["train"], pool, weights, training, **loop
        )
        there = [late(accuracy(network, batch), config) for batch in elsewhere.values()]
        seen = accuracy(network, test(held_out, pool))
        n_tasks = np.inf if k is None else k
        rows.append((n_tasks, seen, accuracy(network, unseen), torch.stack(there)))
    columns = [np.stack(list(map(np.asarray, column))) for column in zip(*rows)]
    return {
        **dict(zip(("n_tasks", "seen", "unseen", "elsewhere"), columns)),
        **compared(config, unseen, elsewhere, data["other digits"]),
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def compared(
    config: Config, unseen: Batch, elsewhere: dict[str, Batch], others: DataSet
) -> Measurements:
    """What the networks are compared with: chance, and the nearest neighbour."""
    neighbours = {name: late(nearest_neighbour(batch), config).item()
                  for name, batch in elsewhere.items()}  # fmt: skip
    n_classes = [others.n_classes, *(table(name).n_classes for name in TABLES)]
    return {
        "late": config.late,
        "chance": 1 / len(config.classes),
        "neighbour": nearest_neighbour(unseen).numpy(),
        "neighbour_elsewhere": np.array(list(neighbours.values()), dtype=np.float32),
        "neighbour_wine": neighbours["wine"],
        "chance_elsewhere": 1 / np.array(n_classes),
    }


def late(accuracies: Float[Tensor, "pos"], config: Config) -> Float[Tensor, ""]:
    """Mean accuracy over the last positions."""
    return accuracies[-config.late :].mean()


# --8<-- [end:run]


# --8<-- [start:derived]
def row(m: Measurements, k: int | float) -> int:
    """Which network was trained on k tasks."""
    return int(np.flatnonzero(m["n_tasks"] == k)[0])


def first(m: Measurements, kind: str, k: int | float) -> float:
    """Accuracy before any example was shown."""
    return float(m[kind][row(m, k), 0])


def at_the_end(m: Measurements, kind: str, k: int | float) -> float:
    return float(m[kind][row(m, k), -int(m["late"]) :].mean())


def gain(m: Measurements, kind: str, k: int | float) -> float:
    """What the examples of the sequence are worth."""
    return at_the_end(m, kind, k) - first(m, kind, k)


def threshold(m: Measurements) -> float:
    """The fewest tasks after which unseen ones end at twice chance, or infinity."""
    for k in m["n_tasks"]:
        if at_the_end(m, "unseen", k) > 2 * m["chance"]:
            return float(k)
    return np.inf


def behind_neighbour(m: Measurements) -> float:
    """How far the network trained on new tasks ends below the nearest neighbour."""
    oracle = float(m["neighbour"][-int(m["late"]) :].mean())
    return oracle - at_the_end(m, "unseen", np.inf)


def elsewhere(m: Measurements, name: str) -> float:
    """Accuracy at the end of the network trained on new tasks, on another data set."""
    return float(m["elsewhere"][row(m, np.inf), ELSEWHERE.index(name)])


def ahead_elsewhere(m: Measurements) -> np.ndarray:
    """How far it ends above the nearest neighbour, on each of the other data sets."""
    return m["elsewhere"][row(m, np.inf)] - m["neighbour_elsewhere"]


ELSEWHERE = ("other digits", *TABLES)

# --8<-- [end:derived]

# fmt: off
CLAIMS = [
    Claim("memorises", lambda m: first(m, "seen", 1), above(0.833), "",
          "Trained on one task, it names five in six of the first images correctly."),
    Claim("memorises-only", lambda m: gain(m, "seen", 1), equals(0, 0.07), "",
          "Trained on one task, it gains less than 0.07 within a sequence of it.",
          Reported("kirsch2022", "section 4.1", "with few tasks no gain within a sequence", SMALLER)),
    Claim("recognises", lambda m: gain(m, "seen", 8), above(0.2), "",
          "Trained on eight tasks, it gains more than 0.2 within a sequence of one.",
          Reported("kirsch2022", "section 4.1", "then a gain on seen tasks only", SMALLER)),
    Claim("recognises-only", lambda m: at_the_end(m, "unseen", 8), below(0.3), "",
          "Trained on eight tasks, it ends below 0.3 on tasks that it has not seen."),
    Claim("learns", lambda m: at_the_end(m, "unseen", 256), above(0.5), "",
          "Trained on 256 tasks, it ends above 0.5, two and a half times chance, on tasks that it has not seen.",
          Reported("kirsch2022", "section 4.1", "with many tasks a gain on unseen tasks too", SMALLER)),
    Claim("threshold", threshold, between(8, 257), "tasks",
          "Learning needs more than eight tasks and no more than 256.",
          Reported("kirsch2022", "section 4.1", "about 2^13 tasks", NOT_REPRODUCED)),
    Claim("neighbour", behind_neighbour, below(0.05), "",
          "Trained on new tasks, it ends within 0.05 of the nearest neighbour."),
    Claim("other-digits", lambda m: elsewhere(m, "other digits"), above(0.5), "",
          "It ends above 0.5 on the five digits that it has never seen."),
    Claim("wine", lambda m: elsewhere(m, "wine"), above(0.7), "",
          "On wine it ends above 0.7, where chance is a third."),
    Claim("no-better", lambda m: max(ahead_elsewhere(m)), below(0.03), "",
          "On none of the four data sets does it end more than 0.03 above the nearest neighbour."),
    Claim("breast-cancer", lambda m: elsewhere(m, "breast cancer"), above(0.6), "",
          "On breast cancer it ends above 0.6, where chance is a half."),
    Claim("iris", lambda m: elsewhere(m, "iris"), above(0.65), "",
          "On iris it ends above 0.65, where chance is a third."),
]
# fmt: on

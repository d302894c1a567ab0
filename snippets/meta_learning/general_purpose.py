"""When does a network that is trained on many tasks learn to learn a new one?

Source: kirsch2022, section 4.1 and table 1. Here: 8 x 8 images of five digits, not
MNIST, sequences of 24 instead of 100, two layers of attention without an MLP instead of
four with, and in each token the whole example before it instead of its label alone. The
`paper` preset has the source's network, token and length. Its data, batch and learning
rate are ours, for we have neither MNIST nor the source's numbers.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from snippets.book import style
from snippets.book.contract import Claim, Measurements, Reported
from snippets.icl.context_classifier import Shape
from snippets.icl.meta_training import Training, accuracy, meta_train
from snippets.icl.projected_tasks import (
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


@dataclass(frozen=True)
class Config:
    classes: tuple[int, ...] = (0, 1, 2, 3, 4)  # digits to train on
    others: tuple[int, ...] = (5, 6, 7, 8, 9)  # digits never seen
    n_tasks: tuple[int | None, ...] = (1, 8, 16, 64, None)  # None: new ones always
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
        ),
    ),
}


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    data, how = digits(config.classes, config.others, generator), config.training

    def fresh(n: int, of: DataSet) -> Tasks:
        return new_tasks(n, of, how.n_dims, how.n_labels, generator)

    def test(of: DataSet, pool: Tasks | None = None) -> Batch:
        n = config.n_test
        tasks = fresh(n, of) if pool is None else pool.pick(n, generator)
        return sequences(of, tasks, how.length, generator)

    # what no network is trained on: held-out images, new tasks, other data
    held_out = data["held out"]
    unseen = test(held_out)
    elsewhere = {"other digits": test(data["other digits"])}
    elsewhere |= {name: test(table(name)) for name in TABLES}

    largest = fresh(max(k for k in config.n_tasks if k), data["train"])
    measured = []
    for number, k in enumerate(config.n_tasks):
        pool = largest.first(k) if k is not None else None
        loop = {"loop": number, "of": len(config.n_tasks)}
        network = meta_train(config.shape, how, data["train"], pool, generator, **loop)
        there = {name: accuracy(network, batch) for name, batch in elsewhere.items()}
        measured.append(
            {
                "n_tasks": np.inf if k is None else k,
                "seen": accuracy(network, test(held_out, pool)),
                "unseen": accuracy(network, unseen),
                "elsewhere": torch.stack([late(a, config) for a in there.values()]),
            }
        )
    return {
        **{
            name: np.stack([np.asarray(m[name]) for m in measured])
            for name in measured[0]
        },
        "late": config.late,
        "chance": 1 / len(config.classes),
        "neighbour": nearest_neighbour(unseen).numpy(),
        "neighbour_elsewhere": np.array(
            [late(nearest_neighbour(batch), config) for batch in elsewhere.values()]
        ),
        "chance_elsewhere": np.array(
            [1 / data["other digits"].n_classes]
            + [1 / table(name).n_classes for name in TABLES]
        ),
        "n_parameters": sum(p.numel() for p in network.parameters()),
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


ELSEWHERE = ("other digits", *TABLES)

# --8<-- [end:derived]

CLAIMS = [
    Claim(
        id="memorises",
        says="Trained on one task, it names five in six of the first images correctly.",
        value=lambda m: first(m, "seen", 1),
        holds=lambda v: v > 5 / 6,
    ),
    Claim(
        id="memorises-only",
        says="Trained on one task, it gains less than 0.07 within a sequence of it.",
        value=lambda m: gain(m, "seen", 1),
        holds=lambda v: abs(v) < 0.07,
        reported=Reported(
            "kirsch2022",
            "section 4.1",
            "with few tasks no gain within a sequence",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="recognises",
        says="Trained on eight tasks, it gains more than 0.2 within a sequence of one.",
        value=lambda m: gain(m, "seen", 8),
        holds=lambda v: v > 0.2,
        reported=Reported(
            "kirsch2022",
            "section 4.1",
            "then a gain on seen tasks only",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="recognises-only",
        says="Trained on eight tasks, it ends below 0.3 on tasks that it has not seen.",
        value=lambda m: at_the_end(m, "unseen", 8),
        holds=lambda v: v < 0.3,
    ),
    Claim(
        id="learns",
        says=(
            "Trained on 64 tasks, it ends above twice chance, 0.4, on tasks that it "
            "has not seen."
        ),
        value=lambda m: at_the_end(m, "unseen", 64),
        holds=lambda v: v > 0.4,
        reported=Reported(
            "kirsch2022",
            "section 4.1",
            "with many tasks a gain on unseen tasks too",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="threshold",
        says="Learning needs more than eight tasks and no more than 64.",
        value=threshold,
        holds=lambda v: 8 < v <= 64,
        unit="tasks",
        reported=Reported(
            "kirsch2022", "section 4.1", "about 2^13 tasks", "not reproduced"
        ),
    ),
    Claim(
        id="neighbour",
        says="Trained on new tasks, it ends within 0.05 of the nearest neighbour.",
        value=behind_neighbour,
        holds=lambda v: v < 0.05,
    ),
    Claim(
        id="other-digits",
        says="It ends above 0.5 on the five digits that it has never seen.",
        value=lambda m: elsewhere(m, "other digits"),
        holds=lambda v: v > 0.5,
    ),
    Claim(
        id="wine",
        says="On wine it ends above 0.7, where chance is a third.",
        value=lambda m: elsewhere(m, "wine"),
        holds=lambda v: v > 0.7,
        reported=Reported(
            "kirsch2022",
            "table 1",
            "trained on MNIST, .62 on Fashion-MNIST after 99 examples",
            "reproduced at smaller scale",
        ),
    ),
    Claim(
        id="breast-cancer",
        says="On breast cancer it ends above 0.6, where chance is a half.",
        value=lambda m: elsewhere(m, "breast cancer"),
        holds=lambda v: v > 0.6,
    ),
    Claim(
        id="iris",
        says="On iris it ends above 0.65, where chance is a third.",
        value=lambda m: elsewhere(m, "iris"),
        holds=lambda v: v > 0.65,
    ),
]


# --8<-- [start:draw]
def draw(runs: list[Measurements]) -> dict[str, Figure]:
    return {
        "regimes": draw_regimes(runs),
        "positions": draw_positions(runs),
        "elsewhere": draw_elsewhere(runs),
    }


# --8<-- [end:draw]


def draw_regimes(runs: list[Measurements]) -> Figure:
    """First and late accuracy against the number of tasks, seen above, unseen below."""
    figure, axes = style.panels(2, height=2.4, sharex=True)
    ks = runs[0]["n_tasks"]
    x = np.arange(len(ks))
    for ax, kind in zip(axes[:, 0], ("seen", "unseen")):
        for index, (name, value) in enumerate((("end", at_the_end), ("start", first))):
            ys = [np.array([value(m, kind, k) for k in ks]) for m in runs]
            style.seeds_and_median(
                ax, x, ys, index, f"{name} of the sequence", marker="o"
            )
        style.level(ax, runs[0]["chance"], "chance", below=True)
        ax.set(ylabel=f"accuracy, {kind} tasks", ylim=(0, 1.04))
    axes[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    axes[1, 0].set(xlabel="tasks to train on")
    axes[1, 0].set_xticks(x, ["new" if np.isinf(k) else str(int(k)) for k in ks])
    return figure


def draw_positions(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(2, height=2.4, sharex=True)
    x = np.arange(runs[0]["seen"].shape[1])
    for ax, kind in zip(axes[:, 0], ("seen", "unseen")):
        for index, k in enumerate((1, 8, 64, np.inf)):
            ys = [m[kind][row(m, k)] for m in runs]
            label = {1: "1 task", np.inf: "new tasks"}.get(k, f"{k} tasks")
            style.seeds_and_median(ax, x, ys, index, label)
        ax.set(ylabel=f"accuracy, {kind} tasks", ylim=(0, 1.04))
        style.level(ax, runs[0]["chance"], "chance", below=True)
    oracle = np.median([m["neighbour"] for m in runs], 0)
    axes[1, 0].plot(
        x[1:], oracle[1:], color=style.ink(), linestyle="--", label="nearest neighbour"
    )
    axes[1, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    axes[1, 0].set(xlabel="examples shown before")
    return figure


def draw_elsewhere(runs: list[Measurements]) -> Figure:
    figure, axes = style.panels(1, height=3.2)
    ax = axes[0, 0]
    y = np.arange(len(ELSEWHERE))
    kinds = (
        ("nearest neighbour", [m["neighbour_elsewhere"] for m in runs], 2, -0.2),
        ("new tasks", [m["elsewhere"][row(m, np.inf)] for m in runs], 0, 0.0),
        ("8 tasks", [m["elsewhere"][row(m, 8)] for m in runs], 1, 0.2),
    )
    for label, values, index, shift in kinds:
        for v in values:
            ax.plot(v, y + shift, ".", color=style.colour(index), alpha=0.5)
        ax.plot(
            np.median(values, 0), y + shift, "|", color=style.colour(index),
            markersize=13, markeredgewidth=2.5, label=label,
        )  # fmt: skip
    for level, height in zip(runs[0]["chance_elsewhere"], y):
        ax.plot([level] * 2, [height - 0.35, height + 0.35], ":", color=style.ink())
    ax.invert_yaxis()
    ax.set_yticks(y, [name.replace(" ", "\n") for name in ELSEWHERE])
    ax.set(xlabel="accuracy at the end of the sequence", xlim=(0, 1.02))
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, columnspacing=1)
    return figure

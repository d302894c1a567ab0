"""How much do a context's labels tell, without their items?

Source: minegishi2025, section 4.3, figure 5 and appendix D: two tasks, K = L, no label
of a class the same in both. Here: the formula for any N, an exact count over all
contexts, and two readers of one attention layer: by hand, and trained.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Reported,
    above,
    below,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.label_maps import Batch, Task, World, answer_odds, from_labels
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    n_classes: tuple[int, ...] = (8, 16, 32)  # K, and as many labels
    n_pairs: int = 4  # N
    n_test: int = 40_000  # sequences for each K
    learning_rate: float = 0.1
    batch: int = 256
    n_steps: int = 600  # for each K


PRESETS = {"laptop": Config()}


def two_maps(K: int, N: int) -> Task:
    """Two cyclic maps that agree on no class; the query's class is never shown."""
    return Task(
        n_tasks=2,
        n_pairs=N,
        n_classes=K,
        n_labels=K,
        d_item=1,  # items and label vectors play no part here
        noise=0.0,
        n_slots=2 * N + 1,
        maps="cyclic",
        query_shown=False,
    )


def theory(K: int, N: int) -> float:
    """(1 + p) / 2, with p = N / (K - 1): the chance that the wrong answer is shown."""
    return (1 + N / (K - 1)) / 2


# --8<-- [start:count]
Reader = Callable[[World, Batch], Float[Tensor, "batch label"]]


def count(K: int, N: int, reader: Reader) -> float:
    """How often a reader is right, from every context of both tasks.

    The maps are shifts, so moving every class and every label on by one changes nothing:
    the contexts of one query stand for those of all.
    """
    world, query, chances = World(two_maps(K, N), Generator()), 0, []
    classes = torch.combinations(torch.arange(1, K), N)  # every set, in one order
    for task in range(2):
        batch = contexts(world, classes, world.maps[task][classes], query, task)
        chances.append(expected_accuracy(reader(world, batch), batch.answer))
    return float(np.mean(chances))


def best_guess(world: World, batch: Batch) -> Float[Tensor, "batch label"]:
    """The odds of each answer, given the query and the labels."""
    return answer_odds(world, batch, from_labels(world, batch))


def contexts(
    world: World, classes: Tensor, labels: Tensor, query: int, task: int
) -> Batch:
    """A batch of given classes and labels; the count needs no tokens."""
    n = len(classes)
    none = torch.zeros(n, world.task.n_tokens, world.task.d_model)
    answer = int(world.maps[task, query])
    return Batch(
        none, none, classes, labels, torch.full((n,), query), torch.full((n,), answer)
    )


def expected_accuracy(score: Float[Tensor, "batch label"], answer: Tensor) -> float:
    """The chance to be right if ties at the top are broken at random."""
    top = score >= score.amax(1, keepdim=True) - 1e-4
    hit = top.gather(1, answer[:, None])[:, 0].double()
    return (hit / top.sum(1)).mean().item()


# --8<-- [end:count]


# --8<-- [start:reader]
def read(batch: Batch, K: int) -> tuple[Tensor, Tensor]:
    """What one head brings to the query if it attends evenly to the label tokens and to
    nothing else: the mean of the one-hot labels. And the one-hot query itself."""
    labels = F.one_hot(batch.context_labels, K).float().mean(1)  # (batch, label)
    return F.one_hot(batch.query, K).float(), labels


def by_hand(world: World, batch: Batch) -> Float[Tensor, "batch label"]:
    """A linear readout: a point for each label that a task gives to the query, less two
    for each label shown."""
    K, N = world.task.n_classes, world.task.n_pairs
    query, labels = read(batch, K)
    candidates = F.one_hot(world.maps, K).sum(0).float()  # (class, label)
    return query @ candidates - 2 * N * labels


def trained(world: World, config: Config) -> tuple[Tensor, Tensor]:
    """The same two inputs, and a readout that starts at zero and learns."""
    K = world.task.n_classes
    W_query, W_labels = (torch.zeros(K, K, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.Adam([W_query, W_labels], config.learning_rate, fused=True)
    every = world.draw(config.n_steps * config.batch)  # each sequence is used once
    query, labels = read(every, K)
    for step in steps(config.n_steps):
        now = slice(step * config.batch, (step + 1) * config.batch)
        logits = query[now] @ W_query + config.n_pairs * labels[now] @ W_labels
        loss = F.cross_entropy(logits, every.answer[now])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W_query.detach(), W_labels.detach()


# --8<-- [end:reader]


def run(config: Config, seed: int) -> Measurements:
    training, tests = streams(seed, 2)
    N, rows = config.n_pairs, []
    for K in config.n_classes:
        world = World(two_maps(K, N), training)
        test = world.drawing_from(tests).draw(config.n_test)
        W_query, W_labels = trained(world, config)
        query, labels = read(test, K)
        score = query @ W_query + N * labels @ W_labels
        rows.append(
            {
                "K": K,
                "theory": theory(K, N),
                "count": count(K, N, best_guess),
                "by_hand": count(K, N, by_hand),
                "trained": (score.argmax(1) == test.answer).float().mean().item(),
                "shown_lowers": -W_labels.diagonal().mean().item(),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def furthest(m: Measurements, name: str) -> float:
    """The largest distance of a row of the table from the formula."""
    return float(np.abs(m[name] - m["theory"]).max())


# fmt: off
CLAIMS = [
    Claim("count", lambda m: furthest(m, "count"), below(1e-12), "",
          "The exact count over all contexts agrees with the formula to 12 digits.",
          exact=True),
    Claim("by-hand", lambda m: furthest(m, "by_hand"), below(1e-12), "",
          "The readout made by hand, over all contexts, scores what the formula says to 12 digits.",
          exact=True),
    Claim("trained", lambda m: furthest(m, "trained"), below(0.02), "",
          "The trained readout scores what the formula says, within 0.02.",
          Reported("minegishi2025", "figure 5", "a network held to the second circuit reaches the formula", SMALLER)),
    Claim("elimination", lambda m: float(m["shown_lowers"].min()), above(3), "nats",
          "In the trained readout a label shown loses more than 3 of its own logit."),
]
# fmt: on

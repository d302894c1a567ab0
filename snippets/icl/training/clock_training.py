"""How a small transformer learns the tasks of the clock, and the prompts it is asked
with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.open_transformer import OpenTransformer
from snippets.icl.shapes import Labels
from snippets.icl.tasks import clock
from snippets.icl.tasks.clock import Prompt
from snippets.icl.training.fresh_batches import train


@dataclass(frozen=True)
class ClockTraining:
    tasks: tuple[str, ...] = tuple(clock.TASKS)[:6]
    n: int = 5  # examples in a prompt
    d_model: int = 64
    n_layers: int = 3
    n_heads: int = 4
    learning_rate: float = 4e-3
    batch: int = 64
    n_steps: int = 1000
    evaluate_every: int = 50
    n_test: int = 512  # prompts of each kind
    n_each: int = 50  # prompts of each task for its vectors, and to tell tasks apart


# --8<-- [start:training]
def new_network(c: ClockTraining, weights: Generator) -> OpenTransformer:
    """With room for n examples of three tokens, an hour and its arrow."""
    return OpenTransformer(
        clock.N_TOKENS, c.d_model, c.n_layers, c.n_heads, 3 * c.n + 2, weights
    )


def training(
    network: OpenTransformer, c: ClockTraining, data: Generator
) -> Iterator[int]:
    """A task for each prompt; every arrow is asked, the first one after no example."""
    maps = clock.maps_of(list(c.tasks))

    def batch_loss() -> Float[Tensor, ""]:
        which = torch.randint(len(maps), (c.batch,), generator=data)
        hours = clock.few_hours(c.batch, c.n + 1, clock.HOURS, data)
        tokens, answers = clock.written(maps[which], hours)
        logits = network(tokens).logits[:, 1::3]  # at the arrows
        return F.cross_entropy(logits.flatten(0, 1), answers.flatten())

    return train(network, batch_loss, c.n_steps, c.learning_rate)


# --8<-- [end:training]


class Asked(NamedTuple):
    """Prompts of known tasks. `hour` is the query's, `answer` what its task makes of
    it."""

    tokens: Prompt
    task: Labels
    hour: Labels
    answer: Labels


# --8<-- [start:exam]
class Exam:
    """Test prompts; none of them was trained on, though every map was."""

    def __init__(self, c: ClockTraining, exam: Generator) -> None:
        self.maps = clock.maps_of(list(c.tasks))
        n_tasks, T, g = len(self.maps), c.n_test, exam
        task = torch.randint(n_tasks, (T,), generator=g)
        self.few_shot = self.ask(task, clock.other_hours(T, c.n + 1, g))
        self.zero_shot = self.ask(task, clock.other_hours(T, 1, g))
        self.shown = self.ask(task, with_a_shown_query(T, c.n, g))
        mixed = clock.other_hours(T, c.n + 1, g)
        self.shuffled = shuffle_answers(self.ask(task, mixed), g)
        each = torch.arange(n_tasks).repeat_interleave(c.n_each)
        self.for_vectors = self.ask(each, clock.other_hours(len(each), c.n + 1, g))
        # one query for all, hour 0, which no example shows
        shown = 1 + torch.rand(len(each), clock.HOURS - 1, generator=g).argsort(1)
        dummy = torch.zeros(len(each), 1).long()
        self.dummy = self.ask(each, torch.cat([shown[:, : c.n], dummy], 1))
        # another task for each few-shot prompt
        away = torch.randint(1, n_tasks, (T,), generator=g) if n_tasks > 1 else task * 0
        self.other = (task + away) % n_tasks

    def ask(self, task: Labels, hours: Int[Tensor, "batch n_and_query"]) -> Asked:
        tokens, answers = clock.written(self.maps[task], hours)
        return Asked(tokens, task, hours[:, -1], answers[:, -1])


def with_a_shown_query(batch: int, n: int, g: Generator) -> Int[Tensor, "batch pos"]:
    """n different hours, and one of them once more."""
    hours = clock.other_hours(batch, n, g)
    return torch.cat(
        [hours, hours.gather(1, torch.randint(n, (batch, 1), generator=g))], 1
    )


def shuffle_answers(asked: Asked, g: Generator) -> Asked:
    """The examples' answers dealt out anew: the task can no longer be read."""
    tokens = asked.tokens.clone()
    answers = tokens[:, 2::3]
    order = torch.rand(answers.shape, generator=g).argsort(1)
    tokens[:, 2::3] = answers.gather(1, order)
    return asked._replace(tokens=tokens)


def share(
    logits: Float[Tensor, "batch pos token"], answer: Int[Tensor, "batch"]
) -> float:
    """How often the last token's answer is this one."""
    return (logits[:, -1].argmax(-1) == answer).float().mean().item()


# --8<-- [end:exam]


def best_without_examples(maps: Int[Tensor, "task hour"]) -> float:
    """How often one is right who knows the hour and the pool of tasks, not which."""
    counts = F.one_hot(maps, clock.HOURS).sum(0)  # (hour, answer)
    return (counts.amax(1).float() / len(maps)).mean().item()

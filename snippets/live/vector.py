"""Is the task that a prompt shows one vector inside the model?

Read the residual stream behind the last arrow of a prompt with a dummy query; put it there in a
prompt that shows nothing; see what the model answers. Source: hendel2023 (abstract), whose vector is
read so, replaced and not added, at the layer that is best on other queries.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.book.errors import UsageError
from snippets.icl.streams import streams
from snippets.live.model import (
    LiveModel,
    encode,
    filled,
    first_token,
    last_logits,
)
from snippets.live.words import OTHER, TASKS

Task = dict[str, str]
N_SHOTS, DRAWS = 5, 5


@dataclass(frozen=True)
class Draw:
    """The words of one task, in the roles they play in one draw."""

    shown: list[str]
    dummy: str
    choosing: list[str]  # queries on which the layer is chosen


# --8<-- [start:vector]
def task_vectors(
    live: LiveModel, task: Task, draw: Draw
) -> Float[Tensor, "layer d_model"]:
    """The stream behind each block at the last arrow, the query being a dummy."""
    prompt = shots(task, draw.shown) + f"{draw.dummy} ->"
    return live.states(torch.tensor([encode(live, prompt)]))


def answered_with(
    live: LiveModel, layer: int, vector: Float[Tensor, " d_model"], queries: list[str]
) -> Int[Tensor, " query"]:
    """The likeliest first token behind each query alone, with the vector in place."""
    tokens, last = filled(live, [f"{query} ->" for query in queries])
    with live.replaced(layer, vector, last):
        logits = live.logits(tokens)
    return logits[torch.arange(len(last)), last].argmax(-1)


# --8<-- [end:vector]


def measure(
    live: LiveModel,
    layer: int | None = None,
    seed: int = 0,
    tasks: dict[str, Task] = TASKS,
    other: dict[str, str] = OTHER,
) -> dict[str, Any]:
    """For each task: shares of right answers with no shots, with shots, with its vector and
    with another task's, by layer. `layer`: that one alone, instead of the best. Left out is
    a task of which hardly any answer can be told from its query by the first token."""
    if layer is not None:
        live.check_layer(layer)
    layers = list(range(live.n_layers)) if layer is None else [layer]
    found, left_out = {}, []
    for name, task in tasks.items():
        (generator,) = streams(seed, 1)
        rival, clear = tasks[other[name]], clear_words(live, task)
        if len(clear) < 4:
            left_out.append(name)
            continue
        asked = asked_words(task, clear, generator)
        rows = [
            one_draw(live, task, rival, clear, asked, layers, generator)
            for _ in range(DRAWS)
        ]
        found[name] = together(rows, layers) | {
            "other": other[name],
            "asked": len(asked),
            "shared": sum(x in rival for x in asked),
        }
    return {"layers": layers, "tasks": found, "left_out": left_out}


# --8<-- [start:draw]
def one_draw(
    live: LiveModel,
    task: Task,
    rival: Task,
    clear: list[str],
    asked: list[str],
    layers: list[int],
    generator: Generator,
) -> dict[str, Any]:
    """All shares of one draw of shots. What is asked stands in no shots, the rival's neither."""
    draw = draw_words(task, clear, asked, generator)
    its_draw = draw_words(rival, [], asked, generator)
    own, its = task_vectors(live, task, draw), task_vectors(live, rival, its_draw)
    alone = [f"{query} ->" for query in asked]
    told = shots(task, draw.shown)

    # what the other task answers in another way
    both = [x for x in asked if x in rival]
    both = [x for x in both if any(right(live, [x], task) != right(live, [x], rival))]
    to_choose, to_ask = right(live, draw.choosing, task), right(live, asked, task)
    by_rival = right(live, both, rival)

    def patched(vector: Tensor, queries: list[str], right: Tensor) -> list[float]:
        return [
            share(answered_with(live, k, vector[k], queries), right) if queries else 0.0
            for k in layers
        ]

    return {
        "zero_shot": share(last_logits(live, alone).argmax(-1), to_ask),
        "few_shot": share(
            last_logits(live, [told + q for q in alone]).argmax(-1), to_ask
        ),
        "choosing": patched(own, draw.choosing, to_choose),
        "vector": patched(own, asked, to_ask),
        "other_vector": patched(its, asked, to_ask),
        "follows_other": patched(its, both, by_rival),
    }


# --8<-- [end:draw]


def right(live: LiveModel, queries: list[str], by: Task) -> Int[Tensor, " query"]:
    """The first token of each answer."""
    first = [first_token(live, f"{x} ->", by[x]) for x in queries]
    return torch.tensor(first, dtype=torch.long)


def share(said: Int[Tensor, " query"], right: Int[Tensor, " query"]) -> float:
    return (said == right).float().mean().item() if len(right) else 0.0


def shots(task: Task, words: list[str]) -> str:
    return "".join(f"{x} -> {task[x]}\n" for x in words)


def clear_words(live: LiveModel, task: Task) -> list[str]:
    """Words whose answer begins with another token than the word itself would. Of the rest,
    such as `lamp -> lamp|s`, a model that repeats the query would be called right."""
    return [
        x
        for x, y in task.items()
        if first_token(live, f"{x} ->", y) != first_token(live, f"{x} ->", x)
    ]


def asked_words(task: Task, clear: list[str], generator: Generator) -> list[str]:
    """The queries whose answers are reported: drawn once, and kept out of all shots and of
    the choice of a layer. Raises UsageError for too few."""
    if len(task) < N_SHOTS + 3:
        raise UsageError(f"{len(task)} pairs are too few: a task needs {N_SHOTS + 3}")
    n = min((len(task) - N_SHOTS - 1) // 2, len(clear) // 2)
    order = torch.randperm(len(clear), generator=generator).tolist()
    return [clear[i] for i in order[:n]]


def draw_words(
    task: Task, clear: list[str], asked: list[str], generator: Generator
) -> Draw:
    """Random words for each role; none has two."""
    free = [x for x in task if x not in asked]
    order = torch.randperm(len(free), generator=generator).tolist()
    words = [free[i] for i in order]
    choosing = [x for x in words[N_SHOTS + 1 :] if x in clear]
    return Draw(words[:N_SHOTS], words[N_SHOTS], choosing)


def together(rows: list[dict[str, Any]], layers: list[int]) -> dict[str, Any]:
    """Means over draws, and the layer that is best on the queries kept for choosing."""
    mean = {
        key: torch.tensor([row[key] for row in rows]).double().mean(0)
        for key in rows[0]
    }
    best = int(mean["choosing"].argmax())
    at_best = {
        key: mean[key][best].item()
        for key in ("vector", "other_vector", "follows_other")
    }
    return {key: value.tolist() for key, value in mean.items()} | {
        "layer": layers[best],
        "at_layer": at_best,
    }

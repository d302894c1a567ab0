"""Tasks on a clock of twelve hours, given by examples.

    3 -> 4   9 -> 10   7 -> ?          the next hour: 8

An example is three tokens: an hour, an arrow, the hour that the task makes of it. The
answer is wanted at the last arrow, so that the task can be read at a token which is no
hour itself.

Source: prompts with an arrow, whose state is the task vector, are hendel2023's
(released code); these tasks are ours.
"""

from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Generator, Tensor

HOURS = 12
ARROW = HOURS  # the token after the hours
N_TOKENS = HOURS + 1

# --8<-- [start:tasks]
TASKS: dict[str, Callable[[Tensor], Tensor]] = {  # each turns the twelve hours around
    "same": lambda hour: hour,
    "next": lambda hour: hour + 1,
    "previous": lambda hour: hour - 1,
    "opposite": lambda hour: hour + 6,
    "mirror": lambda hour: -hour,
    "mirror, next": lambda hour: 1 - hour,
    "times five": lambda hour: 5 * hour,
    "times seven": lambda hour: 7 * hour,
}
# --8<-- [end:tasks]

Maps = Int[Tensor, "batch hour"]  # what each hour becomes
Prompt = Int[Tensor, "batch pos"]


def maps_of(names: list[str]) -> Int[Tensor, "task hour"]:
    """A table for each named task. Raises ValueError for an empty or unknown pool."""
    if not names:
        raise ValueError("a pool of 0 tasks: name at least one")
    for name in names:
        if name not in TASKS:
            raise ValueError(f"there is no task '{name}': the clock has {list(TASKS)}")
    return torch.stack([TASKS[name](torch.arange(HOURS)) % HOURS for name in names])


def random_maps(batch: int, generator: Generator) -> Maps:
    """For each prompt a map of its own: the hours in a random order."""
    return torch.rand(batch, HOURS, generator=generator).argsort(1)


# --8<-- [start:prompts]
def few_hours(batch: int, n: int, few: int, generator: Generator) -> Prompt:
    """n hours for each prompt, drawn from `few` of the twelve, so that some return."""
    if not 1 <= few <= HOURS:
        raise ValueError(f"few = {few}: draw from 1 to {HOURS} hours")
    order = torch.rand(batch, HOURS, generator=generator).argsort(1)
    return order.gather(1, torch.randint(few, (batch, n), generator=generator))


def other_hours(batch: int, n: int, generator: Generator) -> Prompt:
    """n hours for each prompt, no hour twice: the last was not shown before."""
    if not 1 <= n <= HOURS:
        raise ValueError(f"n = {n} different hours: a clock has 1 to {HOURS}")
    return torch.rand(batch, HOURS, generator=generator).argsort(1)[:, :n]


def written(
    maps: Maps, hours: Int[Tensor, "batch n_and_query"]
) -> tuple[Prompt, Int[Tensor, "batch n_and_query"]]:
    """The prompt hour -> answer ... hour ->, without its last answer; all answers."""
    answers = maps.gather(1, hours)
    arrows = torch.full_like(hours, ARROW)
    examples = torch.stack([hours, arrows, answers], 2)  # (batch, n + 1, 3)
    return examples.flatten(1)[:, :-1], answers


# --8<-- [end:prompts]

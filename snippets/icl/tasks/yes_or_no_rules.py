"""Rules to steer a reader of yes-or-no games toward: one that the games know, one they do not."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.tasks.yes_or_no import ASKED, World

KINDS = ("known", "parity")


# --8<-- [start:tasks]
@dataclass(frozen=True)
class Task:
    """A rule for all things. Some answers are given, the others are the test."""

    yes: Float[Tensor, " thing"]  # 1 or 0
    given: Int[Tensor, " n_given"]
    held_out: Int[Tensor, " n_held_out"]


def new_task(world: World, kind: str, generator: Generator) -> Task:
    """known: has a trait. parity: has one of two traits, and not both. Half of the
    answers are yes, and four of each are given."""
    check(world, kind)
    which = torch.randperm(world.n_traits, generator=generator)
    has = world.traits[:, which]
    yes = {
        "known": has[:, 0],
        "parity": (has[:, 0] != has[:, 1]).float(),
    }[kind]
    order = torch.randperm(world.n_things, generator=generator)
    ayes, noes = order[yes[order] == 1], order[yes[order] == 0]
    return Task(yes, torch.cat([ayes[:4], noes[:4]]), torch.cat([ayes[4:], noes[4:]]))


def questions(world: World, things: Int[Tensor, " n"]) -> Int[Tensor, "n 2"]:
    """An opening and a thing, and not one example."""
    opening = world.opening(torch.zeros_like(things))
    return torch.stack([opening, world.word(things, ASKED)], 1)


# --8<-- [end:tasks]


def check(world: World, kind: str) -> None:
    """Raise ValueError where there is no such rule."""
    if kind not in KINDS:
        raise ValueError(f"no rule '{kind}': choose from {', '.join(KINDS)}")
    if world.n_traits < 4:
        raise ValueError(
            f"n_traits = {world.n_traits} leaves too few things: choose at least 4"
        )

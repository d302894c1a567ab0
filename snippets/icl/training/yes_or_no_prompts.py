"""Prompts of the game of yes or no to test a reader with, and what it and the exact
predictor say to them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.networks.decoder import Decoder
from snippets.icl.tasks.yes_or_no import NO, YES, Game, World, exact
from snippets.icl.training.yes_or_no_training import asked


# --8<-- [start:prompts]
@dataclass(frozen=True)
class Prompts:
    """Shots with a rule behind them that asks for one trait, and never errs."""

    things: Int[Tensor, "prompt shot"]
    answers: Int[Tensor, "prompt shot"]
    truth: Float[Tensor, "prompt thing"]  # 1 where the rule says yes


def new_prompts(
    world: World, n: int, n_yes: int | None, n_no: int | None, generator: Generator
) -> Prompts:
    """So many different things with each answer, in any order; None: four in all, as
    they fall."""
    rule = torch.randint(2 * world.n_traits, (n,), generator=generator)
    truth = (world.yes[rule, :-1] > 0.5).float()
    order = torch.rand(n, world.n_things, generator=generator)
    if n_yes is None or n_no is None:
        things = order.argsort(1)[:, :4]
    else:  # the things that the rule affirms come first, in any order
        sorted_things = (order - 2 * truth).argsort(1)
        half = world.n_things // 2
        things = torch.cat(
            [sorted_things[:, :n_yes], sorted_things[:, half : half + n_no]], 1
        )
        mixed = torch.rand(things.shape, generator=generator).argsort(1)
        things = things.gather(1, mixed)
    answers = torch.where(truth.gather(1, things) == 1, YES, NO)
    return Prompts(things, answers, truth)


Said = Float[Tensor, "prompt query"]  # P(yes)


def ask_each(
    network: Decoder,
    world: World,
    things: Int[Tensor, "prompt shot"],
    answers: Int[Tensor, "prompt shot"],
    queries: Int[Tensor, " query"],
    phrasing: int = 0,
) -> tuple[Said, Said]:
    """P(yes) for each question after each prompt: the network's and the exact one."""
    n, q = len(things), len(queries)
    everything = torch.cat(
        [
            things.repeat_interleave(q, 0),
            queries.repeat(n)[:, None],
        ],
        1,
    )
    said = torch.cat([answers, torch.zeros(n, 1, dtype=torch.long)], 1)
    said = said.repeat_interleave(q, 0)
    game = Game(everything, said, torch.full((n * q,), phrasing))
    by_network = asked(network, world, game).view(n, q)
    return by_network, exact(world, everything, said)[:, -1].view(n, q)


def share_right(said: Tensor, truth: Tensor) -> Tensor:
    """Of each prompt's questions; a half for whom both answers are as likely."""
    yes = torch.where((said - 0.5).abs() < 1e-6, 0.5, (said > 0.5).float())
    return 1 - (yes - truth).abs().mean(-1)


def repeating_prompts(
    world: World, n: int, n_yes: int, n_no: int, generator: Generator
) -> Prompts:
    """The same with things that may come twice: there are but eight with a trait."""
    rule = torch.randint(2 * world.n_traits, (n,), generator=generator)
    truth = (world.yes[rule, :-1] > 0.5).float()
    parts = [
        torch.multinomial(chances, k, True, generator=generator)
        for chances, k in ((truth, n_yes), (1 - truth, n_no))
        if k
    ]
    none = torch.zeros(n, 0, dtype=torch.long)
    things = torch.cat(parts or [none], 1)
    things = things[:, torch.randperm(things.shape[1], generator=generator)]
    return Prompts(things, torch.where(truth.gather(1, things) == 1, YES, NO), truth)


def as_in_training(world: World, n: int, generator: Generator) -> tuple[Game, Tensor]:
    """Four shots by a rule of the prior, constant ones among them, errors included."""
    rule = torch.multinomial(world.prior, n, True, generator=generator)
    things = torch.randint(world.n_things, (n, 4), generator=generator)
    yes = torch.rand(n, 4, generator=generator) < world.yes[rule[:, None], things]
    game = Game(things, torch.where(yes, YES, NO), torch.zeros(n, dtype=torch.long))
    return game, (world.yes[rule, :-1] > 0.5).float()


def mean_said(
    network: Decoder, world: World, prompts: Prompts, query: Int[Tensor, " prompt"]
) -> tuple[float, float]:
    """Mean P(yes) for one thing after each prompt: the network's and the exact one."""
    things = torch.cat([prompts.things, query[:, None]], 1)
    answers = torch.cat([prompts.answers, torch.zeros_like(query)[:, None]], 1)
    game = Game(things, answers, torch.zeros_like(query))
    said = asked(network, world, game)
    return float(said.mean()), float(exact(world, things, answers)[:, -1].mean())


# --8<-- [end:prompts]

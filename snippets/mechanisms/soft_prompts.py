"""What can a prefix make a frozen network do, and is a text one as good as a tuned one?

Source: lester2021 (prompt tuning: soft tokens in front of the words' vectors) and li2021
(prefix tuning: keys and values in front of those of every layer). What differs: their
networks are language models and their tasks are of text; ours is a decoder of two layers
that has read yes-or-no games, and its tasks are rules. There is no reparametrisation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below, between
from snippets.icl.networks.decoder import Decoder, count_parameters
from snippets.icl.streams import streams
from snippets.icl.tasks.yes_or_no import NO, YES, Game, World
from snippets.icl.tasks.yes_or_no_rules import KINDS, Task, new_task, questions
from snippets.icl.training.fresh_batches import trained
from snippets.icl.training.yes_or_no_training import Reader, asked, new_decoder, read
from snippets.progress import steps


@dataclass(frozen=True)
class Config(Reader):
    sizes: tuple[int, ...] = (1, 2, 4, 8, 16)  # m, words or soft tokens in front
    n_tuning: int = 60  # gradient steps
    soft_rate: float = 0.3  # of 0.03, 0.1, 0.3
    prefix_rate: float = 0.1  # of 0.03, 0.1, 0.3
    full_rate: float = 0.003  # of 0.001, 0.003, 0.01
    n_rounds: int = 30  # of the search for words
    n_tries: int = 6  # in a round; a gradient step costs about three readings
    n_draws: int = 3  # tasks of each kind


PRESETS = {"laptop": Config()}

METHODS = ("text", "soft", "prefix")


# --8<-- [start:tune]
def error(
    network: Decoder, world: World, task: Task, things: Int[Tensor, " n"], **front
) -> Float[Tensor, ""]:
    """The cross-entropy with something in front."""
    logits = network(questions(world, things), **front)[:, -1]
    return F.cross_entropy(logits, torch.where(task.yes[things] == 1, YES, NO))


def descend(
    numbers: list[Tensor], loss: Callable[[], Tensor], n_steps: int, rate: float
) -> None:
    """Adam on these numbers alone, the rate falling to zero in the second half."""
    optimizer = torch.optim.Adam(numbers)
    for step in steps(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, 2 * (n_steps - step) / n_steps)
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


# --8<-- [start:fronts]
def prompt_tuning(network: Decoder, text: Tensor, task: Task, c: Config) -> dict:
    soft = network.W_E[text].detach().clone().requires_grad_()  # (m, d_model)
    descend(
        [soft],
        lambda: error(network, c.world, task, task.given, soft=soft),
        c.n_tuning,
        c.soft_rate,
    )
    return {"soft": soft.detach()}


def prefix_tuning(network: Decoder, text: Tensor, task: Task, c: Config) -> dict:
    prefix = network.prefix_of(text).requires_grad_()  # (2 n_layers, head, m, d_head)
    descend(
        [prefix],
        lambda: error(network, c.world, task, task.given, prefix=prefix),
        c.n_tuning,
        c.prefix_rate,
    )
    return {"prefix": prefix.detach()}


# --8<-- [end:fronts]


@torch.no_grad()
def search(
    network: Decoder, text: Tensor, task: Task, c: Config, generator: Generator
) -> dict:
    """Better and better words: each round tries texts that differ in one word from the
    best one so far."""
    best, least = text, np.inf
    words = questions(c.world, task.given)
    right = torch.where(task.yes[task.given] == 1, YES, NO)
    for _ in range(c.n_rounds):
        tries = best.repeat(c.n_tries, 1)
        where = torch.randint(len(text), (c.n_tries,), generator=generator)
        new = torch.randint(c.world.n_words, (c.n_tries,), generator=generator)
        tries[torch.arange(c.n_tries), where] = new
        rows = torch.cat(
            [
                tries.repeat_interleave(len(words), 0),
                words.repeat(c.n_tries, 1),
            ],
            1,
        )
        logits = network(rows)[:, -1]
        losses = F.cross_entropy(logits, right.repeat(c.n_tries), reduction="none")
        losses = losses.view(c.n_tries, -1).mean(1)
        if losses.min() < least:
            best, least = tries[losses.argmin()], float(losses.min())
    return {"prefix": network.prefix_of(best)}  # a text, as what it is to the network


# --8<-- [end:tune]


@torch.no_grad()
def right(network: Decoder, world: World, task: Task, things: Tensor, **front) -> float:
    logits = network(questions(world, things), **front)[:, -1]
    return float(((logits.argmax(-1) == YES) == (task.yes[things] == 1)).float().mean())


def fine_tune(
    network: Decoder, config: Config, task: Task, weights: Generator
) -> Decoder:
    """A copy, all of whose weights take the steps."""
    copy = new_decoder(config, weights)
    copy.load_state_dict(network.state_dict())
    descend(
        list(copy.parameters()),
        lambda: error(copy, config.world, task, task.given),
        config.n_tuning,
        config.full_rate,
    )
    return copy


def by_example(
    network: Decoder, world: World, task: Task, generator: Generator
) -> float:
    """The given answers as shots of a prompt, in any order: plain in-context learning."""
    order = task.given[torch.randperm(len(task.given), generator=generator)]
    n = len(task.held_out)
    things = torch.cat([order.expand(n, -1), task.held_out[:, None]], 1)
    answers = torch.where(task.yes[things] == 1, YES, NO)
    said = asked(
        network, world, Game(things, answers, torch.zeros(n, dtype=torch.long))
    )
    return float(((said > 0.5) == (task.yes[task.held_out] == 1)).float().mean())


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, data, choice = streams(seed, 3)
    network = trained(new := new_decoder(config, weights), read(new, config, data))
    world, found = config.world, {}
    for kind in KINDS:
        draws = []
        for _ in range(config.n_draws):
            task = new_task(world, kind, choice)
            draws.append(one_task(network, config, task, choice))
        for name in draws[0]:
            every = np.stack([np.asarray(d[name]) for d in draws])
            found[f"{kind}_{name}"] = every.mean(0)
    text = torch.randint(world.n_words, (16,), generator=choice)
    return (
        found | shares(network, config) | {"identity": identity(network, world, text)}
    )


def one_task(
    network: Decoder, config: Config, task: Task, choice: Generator
) -> dict[str, np.ndarray | float]:
    """How often each way of steering is right, on given and on held-out things."""
    world, parts = config.world, {"given": task.given, "held_out": task.held_out}
    found: dict = {f"{method}_{part}": [] for method in METHODS for part in parts}
    for m in config.sizes:
        text = torch.randint(world.n_words, (m,), generator=choice)  # all start here
        fronts = {
            "text": search(network, text, task, config, choice),
            "soft": prompt_tuning(network, text, task, config),
            "prefix": prefix_tuning(network, text, task, config),
        }
        for method, front in fronts.items():
            for part, things in parts.items():
                share = right(network, world, task, things, **front)
                found[f"{method}_{part}"].append(share)
    full = fine_tune(network, config, task, choice)
    for part, things in parts.items():
        found[f"full_{part}"] = right(full, world, task, things)
        found[f"nothing_{part}"] = right(network, world, task, things)
    found["shots_held_out"] = by_example(network, world, task, choice)
    return found


# --8<-- [end:run]


def shares(network: Decoder, c: Config) -> dict[str, np.ndarray | int]:
    """How many numbers each way tunes, as a share of all."""
    m, n = np.array(c.sizes), count_parameters(network)
    each = {"soft": c.d_model, "prefix": 2 * c.n_layers * c.d_model}
    return {
        "n_parameters": n,
        "size": m,
        **{f"{name}_share": m * numbers / n for name, numbers in each.items()},
    }


# --8<-- [start:identity]
@torch.no_grad()
def identity(network: Decoder, world: World, text: Int[Tensor, " m"]) -> float:
    """The largest difference between reading a text in front of each question, and
    being given that text's keys and values."""
    words = questions(world, torch.arange(world.n_things))
    read_in_full = network(torch.cat([text.expand(len(words), -1), words], 1))
    given = network(words, prefix=network.prefix_of(text))
    return float((read_in_full[:, -2:] - given).abs().max())


# --8<-- [end:identity]


# --8<-- [start:derived]
def points(share: Callable[[Measurements], float]) -> Callable[[Measurements], float]:
    """Hundredths: accuracy gained or lost, in points."""
    return lambda m: 100 * float(share(m))


def with_m(m: Measurements, name: str, *sizes: int) -> float:
    """A share at some numbers of words or soft tokens, averaged."""
    found = [float(m[name][list(m["size"]).index(size)]) for size in sizes]
    return float(np.mean(found))


def nothing(m: Measurements) -> float:
    """With nothing in front no thing is given or held out: over all tasks' things."""
    parts = [
        f"{kind}_nothing_{part}" for kind in KINDS for part in ("given", "held_out")
    ]
    return float(np.mean([m[part] for part in parts]))


def unseen_parity(m: Measurements) -> float:
    """On held-out things of the parity: soft tokens and prefixes of all sizes."""
    ways = [m["parity_soft_held_out"], m["parity_prefix_held_out"]]
    return float(np.mean(ways))


def full_known_over_parity(m: Measurements) -> float:
    return float(m["known_full_held_out"] - m["parity_full_held_out"])


def one_for_one(m: Measurements) -> float:
    """What one soft token gains over the best single word."""
    soft, text = (with_m(m, f"known_{way}_held_out", 1) for way in ("soft", "text"))
    return soft - text


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("nothing", nothing, between(0.3, 0.7), "",
          "With nothing in front the network is near one half: it does not know which rule is meant."),
    Claim("one-token", lambda m: with_m(m, "known_soft_held_out", 1), above(0.7), "",
          "One soft token makes it follow a rule that it knows: right on more than 7 held-out things in 10."),
    Claim("one-word", points(one_for_one), above(10), "points",
          "That is more than 10 points above the best single word."),
    Claim("four-words", lambda m: with_m(m, "known_text_held_out", 4), above(0.7), "",
          "With four words the text is right on more than 7 held-out things in 10."),
    Claim("many-words", lambda m: with_m(m, "known_text_held_out", 8, 16), above(0.7), "",
          "With 8 and 16 words the text is right on more than 7 held-out things in 10."),
    Claim("many-tokens", lambda m: with_m(m, "known_soft_held_out", 8, 16), above(0.75), "",
          "With 8 and 16 soft tokens it is right on more than 75 in 100."),
    Claim("prefix", lambda m: with_m(m, "known_prefix_held_out", 8, 16), above(0.7), "",
          "With 8 and 16 keys and values it is right on more than 7 in 10."),
    Claim("shots", lambda m: float(m["known_shots_held_out"]), above(0.7), "",
          "The eight given answers, simply shown as shots, make it right on more than 7 held-out things in 10."),
    Claim("full", lambda m: float(m["known_full_held_out"]), above(0.7), "",
          "All weights tuned: right on more than 7 held-out things in 10."),
    Claim("parity-given", lambda m: with_m(m, "parity_prefix_given", 8, 16), above(0.9), "",
          "With a prefix of 8 or 16 it repeats the given answers of a rule that it never met, more than 9 in 10."),
    Claim("parity-held-out", unseen_parity, below(0.7), "",
          "On held-out things of it soft tokens and prefixes, averaged over sizes, are right on fewer than 7 in 10."),
    Claim("parity-full", points(full_known_over_parity), above(15), "points",
          "With all weights tuned, held-out things of that rule are more than 15 points behind those of a known one."),
    Claim("identity", lambda m: float(m["identity"]), below(1e-4), "",
          "A text read in full and the prefix of its keys and values give the same logits.", exact=True),
]
# fmt: on

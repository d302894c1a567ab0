"""Yes or no: a game of shots, in which a hidden rule answers, and the exact predictor.

Things have traits. Somebody has a rule in mind, such as *has trait 2* or *always yes*,
and answers for one thing after the other. A text of the game has three words a shot, an
opening, the question and the answer, and ends with a question:

    say: dax? dax-yes  say: wug? wug-no  ...  say: fep?

The opening is the phrasing: it tells nothing, and one text keeps to one. Sometimes an
answer is wrong; in a drifting world the rule sometimes changes between two shots. All
that is random is known, so Bayes' rule can be computed.

Source: the task is ours.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

YES, NO, ASKED = 0, 1, 2  # answers; and the three endings of a thing's word


# --8<-- [start:world]
@dataclass(frozen=True)
class World:
    n_traits: int = 4  # every combination is a thing
    constant: float = 0.2  # how often the rule is *always yes* or *always no*
    noise: float = 0.05  # how often an answer is wrong
    drift: float = 0.0  # how often the rule changes between two shots
    n_known: int = 8  # phrasings that texts use, the k-th 1/k as often as the first
    n_unknown: int = 8  # phrasings that no text uses

    @property
    def n_things(self) -> int:  # and one more, *it*, which has no traits
        return 2**self.n_traits

    @property
    def it(self) -> int:
        return self.n_things

    @cached_property
    def traits(self) -> Float[Tensor, "thing trait"]:
        return torch.tensor(list(product([1.0, 0.0], repeat=self.n_traits)))

    @cached_property
    def yes(self) -> Float[Tensor, "rule thing_and_it"]:
        """P(yes) by each rule: has trait k, has it not, always, never. For *it* a rule
        that asks for a trait tosses a coin."""
        has = self.traits.T
        always = torch.ones(1, self.n_things)
        rules = torch.cat([has, 1 - has, always, 1 - always])
        blank = torch.full((len(rules), 1), 0.5)
        blank[-2:, 0] = torch.tensor([1.0, 0.0])
        return self.noise + (1 - 2 * self.noise) * torch.cat([rules, blank], 1)

    @cached_property
    def prior(self) -> Float[Tensor, " rule"]:
        n = 2 * self.n_traits
        traits = [(1 - self.constant) / n] * n
        return torch.tensor([*traits, self.constant / 2, self.constant / 2])

    # --8<-- [end:world]

    # words: three for each thing and for *it*, then the openings
    @property
    def n_words(self) -> int:
        return 3 * (self.n_things + 1) + self.n_known + self.n_unknown

    def word(
        self, thing: Int[Tensor, "*n"], ending: Int[Tensor, "*n"] | int
    ) -> Int[Tensor, "*n"]:
        return 3 * thing + ending

    def opening(self, phrasing: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
        return 3 * (self.n_things + 1) + phrasing

    # --8<-- [start:vectors]
    def vectors(self, d: int, generator: Generator) -> Float[Tensor, "word d"]:
        """Vectors for the words before training: a thing's is the sum of its traits'
        and its ending's, as if much reading had left them so."""

        def points(*shape: int) -> Tensor:
            return torch.randn(*shape, d, generator=generator)

        signs = 2 * self.traits - 1
        things = signs @ points(self.n_traits) / self.n_traits**0.5
        things = torch.cat([things, points(1)])  # and *it*
        words = (things[:, None] + points(3)) / 2**0.5  # (thing, ending, d)
        return torch.cat([words.flatten(0, 1), points(self.n_known + self.n_unknown)])

    # --8<-- [end:vectors]

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such game."""
        if self.n_traits < 1 or self.n_known < 1 or self.n_unknown < 0:
            raise ValueError(
                f"n_traits = {self.n_traits} and n_known = {self.n_known} must be at "
                f"least 1, and n_unknown = {self.n_unknown} at least 0"
            )
        for name in ("constant", "noise", "drift"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} = {getattr(self, name)} is no share: choose 0 to 1"
                )


@dataclass(frozen=True)
class Game:
    """Shots in their order; the last thing's answer is the one that is wanted."""

    things: Int[Tensor, "batch shot"]
    answers: Int[Tensor, "batch shot"]  # YES or NO
    phrasing: Int[Tensor, " batch"]


# --8<-- [start:draw]
def draw(world: World, batch: int, n_shots: int, generator: Generator) -> Game:
    """Games as the network sees them in training."""
    size = (batch, n_shots)
    rules = torch.multinomial(world.prior, batch * n_shots, True, generator=generator)
    changes = torch.rand(size, generator=generator) < world.drift
    last_change = torch.where(changes, torch.arange(n_shots), 0).cummax(1).values
    rules = rules.view(size).gather(1, last_change)
    things = torch.randint(world.n_things + 1, size, generator=generator)
    yes = torch.rand(size, generator=generator) < world.yes[rules, things]
    often = 1.0 / torch.arange(1, world.n_known + 1)
    phrasing = torch.multinomial(often, batch, True, generator=generator)
    return Game(things, torch.where(yes, YES, NO), phrasing)


def write(world: World, game: Game) -> Int[Tensor, "batch pos"]:
    """The words of a text, without the last answer. Questions stand at 1, 4, 7, ..."""
    check(world, game)
    opening = world.opening(game.phrasing)[:, None].expand_as(game.things)
    asked = world.word(game.things, ASKED)
    told = world.word(game.things, game.answers)
    return torch.stack([opening, asked, told], -1).flatten(1)[:, :-1]


# --8<-- [end:draw]


# --8<-- [start:exact]
def exact(
    world: World, things: Int[Tensor, "batch shot"], answers: Int[Tensor, "batch shot"]
) -> Float[Tensor, "batch shot"]:
    """P(yes) at each shot, given those before it: Bayes' rule, shot by shot."""
    belief = world.prior.expand(len(things), -1)
    said = []
    for thing, answer in zip(things.T, answers.T):
        yes = world.yes[:, thing].T  # (batch, rule)
        said.append((belief * yes).sum(1))
        belief = belief * torch.where((answer == YES)[:, None], yes, 1 - yes)
        belief = belief / belief.sum(1, keepdim=True)
        belief = (1 - world.drift) * belief + world.drift * world.prior
    return torch.stack(said, 1)


# --8<-- [end:exact]


def check(world: World, game: Game) -> None:
    """Raise ValueError, in words, for what cannot be written."""
    if game.things.numel() == 0:
        raise ValueError("the prompt is empty: give it at least one thing to ask about")
    for name, numbers, n in (
        ("thing", game.things, world.n_things + 1),
        ("answer", game.answers, 2),
        ("phrasing", game.phrasing, world.n_known + world.n_unknown),
    ):
        unknown = numbers[(numbers < 0) | (numbers >= n)]
        if len(unknown):
            raise ValueError(
                f"unknown {name} {int(unknown[0])}: this world has {name}s 0 to {n - 1}"
            )

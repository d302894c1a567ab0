"""Prompts in which one of two people is named twice: who is the other?

    later Mary met John at the park John gave the book to  ->  Mary

Names, words between them and gaps are drawn at random. The repeated name may stand in
any two of the three places, so that no place gives the answer away.

Source: wang2022 (abstract) asks GPT-2 for the indirect object of such sentences. Here
the sentences are made of few words, and the name that stands alone may also come last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Generator, Tensor

NAMES = (
    "Mary", "John", "Ann", "Tom", "Eve", "Sam", "Kim", "Leo", "Ida", "Max", "Zoe", "Ben",
    "Amy", "Dan", "Lea", "Jim", "Una", "Roy", "Fay", "Gus", "Nia", "Ned", "Liv", "Pat",
)  # fmt: skip
OPENING = ("later", "then", "today", "so")  # words before the first name,
BETWEEN = ("met", "and", "saw", "with")  # after it,
PLACE = ("at", "the", "park", "shop")  # between the others,
GIVING = ("gave", "sold", "book", "ring")  # and after the last one
WORDS = (*OPENING, *BETWEEN, *PLACE, *GIVING, "to")

Who = Int[Tensor, "batch slot"]  # the name in each slot, in the order of the prompt


# --8<-- [start:task]
@dataclass(frozen=True)
class Task:
    n_names: int = 24
    n_tokens: int = 9
    held_out: float = 0.1  # share of the pairs of names that training never shows

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such task."""
        if not 3 <= self.n_names <= len(NAMES):
            raise ValueError(
                f"n_names = {self.n_names}: choose 3 to {len(NAMES)}, the names there are"
            )
        if self.n_tokens < 9:
            raise ValueError(f"n_tokens = {self.n_tokens}: the longest prompt needs 9")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"held_out = {self.held_out}: choose 0 or more, under 1")

    @property
    def n_vocab(self) -> int:
        return self.n_names + len(WORDS)

    @property
    def words(self) -> tuple[str, ...]:
        """Every token by its number: names first, `to` last."""
        return (*NAMES[: self.n_names], *WORDS)


@dataclass(frozen=True)
class Batch:
    tokens: Int[Tensor, "batch pos"]
    slots: Int[Tensor, "batch slot"]  # where the names stand
    who: Who
    odd: Int[Tensor, "batch"]  # the slot of the name that stands alone

    @property
    def answer(self) -> Int[Tensor, "batch"]:
        """The name that is not repeated."""
        return self.who.gather(1, self.odd[:, None])[:, 0]

    @property
    def repeated(self) -> Int[Tensor, "batch"]:
        """The name that is. It stands in the slot after the odd one, counted round."""
        return self.who.gather(1, (self.odd[:, None] + 1) % self.who.shape[1])[:, 0]


# --8<-- [end:task]


# --8<-- [start:write]
def write(
    task: Task, who: Who, generator: Generator
) -> tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch slot"]]:
    """Prompts with these names in this order, and where each name stands. Words and
    gaps are random: one or two words after a name, the rest before the first."""
    batch, n_slots = who.shape
    check_names(task, who)
    most = ((1, 2, 2), (1, 1, 1, 1))[n_slots - 3]  # words in each gap
    gaps = [torch.randint(1, m + 1, (batch,), generator=generator) for m in most]
    after = torch.stack(gaps, 1)  # (batch, slot)
    # the last token is `to`; before it the last gap, before that the last name, ...
    slots = task.n_tokens - 1 - (after + 1).flip(1).cumsum(1).flip(1)
    pos = torch.arange(task.n_tokens)
    part = (pos > slots[..., None]).sum(1)  # how many names stand before a position
    kinds = torch.tensor([0, 1, *[2] * (n_slots - 2), 3])[part]  # which list of words
    drawn = torch.randint(4, part.shape, generator=generator)
    tokens = task.n_names + 4 * kinds + drawn
    tokens[:, -1] = task.n_vocab - 1
    return tokens.scatter(1, slots, who), slots


# --8<-- [end:write]


# --8<-- [start:draw]
@dataclass(frozen=True)
class World:
    task: Task
    hidden: Bool[Tensor, "name name"]  # pairs that training never shows

    @classmethod
    def of(cls, task: Task, generator: Generator) -> "World":
        """Hides a share of the pairs, drawn at random."""
        n = task.n_names
        first, second = torch.triu_indices(n, n, 1)
        shuffled = torch.randperm(len(first), generator=generator)
        chosen = shuffled[: round(task.held_out * len(first))]
        hidden = torch.zeros(n, n, dtype=torch.bool)
        hidden[first[chosen], second[chosen]] = True
        return cls(task, hidden | hidden.T)

    def draw(self, n: int, generator: Generator, *, new: bool = False) -> Batch:
        """`n` prompts of two people; with `new`, of pairs that training never shows."""
        allowed = (
            self.hidden if new else ~self.hidden & ~torch.eye(len(self.hidden)).bool()
        )
        pairs = allowed.nonzero()
        if not len(pairs):
            raise ValueError("no pair of names is left to draw: change held_out")
        chosen = pairs[torch.randint(len(pairs), (n,), generator=generator)]
        odd = torch.randint(3, (n,), generator=generator)
        stands_alone = torch.arange(3) == odd[:, None]  # (batch, slot)
        who = torch.where(stands_alone, chosen[:, :1], chosen[:, 1:])
        tokens, slots = write(self.task, who, generator)
        return Batch(tokens, slots, who, odd)


# --8<-- [end:draw]


def swapped(task: Task, batch: Batch) -> Batch:
    """Each prompt's counterpart: the two names in each other's place, all else the
    same. So the other name is right."""
    who = torch.where(
        batch.who == batch.answer[:, None],
        batch.repeated[:, None],
        batch.answer[:, None],
    )
    return Batch(batch.tokens.scatter(1, batch.slots, who), batch.slots, who, batch.odd)


def spelled(task: Task, words: Sequence[str]) -> Int[Tensor, "one pos"]:
    """One prompt of words as tokens. Raises ValueError for none, and for one unknown."""
    if not words:
        raise ValueError("the prompt is empty: give it words, and names among them")
    known = {word: token for token, word in enumerate(task.words)}
    for word in words:
        if word not in known:
            raise ValueError(f"{word!r} is not in the vocabulary: {', '.join(known)}")
    return torch.tensor([[known[word] for word in words]])


def check_names(task: Task, who: Who) -> None:
    """Raise ValueError where these names make no prompt."""
    if who.shape[1] not in (3, 4):
        raise ValueError(f"{who.shape[1]} slots for names: a prompt has 3 or 4")
    if who.numel() == 0:
        raise ValueError("there is no prompt to write: give names for one at least")
    if int(who.min()) < 0 or int(who.max()) >= task.n_names:
        raise ValueError(
            f"names run from {int(who.min())} to {int(who.max())}; the vocabulary has "
            f"0 to {task.n_names - 1}"
        )
    if bool((who == who[:, :1]).all(1).any()):
        raise ValueError(
            "one name stands in every slot: nobody else is there to be the answer"
        )

"""Treasure hunts: notes that say where the next note lies, and where it ends.

At a place lies a note with the name of the next place, or with the word *dig*. A prompt
shows all notes of several hunts, in no order, and names the first place of one. Where
is its treasure? Following k notes to it takes k hops.

The same question is put in three ways: name the place at once; name it after a few dots
that mean nothing; or write down every place on the way, and *dig* at the last.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

MODES = ("at once", "dots", "steps")
NOTE, WRITTEN, DOT = 3, 4, 5  # kinds of tokens; 0 to 2: the start, in each mode
N_KINDS = 6
NOTHING = -1  # no place, no next place, no answer wanted


# --8<-- [start:hunts]
@dataclass(frozen=True)
class Hunts:
    n_places: int = 24  # that there are names for
    n_notes: int = 12  # that a prompt shows, each at a place of its own
    n_hunts: int = 3  # among which they are dealt
    n_dots: int = 6

    @property
    def dig(self) -> int:
        """The word *dig*, after the names of all places."""
        return self.n_places


@dataclass(frozen=True)
class Drawn:
    """Prompts with the same number of hops."""

    place: Int[Tensor, "batch note"]
    points_to: Int[Tensor, "batch note"]  # the next place, or dig
    path: Int[Tensor, "batch stop"]  # from the start to the treasure


def draw(task: Hunts, batch: int, hops: int, generator: Generator) -> Drawn:
    """One hunt of `hops` hops, and the rest of the notes cut into the others at random."""
    check_hunts(task, hops)
    left = task.n_notes - hops - 1
    names = torch.rand(batch, task.n_places, generator=generator).argsort(1)
    place = names[:, : task.n_notes]
    ends = torch.zeros(batch, task.n_notes, dtype=torch.bool)
    ends[:, [hops, -1]] = True
    cuts = torch.rand(batch, left - 1, generator=generator).argsort(1)
    ends.scatter_(1, hops + 1 + cuts[:, : task.n_hunts - 2], True)
    following = place.roll(-1, 1).masked_fill(ends, task.dig)
    return Drawn(place, following, place[:, : hops + 1])


# --8<-- [end:hunts]


def check_hunts(task: Hunts, hops: int) -> None:
    """Raise ValueError for hunts that cannot be laid."""
    if hops < 1:
        raise ValueError(f"a hunt of {hops} hops: it takes at least 1")
    if task.n_notes > task.n_places:
        raise ValueError(
            f"{task.n_notes} notes do not fit {task.n_places} places: one lies at each"
        )
    if task.n_hunts < 2 or task.n_notes - hops - 1 < task.n_hunts - 1:
        raise ValueError(
            f"{task.n_notes} notes are too few for {hops} hops and "
            f"{task.n_hunts - 1} other hunts: show more, or ask for fewer hops"
        )


# --8<-- [start:tokens]
@dataclass(frozen=True)
class Prompts:
    """Tokens as three numbers each; NOTHING where one has no place or no next place."""

    place: Int[Tensor, "batch pos"]
    points_to: Int[Tensor, "batch pos"]
    kind: Int[Tensor, "batch pos"]
    wanted: Int[Tensor, "batch pos"]  # the word to write after a token, or NOTHING


def prompts(task: Hunts, drawn: Drawn, mode: str) -> Prompts:
    """The notes, the start, and what is written after it in this mode, as far as it is
    read again: its last word is only wanted."""
    path, treasure = drawn.path, drawn.path[:, -1:]
    batch, hops = len(path), path.shape[1] - 1
    if mode == "steps":
        dig = torch.full((batch, 1), task.dig)
        written, wanted = path[:, 1:], torch.cat([path[:, 1:], dig], 1)
        kinds = [WRITTEN] * hops
    else:
        n_dots = task.n_dots if mode == "dots" else 0
        written = torch.full((batch, n_dots), NOTHING)
        wanted = torch.cat([written, treasure], 1)
        kinds = [DOT] * n_dots
    none = torch.full((batch, task.n_notes), NOTHING)
    kind = torch.tensor([NOTE] * task.n_notes + [MODES.index(mode)] + kinds)
    return Prompts(
        torch.cat([drawn.place, path[:, :1], written], 1),
        torch.cat([drawn.points_to, torch.full_like(wanted, NOTHING)], 1),
        kind.expand(batch, -1),
        torch.cat([none, wanted], 1),
    )


# --8<-- [end:tokens]


# --8<-- [start:vectors]
def as_vectors(task: Hunts, p: Prompts) -> Float[Tensor, "batch pos d_in"]:
    """Place, next place and kind, each one-hot, side by side."""
    one_hot = torch.nn.functional.one_hot  # of NOTHING: a column 0, which is dropped
    return torch.cat(
        [
            one_hot(p.place + 1, task.n_places + 1)[..., 1:],
            one_hot(p.points_to + 1, task.n_places + 2)[..., 1:],
            one_hot(p.kind, N_KINDS),
        ],
        -1,
    ).float()


def may_read(task: Hunts, n_tokens: int) -> Tensor:
    """Notes read all notes; what comes after reads notes and what came before it."""
    later = torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()
    later[: task.n_notes, : task.n_notes] = True
    return later


# --8<-- [end:vectors]

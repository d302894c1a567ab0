"""Programs that move things: look up, move, count, sort, follow pointers. Each is a few
hand-set weights for the machine of program_machine.

Source: ours; counting by even attention and sorting by rank are in weiss2021, another
way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from snippets.icl.networks.program_machine import (
    Fields,
    Head,
    Layer,
    Mlp,
    run_program,
)

Numbers = Sequence[float] | Sequence[int]
N_PLACES = 16  # of the machine that counts and sorts; the rest is blank
DIGITS = 10
BLANK = DIGITS  # one more symbol, larger than all digits


@dataclass(frozen=True)
class Result:
    answer: Float[Tensor, "..."]
    patterns: list[Float[Tensor, "query key"]]  # of each head, layer by layer


def one_hot(numbers: Sequence[int] | Tensor, size: int) -> Float[Tensor, "pos size"]:
    return torch.eye(size, dtype=torch.float64)[torch.as_tensor(numbers)]


def column(numbers: Numbers) -> Float[Tensor, "pos 1"]:
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


# --8<-- [start:look-up]
def look_up(
    keys: Sequence[int], values: Numbers, asked: int, n_keys: int, beta: float
) -> Result:
    """The value that stands beside the key asked for. The last token asks."""
    check_look_up(keys, values, asked, n_keys)
    f = Fields(key=n_keys, value=1, asks=n_keys, answer=1)
    head = Head(f.pick("asks"), f.pick("key"), f.move("value", "answer"))
    pairs = f.vectors(key=one_hot(keys, n_keys), value=column(values))
    query = f.vectors(asks=one_hot([asked], n_keys))
    x, patterns = run_program(torch.cat([pairs, query]), [Layer([head])], beta)
    return Result((x @ f.pick("answer"))[-1], patterns)


# --8<-- [end:look-up]


# --8<-- [start:move]
def move(values: Numbers, steps: int, beta: float) -> Result:
    """Each place gets what stands `steps` places before it; the first ones what stands
    first."""
    n = check_filled(values)
    f = Fields(place=n, value=1, answer=1)
    to_source = one_hot((torch.arange(n) - steps).clamp(0, n - 1), n)
    head = Head(f.pick("place") @ to_source, f.pick("place"), f.move("value", "answer"))
    x = f.vectors(place=one_hot(range(n), n), value=column(values))
    x, patterns = run_program(x, [Layer([head])], beta)
    return Result((x @ f.pick("answer"))[:, 0], patterns)


# --8<-- [end:move]


# --8<-- [start:count]
def counting(f: Fields, n_places: int) -> Layer:
    """An even look at all places brings every token the counts of all symbols. Then the
    MLP adds up those of smaller symbols, and those of its own."""
    n_symbols, none = f.size["symbol"], torch.zeros(f.d_model, 1, dtype=torch.float64)
    even = Head(none, none, n_places * f.move("symbol", "counts"))
    # hidden number u: relu(count of u + n (is u meant? - 1)): the count, if u is meant
    smaller = torch.ones(n_symbols, n_symbols, dtype=torch.float64).triu(1).T
    same = torch.eye(n_symbols, dtype=torch.float64)
    up = torch.cat(
        [f.pick("counts") + n_places * f.pick("symbol") @ u for u in (smaller, same)], 1
    )
    bias = torch.full((2 * n_symbols,), -float(n_places), dtype=torch.float64)
    add_up = torch.ones(n_symbols, 1, dtype=torch.float64)
    down = torch.cat([add_up @ f.pick(name).T for name in ("before", "alike")])
    return Layer([even], Mlp(up, bias, down))


def count(digits: Sequence[int]) -> Result:
    """How often the digit of each place stands in the list."""
    symbols = padded(digits)
    f = Fields(symbol=DIGITS + 1, counts=DIGITS + 1, before=1, alike=1)
    x = f.vectors(symbol=one_hot(symbols, DIGITS + 1))
    x, patterns = run_program(x, [counting(f, N_PLACES)], beta=1.0)
    return Result((x @ f.pick("alike"))[: len(digits), 0], patterns)


# --8<-- [end:count]


# --8<-- [start:sort]
def claiming(f: Fields, n_places: int) -> Layer:
    """A token with `before` smaller ones and `alike` equal ones claims the places from
    before to before + alike - 1. A step from 0 to 1 is relu(z + 1) - relu(z)."""
    place = torch.arange(n_places, dtype=torch.float64)
    ones = torch.ones(1, n_places, dtype=torch.float64)
    first, end = f.pick("before") @ ones, (f.pick("before") + f.pick("alike")) @ ones
    up = torch.cat([-first, -first, -end, -end], 1)
    bias = torch.cat([place + 1, place, place + 1, place])
    down = torch.cat([sign * f.pick("claims").T for sign in (1, -1, -1, 1)])
    return Layer([], Mlp(up, bias, down))


def sort(digits: Sequence[int], beta: float) -> Result:
    """The digits in order. Place r asks: who claims me?"""
    symbols, n = padded(digits), N_PLACES
    f = Fields(
        symbol=DIGITS + 1, counts=DIGITS + 1, before=1, alike=1,
        claims=n, place=n, value=1, answer=1,
    )  # fmt: skip
    fetch = Head(f.pick("place"), f.pick("claims"), f.move("value", "answer"))
    x = f.vectors(
        symbol=one_hot(symbols, DIGITS + 1),
        value=column(symbols),
        place=one_hot(range(n), n),
    )
    layers = [counting(f, n), claiming(f, n), Layer([fetch])]
    x, patterns = run_program(x, layers, beta)
    return Result((x @ f.pick("answer"))[: len(digits), 0], patterns)


# --8<-- [end:sort]


# --8<-- [start:chase]
def chasing(f: Fields, hop: bool, double: bool) -> Layer:
    """Look at the place where you are, and take over its jump; look at the place where
    your jump lands, and take over its jump, which is then twice as long."""
    heads, done = [], []
    if hop:
        take = f.move("jump", "new_here")
        heads.append(Head(f.pick("here"), f.pick("place"), take))
        done.append(("new_here", "here"))
    if double:
        take = f.move("jump", "new_jump")
        heads.append(Head(f.pick("jump"), f.pick("place"), take))
        done.append(("new_jump", "jump"))
    # the MLP puts the new in place of the old
    moved = [f.move(new, old) - f.move(new, new) for new, old in done]
    gone = [-f.move(old, old) for _, old in done]
    whole = torch.eye(f.d_model, dtype=torch.float64)
    down = sum([*moved, *gone], torch.zeros_like(whole))
    return Layer(heads, Mlp(whole, torch.zeros_like(whole[0]), down))


def layers_needed(hops: int, double: bool) -> int:
    return hops.bit_length() if double else hops


def chase(
    points_to: Sequence[int], hops: int, depth: int, double: bool, beta: float
) -> Result:
    """Where one is after so many hops, from each place: a share for each place."""
    check_pointers(points_to, hops)
    if (needed := layers_needed(hops, double)) > depth:
        raise ValueError(f"{hops} hops need {needed} layers; there are {depth}")
    return chase_as_far(points_to, hops, depth, double, beta)


def chase_as_far(
    points_to: Sequence[int], hops: int, depth: int, double: bool, beta: float
) -> Result:
    """The same, and where the layers do not suffice, as many hops as they can: layer l
    of the doubling program makes the hops of the number's l-th binary digit."""
    n = len(points_to)
    f = Fields(place=n, here=n, jump=n, new_here=n, new_jump=n)
    own = one_hot(range(n), n)
    x = f.vectors(place=own, here=own, jump=one_hot(points_to, n))
    hop = [bool(hops >> i & 1) if double else i < hops for i in range(depth)]
    layers = [chasing(f, hop=one, double=double) for one in hop]
    x, patterns = run_program(x, layers, beta)
    return Result(x @ f.pick("here"), patterns)


# --8<-- [end:chase]


def check_filled(values: Numbers, most: int | None = None) -> int:
    if len(values) == 0:
        raise ValueError("the input is empty: give at least one number")
    if most is not None and len(values) > most:
        raise ValueError(f"{len(values)} numbers are too many: there are {most} places")
    return len(values)


def padded(digits: Sequence[int]) -> list[int]:
    """The digits, and blanks up to the last place. Raises ValueError for others."""
    check_filled(digits, N_PLACES)
    if unknown := [d for d in digits if d not in range(DIGITS)]:
        raise ValueError(f"{unknown[0]} is no symbol of this machine: use 0 to 9")
    return [*digits, *[BLANK] * (N_PLACES - len(digits))]


def check_look_up(
    keys: Sequence[int], values: Numbers, asked: int, n_keys: int
) -> None:
    check_filled(keys)
    if len(keys) != len(values):
        raise ValueError(f"{len(keys)} keys and {len(values)} values: give one to each")
    if len(set(keys)) < len(keys):
        raise ValueError("a key stands there twice: its values would be averaged")
    if unknown := [k for k in (*keys, asked) if k not in range(n_keys)]:
        raise ValueError(f"key {unknown[0]} is unknown: keys are 0 to {n_keys - 1}")
    if asked not in keys:
        raise ValueError(f"key {asked} is asked for and is not in the list")


def check_pointers(points_to: Sequence[int], hops: int) -> None:
    n = check_filled(points_to)
    if astray := [p for p in points_to if p not in range(n)]:
        raise ValueError(f"{astray[0]} is no place: the places are 0 to {n - 1}")
    if hops < 0:
        raise ValueError(f"{hops} hops: nobody hops back")

"""An induction head without a network: look for the longest earlier match, and say what
came next there.

At each place the rule looks back, within the window, for the place before which the most
tokens agree with the last ones, and guesses the token that followed. Of several equally
long matches it takes the latest. What it is worth is measured against a table of
bigrams, which reads one token and no context.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

LONGEST = 6  # longer matches are as good as this


# --8<-- [start:rule]
def longest_match(
    tokens: Int[Tensor, "window token"],
) -> tuple[Int[Tensor, "window token"], Int[Tensor, "window token"]]:
    """For each token: where its longest earlier match ends, and how many tokens agree
    there (0, and place 0, where the token is new in its window)."""
    check_windows(tokens)
    n, length = tokens.shape
    place, agree = torch.zeros_like(tokens), torch.zeros_like(tokens)
    run = torch.zeros(n, length, dtype=torch.long)  # agreeing tokens that end at q, j
    # --8<-- [start:match]
    for q in range(1, length):
        same = tokens[:, :q] == tokens[:, q : q + 1]
        shifted = torch.cat([torch.zeros(n, 1, dtype=torch.long), run[:, : q - 1]], 1)
        run = same * (shifted + 1)  # one longer than the match of the token before
        backwards = run.flip(1).max(1)  # of equals, the first found is the latest
        agree[:, q] = backwards.values
        place[:, q] = (q - 1 - backwards.indices) * (backwards.values > 0)
    # --8<-- [end:match]
    return place, agree


# --8<-- [end:rule]


class Guesses(NamedTuple):
    """The rule's guesses of tokens 1, 2, ... of each window from those before."""

    right: Bool[Tensor, "window guess"]
    agree: Int[Tensor, "window guess"]  # length of the match, at most LONGEST


def guesses(tokens: Int[Tensor, "window token"]) -> Guesses:
    place, agree = longest_match(tokens[:, :-1])
    guessed = tokens.gather(1, place + 1)
    right = (guessed == tokens[:, 1:]) & (agree > 0)
    return Guesses(right, agree.clamp(max=LONGEST))


# --8<-- [start:table]
def bigram_table(
    rows: list[Int[Tensor, "_"]], n_vocab: int, unseen: float = 20.0
) -> Float[Tensor, "before after"]:
    """What follows what, counted, with `unseen` counts spread as the tokens are."""
    counts = torch.zeros(n_vocab, n_vocab, dtype=torch.double)
    for row in rows:
        counts += torch.bincount(
            row[:-1] * n_vocab + row[1:], minlength=n_vocab**2
        ).view(n_vocab, n_vocab)
    if counts.sum() == 0:
        raise ValueError("there is no text to count bigrams in: give a longer one")
    single = counts.sum(0) + 0.5
    prior = unseen * single / single.sum()
    return (counts + prior) / (counts.sum(1, keepdim=True) + unseen)


# --8<-- [end:table]


# --8<-- [start:mixed]
def trust(
    found: Guesses, by_table: Float[Tensor, "window guess"]
) -> Float[Tensor, "agree"]:
    """How far to trust a match of 0, 1, ... LONGEST tokens: the share w of the guess,
    from 0 to 0.98, for which w [rule] + (1 - w) table loses least on these windows."""
    shares = np.linspace(0, 0.98, 50)
    best = torch.zeros(LONGEST + 1, dtype=torch.double)
    for m in range(1, LONGEST + 1):
        here = found.agree == m
        if here.any():
            lost = [copier_loss(found, by_table, w)[here].mean() for w in shares]
            best[m] = shares[int(torch.stack(lost).argmin())]
    return best


def copier_loss(
    found: Guesses, by_table: Float[Tensor, "window guess"], w: Tensor | float
) -> Float[Tensor, "window guess"]:
    return -(w * found.right + (1 - w) * by_table).log()


# --8<-- [end:mixed]


def check_windows(tokens: Tensor) -> None:
    """Raise ValueError, in words, for windows in which nothing can be looked for."""
    if tokens.numel() == 0:
        raise ValueError("the text is empty: give at least one token")
    if int(tokens.min()) < 0:
        raise ValueError(f"there is no token {int(tokens.min())}: ids begin at 0")

"""Bayes' rule over a few known sources: which of them writes, and what comes next?

A source is a table of chances: a row for the next symbol at the beginning, and one after
each symbol. A die is a source whose rows are all alike; a Markov chain is one whose rows
differ. Each symbol multiplies the belief in a source by the chance that the source gave
it.

Errors: ValueError for a belief over no sources, for tables or priors that are no chances,
for symbols that no source has, and for a text that no source can write.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

# row 0: at the beginning; row s + 1: after symbol s
Sources = Float[Tensor, "source row symbol"]
Prior = Float[
    Tensor, " prior"
]  # one for each source; its own name, so that check() can say it
Text = Int[Tensor, "n length"]


def dice(chances: Float[Tensor, "source face"]) -> Sources:
    """Dice as sources: the same chances whatever came before."""
    return chances[:, None].repeat(1, chances.shape[1] + 1, 1)


# --8<-- [start:belief]
def belief(
    sources: Sources, prior: Prior, text: Text
) -> Float[Tensor, "n length_and_one source"]:
    """How probable each source is, before the first symbol and after each."""
    check(sources, prior, text)
    # --8<-- [start:bayes]
    chance = sources[:, rows(text)[:, :-1], text]  # (source, n, length)
    told = chance.log().cumsum(-1).permute(1, 2, 0)
    told = torch.cat([torch.zeros(len(text), 1, len(prior)), told], 1)
    return (prior.log() + told).softmax(-1)
    # --8<-- [end:bayes]


def bets(
    sources: Sources, prior: Prior, text: Text
) -> Float[Tensor, "n length_and_one symbol"]:
    """The chances of the next symbol: each source's, weighed by the belief in it."""
    believed = belief(sources, prior, text)
    return torch.einsum("nts,sntk->ntk", believed, sources[:, rows(text)])


# --8<-- [end:belief]


def rows(text: Text) -> Int[Tensor, "n length_and_one"]:
    """The row of the next symbol, at the beginning and after each symbol."""
    beginning = torch.zeros(len(text), 1, dtype=torch.long)
    return torch.cat([beginning, text + 1], 1)


# --8<-- [start:write]
def write(
    sources: Sources, which: Int[Tensor, " n"], length: int, generator: Generator
) -> Text:
    """A text of each of these sources."""
    n, n_sources = len(which), len(sources)
    if not 0 <= int(which.min()) <= int(which.max()) < n_sources:
        raise ValueError(f"sources are numbered 0 to {n_sources - 1}")
    row, text = torch.zeros(n, dtype=torch.long), []
    for _ in range(length):
        chances = sources[which, row]
        text.append(torch.multinomial(chances, 1, generator=generator)[:, 0])
        row = text[-1] + 1
    return torch.stack(text, 1)


# --8<-- [end:write]


def mix_of(
    bet: Float[Tensor, "*batch symbol"], table: Float[Tensor, "*batch source symbol"]
) -> Float[Tensor, "*batch source"]:
    """The mixture of the sources' rows that comes nearest to a bet (least squares).
    Exact, and unique, where the bet is a mixture and the rows are independent."""
    return (bet[..., None, :] @ torch.linalg.pinv(table))[..., 0, :]


def check(sources: Sources, prior: Prior, text: Text) -> None:
    """Raise ValueError, in words, for what has no posterior."""
    if len(sources) == 0:
        raise ValueError("a belief over no hypotheses: give at least one source")
    if len(prior) != len(sources):
        raise ValueError(f"{len(prior)} prior beliefs for {len(sources)} sources")
    for name, table in (("sources", sources), ("prior", prior)):
        total = table.sum(-1)
        if (table < 0).any() or not torch.allclose(total, torch.ones_like(total)):
            raise ValueError(f"'{name}' are no chances: each row must sum to 1")
    k = sources.shape[2]
    if text.numel() and not 0 <= int(text.min()) <= int(text.max()) < k:
        raise ValueError(
            f"symbols run from {int(text.min())} to {int(text.max())}; the sources "
            f"have 0 to {k - 1}"
        )
    chance = sources[:, rows(text)[:, :-1], text]
    if ((chance > 0).all(-1) & (prior > 0)[:, None]).any(0).logical_not().any():
        raise ValueError("a text that no source can write: no belief is left")

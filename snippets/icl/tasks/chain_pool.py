"""Sequences from a pool of K Markov chains, and four exact ways to predict them.

Who knows the pool asks which of its chains a sequence comes from; who does not, counts.
Either can look at single symbols or at pairs: two times two predictors. The two that
count are those of markov.py.

Source: gibson2026, abstract, for the four; park2025, abstract, for the same four on
mixtures of chains. The formulas are ours.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from snippets.icl.tasks import markov

Guess = Float[Tensor, "n length k"]
Sequences = Int[Tensor, "n length"]
Pool = Float[Tensor, "chain k k"]
NAMES = ("memory-1", "memory-2", "counts-1", "counts-2")


# --8<-- [start:draw]
def draw_pool(n_chains: int, k: int, generator: Generator) -> Pool:
    """A pool of chains, drawn once: every row of each is as likely as any."""
    if n_chains < 1:
        raise ValueError(f"n_chains = {n_chains}: a pool needs at least one chain")
    return markov.dirichlet_chains(n_chains, k, generator)


def pick(pool: Pool, n: int, generator: Generator) -> Float[Tensor, "n k k"]:
    """n chains of the pool, with replacement."""
    return pool[torch.randint(len(pool), (n,), generator=generator)]


# --8<-- [end:draw]


# --8<-- [start:memory]
def weights_by_pairs(tokens: Sequences, pool: Pool) -> Float[Tensor, "n length chain"]:
    """The posterior over the pool after each symbol, from every pair so far."""
    start = markov.stationary(pool).log()[:, tokens[:, 0]]  # (chain, n)
    steps = pool.log()[:, tokens[:, :-1], tokens[:, 1:]]  # (chain, n, length - 1)
    log_likelihood = torch.cat([start[..., None], steps], -1).cumsum(-1)
    return log_likelihood.softmax(0).permute(1, 2, 0)


def weights_by_symbols(
    tokens: Sequences, pool: Pool
) -> Float[Tensor, "n length chain"]:
    """The same from single symbols, as if each were drawn from the chain's long run."""
    log_likelihood = markov.stationary(pool).log()[:, tokens].cumsum(-1)
    return log_likelihood.softmax(0).permute(1, 2, 0)


def remembered(
    weights: Float[Tensor, "n length chain"], tokens: Sequences, pool: Pool
) -> Guess:
    """The present symbol's row, averaged over the pool with these weights."""
    rows = pool[:, tokens]  # (chain, n, length, k)
    return torch.einsum("ntc,cntk->ntk", weights, rows)


# --8<-- [end:memory]


# --8<-- [start:four]
def four_guesses(tokens: Sequences, pool: Pool) -> dict[str, Guess]:
    """What each of the four predicts after each symbol."""
    k = pool.shape[-1]
    markov.check_tokens(tokens, k)
    return {
        "memory-1": remembered(weights_by_symbols(tokens, pool), tokens, pool),
        "memory-2": remembered(weights_by_pairs(tokens, pool), tokens, pool),
        "counts-1": markov.counting(tokens, k, 0),
        "counts-2": markov.counting(tokens, k, 1),
    }


# --8<-- [end:four]

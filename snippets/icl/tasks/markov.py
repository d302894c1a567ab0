"""In-context Markov chains, and the strategies that predict them.

Each sequence has a chain of its own, drawn from a prior. A chain of order m says how
likely each of k symbols is after each context, the last m symbols. It is a table with
k^m rows, one a context, read as a number in base k; each row adds to 1. At order 1 the
table is the transition matrix.

Source: edelman2024, section 2; the doubly stochastic prior as in the released code.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor


# --8<-- [start:priors]
def dirichlet_chains(
    n: int, k: int, generator: Generator, order: int = 1
) -> Float[Tensor, "n context k"]:
    """Chains whose rows are Dirichlet(1, ..., 1): every row is as likely as any."""
    check_symbols(k)
    exponentials = torch.empty(n, k**order, k).exponential_(generator=generator)
    return exponentials / exponentials.sum(-1, keepdim=True)


def doubly_stochastic_chains(
    n: int, k: int, generator: Generator
) -> Float[Tensor, "n k k"]:
    """Chains whose rows and columns add to 1, uniform among all such matrices. In the
    long run all symbols are equally frequent: single counts tell nothing.

    Raises ValueError for more than 4 symbols: of 5 one try in four million succeeds.
    """
    check_symbols(k)
    if k > 4:  # a try succeeds with 1/8 for 3 symbols, 1/1031 for 4
        raise ValueError(f"no doubly stochastic chains of {k} symbols; take 4 at most")
    found = torch.empty(0, k, k)
    while len(found) < n:  # fill all but the last row and column; keep what is possible
        square = torch.rand(8 * n, k - 1, k - 1, generator=generator)
        wide = torch.cat([square, 1 - square.sum(2, keepdim=True)], 2)
        full = torch.cat([wide, 1 - wide.sum(1, keepdim=True)], 1)
        found = torch.cat([found, full[(full >= 0).all(2).all(1)]])
    return found[:n]


# --8<-- [end:priors]


# --8<-- [start:sample]
def context_chains(
    table: Float[Tensor, "n context k"],
) -> Float[Tensor, "n context context"]:
    """Probability to step from one context to the next: drop the oldest symbol, append
    the new one. At order 1 this is the table itself.
    """
    n, n_contexts, k = table.shape
    new = torch.arange(n_contexts)[:, None] * k + torch.arange(k)  # (context, k)
    steps = torch.zeros(n, n_contexts, n_contexts, dtype=table.dtype)
    return steps.scatter_(2, (new % n_contexts).expand(n, -1, -1), table)


def stationary(table: Float[Tensor, "n context k"]) -> Float[Tensor, "n context"]:
    """How often each context occurs in the long run: pi = pi P, and pi adds to 1."""
    P = context_chains(table).double()
    # pi (I - P) = 0 has many solutions; pi 1 = 1, for a matrix 1 of ones, picks one
    system = torch.eye(P.shape[1]).to(P) - P + 1
    ones = torch.ones(*P.shape[:2], 1).to(P)
    return torch.linalg.solve(system.mT, ones)[..., 0].to(table.dtype)


def sample(
    table: Float[Tensor, "n context k"], length: int, generator: Generator
) -> Int[Tensor, "n length"]:
    """One sequence from each chain. Its first context comes from the long run."""
    order = check_table(table)
    if length < order:
        raise ValueError(f"length = {length} is shorter than a context, {order}")
    n, n_contexts, k = table.shape
    chain = torch.arange(n)
    # inverse transform: the next symbol is how many thresholds a uniform number passes
    thresholds = table.cumsum(-1)[..., :-1].contiguous()
    start = stationary(table).cumsum(-1)[:, :-1]
    uniform = torch.rand(length - order + 1, n, 1, generator=generator)
    context = (uniform[0] > start).sum(-1)

    symbols = [context // k**place % k for place in reversed(range(order))]
    for u in uniform[1:]:
        symbols.append((u > thresholds[chain, context]).sum(-1))
        context = (context * k + symbols[-1]) % n_contexts
    return torch.stack(symbols, 1)


# --8<-- [end:sample]


def contexts(
    tokens: Int[Tensor, "n length"], k: int, order: int
) -> Int[Tensor, "n length"]:
    """The last `order` symbols at each position as a number in base k; -1 where fewer
    have been seen.
    """
    check_tokens(tokens, k)
    context = torch.zeros_like(tokens)
    for back in range(order):
        context = context + k**back * tokens.roll(back, 1)
    context[:, : max(order - 1, 0)] = -1
    return context


# --8<-- [start:strategies]
def uniform(tokens: Int[Tensor, "n length"], k: int) -> Float[Tensor, "n length k"]:
    """Every symbol alike, whatever the context shows."""
    check_tokens(tokens, k)
    return torch.full((*tokens.shape, k), 1 / k)


def count(
    tokens: Int[Tensor, "n length"], k: int, order: int
) -> Float[Tensor, "n length k"]:
    """How often each symbol came next, in the past, where the context was as now.

    Order 0 counts symbols (unigram), 1 what followed the present symbol (bigram), 2
    what followed the last two (trigram). A position's own symbol has no successor yet.
    """
    if order == 0:
        return F.one_hot(tokens, k).float().cumsum(1)
    context = contexts(tokens, k, order)
    # --8<-- [start:pairs]
    same: Bool[Tensor, "n now past"] = context[:, :, None] == context[:, None, :]
    known = (context >= 0)[:, None, :]
    attention = (same & known).tril(-1).float()  # strictly past
    followed_by = F.one_hot(tokens.roll(-1, 1), k).float()
    return attention @ followed_by
    # --8<-- [end:pairs]


def counting(
    tokens: Int[Tensor, "n length"], k: int, order: int
) -> Float[Tensor, "n length k"]:
    """Counts plus one, as probabilities: the mean of a row given what was counted."""
    check_tokens(tokens, k)
    if order < 0:
        raise ValueError(f"order = {order}: it counts the symbols of a context")
    counts = count(tokens, k, order) + 1
    return counts / counts.sum(-1, keepdim=True)


def oracle(
    tokens: Int[Tensor, "n length"], table: Float[Tensor, "n context k"]
) -> Float[Tensor, "n length k"]:
    """The chain's own next-symbol probabilities, for who knows the chain. Before there
    is a whole context, uniform."""
    order, k = check_table(table), table.shape[-1]
    context = contexts(tokens, k, order)
    rows = table[torch.arange(len(table))[:, None], context.clamp(min=0)]
    return torch.where(context[..., None] >= 0, rows, torch.full_like(rows, 1 / k))


# --8<-- [end:strategies]


def cross_entropy(
    truth: Float[Tensor, "n length k"], guess: Float[Tensor, "n length k"]
) -> Float[Tensor, "n length"]:
    """Mean loss, in nats, of guessing so where the next symbol is drawn from truth."""
    return -(truth * guess.log()).nan_to_num(0).sum(-1)  # 0 log 0 = 0


def divergence(
    strategy: Float[Tensor, "n length k"], guess: Float[Tensor, "n length k"]
) -> Float[Tensor, "n length"]:
    """KL(strategy || guess): what is lost by the guess where the strategy is right."""
    return cross_entropy(strategy, guess) - cross_entropy(strategy, strategy)


def check_symbols(k: int) -> None:
    if k < 2:
        raise ValueError(f"k = {k}: a chain needs at least two symbols")


def check_tokens(tokens: Tensor, k: int) -> None:
    """Raise ValueError where a token is not one of k symbols."""
    check_symbols(k)
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < k:
        raise ValueError(
            f"tokens run from {int(tokens.min())} to {int(tokens.max())}; "
            f"with k = {k} symbols they are 0 to {k - 1}"
        )


def check_table(table: Tensor) -> int:
    """The order of a chain, from its table. Raise ValueError where it is none."""
    n_contexts, k = table.shape[1:]
    check_symbols(k)
    order = 1
    while k**order < n_contexts:
        order += 1
    if k**order != n_contexts:
        raise ValueError(f"a table of {k} symbols has {k}^m rows, not {n_contexts}")
    if not (table >= 0).all() or not torch.allclose(
        table.sum(-1), torch.ones(()).to(table), atol=1e-5
    ):
        raise ValueError("the rows of a chain must be non-negative and add to 1")
    return order

"""The field's measures of in-context learning and of heads, each defined once.

Of losses:     icl_score
Of patterns:   prefix_matching, previous_token
Of weights:    positivity, copying, matching, k_composition, random_k_composition
Of causes:     ablate, fully or with the attention patterns kept

Rows are vectors: a head reads x W_V and writes x W_V W_O; its logits are
(x W_Q) (y W_K)'.
"""

import math
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

Patterns = Sequence[Float[Tensor, "batch head query key"]]


@runtime_checkable
class Network(Protocol):
    """Anything that reads tokens, can silence heads, and can be given its patterns."""

    def __call__(
        self,
        tokens: Int[Tensor, "batch pos"],
        off: Collection[tuple[int, int]] = (),
        patterns: Patterns | None = None,
    ) -> tuple[Float[Tensor, "batch pos n_vocab"], Patterns]: ...


# --8<-- [start:icl_score]
def icl_score(
    loss: Float[Tensor, "batch pos"], early: slice, late: slice
) -> Float[Tensor, ""]:
    """ICL score = mean loss at late positions - mean loss at early ones, in nats.

    Negative: the context helps, since a token is easier with much of it than with
    little. Source: olsson2022, loss of the 500th token minus loss of the 50th (the
    paper also has the opposite sign in one sentence). Here both are means over a range.
    """
    n_early, n_late = loss[:, early].numel(), loss[:, late].numel()
    if n_early == 0 or n_late == 0:
        raise ValueError(f"no loss to average: {n_early} early and {n_late} late ones")
    return loss[:, late].mean() - loss[:, early].mean()


# --8<-- [end:icl_score]


# --8<-- [start:prefix_matching]
def prefix_matching(
    pattern: Float[Tensor, "batch head query key"],
    tokens: Int[Tensor, "batch query"],
    where: Bool[Tensor, "batch query"] | None = None,
) -> Float[Tensor, "head"]:
    """Prefix-matching score: attention from a token to all tokens that came after
    earlier occurrences of it, summed; averaged over the tokens that occurred earlier.

        mean over queries q of  sum over keys j <= q with t_(j-1) = t_q  of A[q, j]

    1: all attention lies there. `where` keeps some queries only. Source: olsson2022,
    head activation evaluators, on 25 random tokens repeated four times.
    """
    # --8<-- [start:follows]
    before = torch.full_like(tokens, -1)
    before[:, 1:] = tokens[:, :-1]
    follows = (tokens[:, :, None] == before[:, None, :]).tril()  # (batch, query, key)
    # --8<-- [end:follows]
    queries = follows.any(-1) if where is None else follows.any(-1) & where
    if not queries.any():
        raise ValueError(
            "no query to average over: none of the tokens asked for occurred earlier"
        )
    mass = (pattern * follows[:, None]).sum(-1)  # (batch, head, query)
    return (mass * queries[:, None]).sum((0, 2)) / queries.sum()


def random_repeats(
    n_vocab: int, length: int, copies: int, batch: int, generator: Generator
) -> Int[Tensor, "batch pos"]:
    """Random tokens without structure, different ones, `length` of them repeated
    `copies` times: what the prefix-matching score is measured on. olsson2022: 25 tokens
    four times, after a start token; here there is none."""
    if not 0 < length <= n_vocab or copies < 1 or batch < 1:
        raise ValueError(
            f"cannot repeat {length} different tokens of {n_vocab}, {copies} times, "
            f"in {batch} sequences"
        )
    order = torch.rand(batch, n_vocab, generator=generator).argsort(1)
    return order[:, :length].repeat(1, copies)


# --8<-- [end:prefix_matching]


# --8<-- [start:previous_token]
def previous_token(
    pattern: Float[Tensor, "batch head query key"],
) -> Float[Tensor, "head"]:
    """Previous-token score: mean attention from a token to the one just before it.

        mean over q >= 1 of A[q, q - 1]

    Source: olsson2022, head activation evaluators.
    """
    if pattern.shape[-1] < 2:
        raise ValueError("a sequence of one token has no previous token")
    return pattern.diagonal(-1, dim1=-2, dim2=-1).mean((0, -1))


# --8<-- [end:previous_token]


# --8<-- [start:copying]
def positivity(
    A: Float[Tensor, "n_vocab d_head"], B: Float[Tensor, "d_head n_vocab"]
) -> float:
    """sum(lambda_i) / sum(|lambda_i|) over the eigenvalues of A B, between -1 and 1.

    +1: all are positive; -1: all are negative. Source: elhage2021, which reads it as
    "does a token, on average, act on itself?". A B is V x V but of rank d_head. A
    product keeps its non-zero eigenvalues when its factors change places, so we take
    them from B A, which is d_head x d_head.
    """
    values = torch.linalg.eigvals((B @ A).double())  # complex ones come in pairs
    size = values.abs().sum()
    if size == 0:
        raise ValueError("all eigenvalues are zero: the circuit does nothing")
    return float(values.sum().real / size)


def copying(
    W_E: Float[Tensor, "n_vocab d_model"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
    W_U: Float[Tensor, "d_model n_vocab"],
) -> float:
    """Copying score of a head: the positivity of its OV circuit W_E W_V W_O W_U, which
    says how much attention to each token raises the logit of each token. Near 1, a
    token that is attended to raises its own logit."""
    return positivity(W_E @ W_V, W_O @ W_U)


def matching(
    queries: Float[Tensor, "n_vocab d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
    keys: Float[Tensor, "n_vocab d_model"],
) -> float:
    """The same for a QK circuit, queries W_Q (keys W_K)': row t of `queries` and of
    `keys` is what stands for token t on either side. Near 1, a token looks for
    itself."""
    return positivity(queries @ W_Q, (keys @ W_K).mT)


# --8<-- [end:copying]


# --8<-- [start:k_composition]
def k_composition(
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
) -> float:
    """K-composition: how much of what an earlier head writes (W_V, W_O) the keys of a
    later head (W_Q, W_K) can see.

        |W_QK W_OV'| / (|W_QK| |W_OV|),  W_QK = W_Q W_K',  W_OV = W_V W_O

    with Frobenius norms, in [0, 1]. Source: elhage2021, whose columns are our rows;
    hence the transpose. Random matrices score above zero too: see below.
    """
    W_QK, W_OV = W_Q @ W_K.mT, W_V @ W_O
    size = W_QK.norm() * W_OV.norm()
    if size == 0:
        raise ValueError("a head of zeros composes with nothing")
    return float((W_QK @ W_OV.mT).norm() / size)


def random_k_composition(
    d_model: int, d_head: int, generator: Generator, draws: int = 100
) -> float:
    """The baseline: mean K-composition of heads whose four factors are Gaussian, of the
    same shapes."""
    if draws < 1:
        raise ValueError(f"cannot average over {draws} draws")
    scores = []
    for _ in range(draws):
        W_Q, W_K, W_V, W_O = torch.randn(4, d_model, d_head, generator=generator)
        scores.append(k_composition(W_Q, W_K, W_V, W_O.mT))
    return math.fsum(scores) / draws


# --8<-- [end:k_composition]


# --8<-- [start:ablate]
def ablate(
    network: Network,
    tokens: Int[Tensor, "batch pos"],
    heads: Collection[tuple[int, int]],
    keep_patterns: bool = False,
) -> Float[Tensor, "batch pos n_vocab"]:
    """Logits of a network in which some heads, as (layer, head), write zero.

    Fully: later layers read what is left, and their attention changes with it. With the
    patterns kept: every head attends as it did in the whole network, so that only what
    passes through values is lost. Source: olsson2022, full and pattern-preserving
    ablations. Norms are computed anew in both.
    """
    if not heads:
        raise ValueError("name at least one head to ablate, as (layer, head)")
    patterns = network(tokens)[1] if keep_patterns else None
    return network(tokens, off=heads, patterns=patterns)[0]


# --8<-- [end:ablate]

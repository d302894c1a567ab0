"""When does attention only reorder its tokens, and when does it mix them?

Source: sinkhorn1967, abstract (rows and columns scaled by turns). That a mixture of permutations is a
matrix whose rows and columns all add up to 1, and the reverse, is Birkhoff's theorem.
Nothing is trained: random queries, keys and values, in 64-bit numbers.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, at_most, below
from snippets.icl.networks.self_attention import attention, causal_mask, softmax
from snippets.icl.streams import streams
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    n_tokens: int = 8
    d_k: int = 16
    n_patterns: int = 200
    sharpness: tuple[float, ...] = (
        0.25,
        0.5,
        1.0,
        2.0,
        4.0,
        8.0,
        16.0,
        32.0,
        64.0,
        128.0,
    )
    rounds: int = 200  # of scaling rows and columns by turns


PRESETS = {"laptop": Config()}


# --8<-- [start:reorder]
def reordering_error(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> float:
    """Reorder the tokens, then attend; attend, then reorder: how far apart, as a share of
    the largest output. Reversed, so that each token but a middle one moves."""
    mask = causal_mask(q.shape[-2]).to(q) if causal else 0.0
    first = attention(q.flip(-2), k.flip(-2), v.flip(-2), mask)[0]
    after = attention(q, k, v, mask)[0].flip(-2)
    return ((first - after).abs().max() / after.abs().max()).item()


# --8<-- [end:reorder]


def average_error(q: Tensor, k: Tensor, v: Tensor) -> float:
    """What keeps a row from being an average: weights below 0, a sum that is not 1, an
    output that leaves the range of the values. The largest of all."""
    out, pattern = attention(q, k, v)
    beyond = torch.maximum(out - v.amax(-2, True), v.amin(-2, True) - out)
    off = (pattern.sum(-1) - 1).abs()
    return max(0.0, beyond.max().item(), off.max().item(), -pattern.min().item())


# --8<-- [start:left]
def left_over(pattern: Float[Tensor, "n n"]) -> float:
    """The share of the attention that the best permutation does not account for: 0 for a
    permutation, 1 - 1/n where all is even."""
    rows, columns = linear_sum_assignment(-pattern.numpy())
    return 1 - pattern[rows, columns].mean().item()


def best_keys_differ(scores: Float[Tensor, "batch n n"]) -> float:
    """Share of patterns in which no two rows have the same best key."""
    best = scores.argmax(-1).sort(-1).values
    return (best.diff(dim=-1) != 0).all(-1).double().mean().item()


# --8<-- [end:left]


# --8<-- [start:sinkhorn]
def sinkhorn(pattern: Float[Tensor, "n n"], rounds: int) -> Float[Tensor, "n n"]:
    """Divide each column by its sum, then each row, and again."""
    for _ in range(rounds):
        pattern = pattern / pattern.sum(0, keepdim=True)
        pattern = pattern / pattern.sum(1, keepdim=True)
    return pattern


def birkhoff(
    pattern: Float[Tensor, "n n"], least: float = 1e-9
) -> tuple[list[float], list[Int[np.ndarray, " n"]]]:
    """Weights and permutations that a doubly stochastic matrix is a mixture of. Each time
    take the permutation whose least entry is largest, and as much of it as there is."""
    rest, weights, orders = pattern.numpy().copy(), [], []
    n = len(rest)
    while rest.sum() > least * n:
        order = widest(rest)
        weight = float(rest[np.arange(n), order].min())
        if weight <= least / n**2:
            break
        weights.append(weight)
        orders.append(order)
        rest[np.arange(n), order] -= weight
    return weights, orders


def widest(rest: Float[np.ndarray, "n n"]) -> Int[np.ndarray, " n"]:
    """The permutation whose least entry is as large as can be: the largest level at which
    the entries above it still hold a permutation."""
    levels = np.unique(rest)
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high + 1) // 2
        allowed = rest >= levels[middle]
        rows, columns = linear_sum_assignment(~allowed)
        low, high = (
            (middle, high) if allowed[rows, columns].all() else (low, middle - 1)
        )
    return linear_sum_assignment(rest < levels[low])[1]


# --8<-- [end:sinkhorn]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    (draws,) = streams(seed, 1)
    n, sharpness = config.n_tokens, torch.tensor(config.sharpness).double()
    q, k, v = normal((3, config.n_patterns, n, config.d_k), draws)
    scores = q @ k.mT / config.d_k**0.5  # (pattern, query, key)
    order = torch.randperm(n, generator=draws)
    matched = torch.eye(n).double()[order]  # each query is the key of another token
    random, asked_for = [], []
    for i in steps(len(sharpness)):
        random.append(np.mean([left_over(p) for p in softmax(sharpness[i] * scores)]))
        asked_for.append(left_over(softmax(sharpness[i] * matched)))
    in_theory = 1 - 1 / (1 + (n - 1) * torch.exp(-sharpness))
    return {
        "average_error": average_error(q, k, v),
        "reordered": reordering_error(q, k, v, causal=False),
        "reordered_causal": reordering_error(q, k, v, causal=True),
        "sharpness": sharpness.numpy(),
        "random": np.array(random),
        "matched": np.array(asked_for),
        "matched_formula": float(np.abs(np.array(asked_for) - in_theory.numpy()).max()),
        "distinct": best_keys_differ(scores),
        "collisions": 1 - distinct_keys(scores),
        **mixtures(softmax(scores), config.rounds),
    }


# --8<-- [end:run]


def normal(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def distinct_keys(scores: Float[Tensor, "batch n n"]) -> float:
    """How many keys are some row's best one, as a share of all."""
    chosen = torch.zeros_like(scores[:, 0]).scatter(1, scores.argmax(-1), 1.0)
    return chosen.mean().item()


def mixtures(patterns: Float[Tensor, "batch n n"], rounds: int) -> dict[str, float]:
    """How far patterns are from mixtures of permutations, and what scaling makes of them."""
    n = patterns.shape[-1]
    columns = patterns.sum(-2)
    scaled = sinkhorn(patterns[0], rounds)
    weights, orders = birkhoff(scaled)
    rebuilt = sum(w * torch.eye(n).double()[o] for w, o in zip(weights, orders))
    causal = softmax(patterns[0].log() + causal_mask(n).double())
    return {
        "column_off": (columns - 1).abs().mean().item(),
        "column_largest": columns.amax(-1).mean().item(),
        "scaled_off": (scaled.sum(0) - 1).abs().max().item(),
        "mixture_error": float((rebuilt - scaled).abs().max()),
        "n_permutations": float(len(weights)),
        "causal_off": 1 - causal.diagonal().mean().item(),
        "causal_scaled_off": 1 - sinkhorn(causal, 20 * rounds).diagonal().mean().item(),
    }


# fmt: off
CLAIMS = [
    Claim("averages", lambda m: float(m["average_error"]), below(1e-12), "",
          "Weights are at least 0 and add up to 1, and no output leaves the range of the values.", exact=True),
    Claim("equivariant", lambda m: float(m["reordered"]), below(1e-12), "of the largest output",
          "Without a mask, to reorder the tokens and attend is to attend and reorder.", exact=True),
    Claim("not-causal", lambda m: float(m["reordered_causal"]), above(0.2), "of the largest output",
          "With the causal mask it is not: outputs differ by over a fifth of the largest one."),
    Claim("matched", lambda m: float(m["matched_formula"]), below(1e-12), "",
          "Where each query is the key of another token, the share off the permutation is "
          "1 - 1 / (1 + (n - 1) e^-s), s being the sharpness.", exact=True),
    Claim("collide", lambda m: float(m["random"][-1]), above(0.3), "",
          "Random queries: however sharp, over three tenths of the attention are off every permutation."),
    Claim("distinct", lambda m: float(m["distinct"]), at_most(0.02), "",
          "In at most two random patterns of a hundred all rows have different best keys."),
    Claim("limit", lambda m: float(abs(m["random"][-1] - m["collisions"])), below(0.02), "",
          "What is left over when sharp is the share of keys that no row likes best, to within 0.02."),
    Claim("columns", lambda m: float(m["column_off"]), above(0.2), "",
          "The columns of a random pattern miss the sum 1 by more than a fifth on average."),
    Claim("scaled", lambda m: float(m["scaled_off"]), below(1e-9), "",
          "Rows and columns scaled by turns all add up to 1 in the end.", exact=True),
    Claim("mixture", lambda m: float(m["mixture_error"]), below(1e-8), "",
          "Then it is a mixture of permutations, rebuilt from them.", exact=True),
    Claim("how-many", lambda m: float(m["n_permutations"]), at_most(50), "permutations",
          "It takes (n - 1)^2 + 1 = 50 of them at most.", exact=True),
    Claim("causal-identity", lambda m: float(m["causal_scaled_off"]), below(0.01), "",
          "Under the causal mask the scaling leads to the identity: under a hundredth of the attention is left "
          "off the diagonal."),
]
# fmt: on

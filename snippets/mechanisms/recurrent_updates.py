"""What do memories that are updated token by token hold, exactly?

Linear attention, DeltaNet, a Titans-style memory and the mesa-layer, each against what
it must equal, in float64 and without training. Then what each returns for a stored key
when keys are drawn at random, against a formula.

Source: schlag2021 for linear attention and the delta rule, behrouz2025 for surprise,
momentum and forgetting, vonoswald2023b for the mesa-layer. The formulas for random keys
are derived on the page.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, below
from snippets.icl.networks import deltanet, linear_attention, mesa, titans_memory
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import random_rotation
from snippets.icl.theory import oracles
from snippets.icl.theory.random_keys import (
    delta_error,
    least_squares_error,
    linear_error,
)


@dataclass(frozen=True)
class Config:
    d_k: int = 16  # of keys
    d_v: int = 8  # of values
    n_tokens: int = 24  # in the exact checks
    batch: int = 4
    most_pairs: int = 48  # stored with random keys
    n_random: int = 1000  # memories with random keys
    strength: float = 1e-6  # of the mesa-layer's penalty, with random keys


PRESETS = {"laptop": Config()}


# --8<-- [start:checks]
def difference(one: Tensor, other: Tensor) -> float:
    """The largest difference of two entries in the same place."""
    return (one - other).abs().max().item()


def unit(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    return x / x.norm(dim=-1, keepdim=True)


def check_linear_attention(q: Tensor, k: Tensor, v: Tensor) -> dict[str, float]:
    last = linear_attention.recurrent(k, k, v)  # each key asks when it is stored
    asked = (k @ k.mT) @ v  # and again at the end, when all pairs are stored
    return {
        "linear_parallel": difference(
            linear_attention.recurrent(q, k, v), linear_attention.parallel(q, k, v)
        ),
        "linear_cross_talk": max(
            difference(asked, v + linear_attention.cross_talk(k, v)),
            difference(last[..., -1, :], asked[..., -1, :]),
        ),
    }


def check_deltanet(
    q: Tensor, k: Tensor, v: Tensor, beta: Tensor, generator: Generator
) -> dict[str, float]:
    keys = random_rotation(k.shape[-1], generator, k.dtype)  # orthogonal, of length 1
    which = torch.randint(len(keys) // 2, v.shape[:-1], generator=generator)
    read = deltanet.recurrent(keys[which], keys[which], v, torch.ones_like(beta))
    again = torch.cat([keys[which], keys.expand(len(v), -1, -1)], 1)
    silent = torch.cat([torch.ones_like(beta), torch.zeros(len(v), len(keys))], 1)
    more = torch.cat([v, torch.zeros(len(v), len(keys), v.shape[-1])], 1)
    at_the_end = deltanet.recurrent(again, again, more, silent.to(v))
    return {
        "delta_parallel": difference(
            deltanet.recurrent(q, k, v, beta), deltanet.parallel(q, k, v, beta)
        ),
        "delta_last_value": max(
            difference(read, v),  # what was just written
            difference(at_the_end[:, v.shape[1] :], last_values(which, v, len(keys))),
        ),
        "delta_is_a_step": difference_from_a_step(k, v, beta),
    }


def last_values(which: Tensor, v: Tensor, n_keys: int) -> Float[Tensor, "batch key d"]:
    """The value that each key got last; 0 where it got none."""
    last = torch.zeros(len(v), n_keys, v.shape[-1], dtype=v.dtype)
    for t in range(v.shape[1]):
        last[torch.arange(len(v)), which[:, t]] = v[:, t]
    return last


def difference_from_a_step(k: Tensor, v: Tensor, beta: Tensor) -> float:
    """The first update from a random memory, against a gradient step by autograd."""
    S = torch.ones(k.shape[-1], v.shape[-1], dtype=k.dtype).cumsum(0) / k.shape[-1]
    S.requires_grad_()
    key, value, rate = k[0, 0], v[0, 0], beta[0, 0]
    loss = (key @ S - value).square().sum() / 2
    (gradient,) = torch.autograd.grad(loss, S)
    written = S + rate * torch.outer(key, value - key @ S)
    return difference(written, S - rate * gradient)


def check_titans(
    q: Tensor, k: Tensor, v: Tensor, rates: tuple[Tensor, Tensor, Tensor]
) -> dict[str, float]:
    theta, eta, alpha = rates
    none = torch.zeros_like(eta)
    return {
        "titans_unrolled": difference(
            titans_memory.recurrent(q, k, v, *rates),
            titans_memory.parallel(q, k, v, *rates),
        ),
        "titans_shares": difference(
            titans_memory.shares(*rates), shares_one_by_one(theta, eta, alpha)
        ),
        "titans_is_delta": difference(
            titans_memory.recurrent(q, k, v, theta, none, none),
            deltanet.recurrent(q, k, v, theta),
        ),
        "titans_window": difference(
            titans_memory.recurrent(q, k, v, none + 1, none, none + 1),
            read_of_a_window(q, k, v),
        ),
    }


def read_of_a_window(q: Tensor, k: Tensor, v: Tensor) -> Float[Tensor, "batch pos d"]:
    """theta = alpha = 1, eta = 0: S_t = k_t e_t' with e_t = v_t - <k_(t-1), k_t> e_(t-1)."""
    e = [v[:, 0]]
    for t in range(1, k.shape[1]):
        e.append(v[:, t] - (k[:, t - 1] * k[:, t]).sum(-1, keepdim=True) * e[-1])
    return (q * k).sum(-1, keepdim=True) * torch.stack(e, 1)


def shares_one_by_one(
    theta: Tensor, eta: Tensor, alpha: Tensor
) -> Float[Tensor, "batch t s"]:
    """theta_s  sum over j of  eta_(s+1) ... eta_j (1 - alpha_(j+1)) ... (1 - alpha_t),
    as it is written."""
    n = theta.shape[-1]
    share = torch.zeros(*theta.shape, n, dtype=theta.dtype)
    for t in range(n):
        for s in range(t + 1):
            share[:, t, s] = theta[:, s] * sum(
                eta[:, s + 1 : j + 1].prod(-1) * (1 - alpha[:, j + 1 : t + 1]).prod(-1)
                for j in range(s, t + 1)
            )
    return share


def check_mesa(q: Tensor, k: Tensor, v: Tensor) -> dict[str, float]:
    online = mesa.recurrent(q, k, v, strength=0.5)
    solved = [
        torch.stack(  # ridge for one entry of the values at a time
            [
                (oracles.ridge(k[:, :t], v[:, :t, i], 0.5) * q[:, t - 1]).sum(-1)
                for i in range(v.shape[-1])
            ],
            -1,
        )
        for t in range(1, k.shape[1] + 1)
    ]
    return {"mesa_ridge": difference(online, torch.stack(solved, 1))}


# --8<-- [end:checks]


# --8<-- [start:random-keys]
def errors_by_age(config: Config, generator: Generator) -> dict[str, np.ndarray]:
    """Store pairs with random keys of length 1, one after the other, and each time ask
    for all that are stored: the mean squared error, (number stored, pairs ago), as a
    share of a value's square. A memory is the sum of k_s e_s' in each case."""
    n = config.most_pairs
    shape = (config.n_random, n)
    k = unit(torch.randn(*shape, config.d_k, generator=generator, dtype=torch.float64))
    v = torch.randn(*shape, config.d_v, generator=generator, dtype=torch.float64)
    once = torch.ones(n, n, dtype=k.dtype).expand(config.n_random, n, n)
    delta = deltanet.missing(k, v, once)  # e_s does not depend on what comes after s
    errors = {name: np.zeros((n, n)) for name in ("linear", "delta", "mesa")}
    for stored in range(1, n + 1):
        keys, values = k[:, :stored], v[:, :stored]
        gram = keys @ keys.mT
        penalty = config.strength * torch.eye(stored, dtype=k.dtype)
        written = {
            "linear": values,
            "delta": delta[:, :stored],
            "mesa": torch.linalg.solve(gram + penalty, values),
        }
        for name, e in written.items():
            off = (gram @ e - values).square().mean((0, 2))
            errors[name][stored - 1, :stored] = off.flip(0).numpy()
    return errors


# --8<-- [end:random-keys]


def run(config: Config, seed: int) -> Measurements:
    exact, random = streams(seed, 2)
    shape = (config.batch, config.n_tokens)

    def normal(d: int) -> Tensor:
        return torch.randn(*shape, d, generator=exact, dtype=torch.float64)

    def rate() -> Tensor:
        return torch.rand(*shape, generator=exact, dtype=torch.float64)

    q, k, v = normal(config.d_k), unit(normal(config.d_k)), normal(config.d_v)
    measured: dict[str, np.ndarray | float] = {
        **check_linear_attention(q, k, v),
        **check_deltanet(q, k, v, rate(), exact),
        **check_titans(q, k, v, (rate(), rate(), rate())),
        **check_mesa(q, k, v),
    }
    numbers = np.arange(1, config.most_pairs + 1)
    for name, errors in errors_by_age(config, random).items():
        measured[f"{name}_by_number"] = errors.sum(1) / numbers  # mean over all stored
        measured[f"{name}_by_age"] = errors[-1]  # the newest first, with all stored
        measured[f"{name}_newest"] = errors[:, 0].max()  # at any number stored
    return measured


def off_the_formula(m: Measurements, name: str) -> float:
    """Largest distance of a mean error from its formula, as a share of what the formula
    gives, over 8 to the most stored pairs."""
    measured, d = m[f"{name}_by_number"], PRESETS["laptop"].d_k
    numbers = range(8, len(measured) + 1)
    formula = {
        "linear": [linear_error(n, d) for n in numbers],
        "delta": [delta_error(n, d).mean() for n in numbers],
    }[name]
    return float(np.max(np.abs(measured[7:] / np.array(formula) - 1)))


def off_least_squares(m: Measurements) -> float:
    d, measured = PRESETS["laptop"].d_k, m["mesa_by_number"]
    formula = [least_squares_error(n, d) for n in range(1, len(measured) + 1)]
    return float(np.max(np.abs(measured - np.array(formula))))


def exact(id: str, name: str, says: str) -> Claim:
    """An identity in 64-bit numbers: what is left is rounding."""
    return Claim(id, lambda m: float(m[name]), below(1e-10), "", says, exact=True)


# fmt: off
CLAIMS = [
    exact("linear-parallel", "linear_parallel",
          "Linear attention token by token and all tokens at once differ by less than 1e-10."),
    exact("cross-talk", "linear_cross_talk",
          "A read of linear attention is the value asked for plus the cross-talk, up to 1e-10."),
    exact("delta-step", "delta_is_a_step",
          "DeltaNet's update is a gradient step on half the squared error, up to 1e-10."),
    exact("delta-last", "delta_last_value",
          "With orthogonal unit keys and beta = 1 DeltaNet returns the last value of each key, and 0 for a "
          "key without one, up to 1e-10."),
    exact("delta-parallel", "delta_parallel",
          "DeltaNet token by token and by a triangular system differ by less than 1e-10."),
    exact("titans-shares", "titans_shares",
          "The shares of past surprises, by two matrices, are the sum over ways through momentum and "
          "forgetting, up to 1e-10."),
    exact("titans-unrolled", "titans_unrolled",
          "The memory with momentum and forgetting equals its unrolled sum, up to 1e-10."),
    exact("titans-delta", "titans_is_delta",
          "Without momentum and forgetting it is DeltaNet, up to 1e-10."),
    exact("titans-window", "titans_window",
          "If all is forgotten at each step and there is no momentum, what is missing follows from the one "
          "before, up to 1e-10."),
    exact("mesa-ridge", "mesa_ridge",
          "After each token the mesa-layer is ridge regression on all tokens so far, up to 1e-10."),
    exact("delta-newest", "delta_newest",
          "DeltaNet returns the newest pair exactly, however many are stored, up to 1e-10."),
    Claim("linear-error", lambda m: off_the_formula(m, "linear"), below(0.05), "of it",
          "With eight or more random keys the mean squared error of linear attention is within 5 per cent of "
          "(n - 1) / d.", exact=True),
    Claim("delta-error", lambda m: off_the_formula(m, "delta"), below(0.05), "of it",
          "With eight or more random keys the mean squared error of DeltaNet is within 5 per cent of its "
          "recursion.", exact=True),
    Claim("mesa-error", off_least_squares, below(0.02), "",
          "With random keys the mesa-layer is exact up to d pairs and then errs by 1 - d / n, up to 0.02.",
          exact=True),
    Claim("delta-oldest", lambda m: float(m["delta_by_age"][-1]), above(1), "of a value's square",
          "With three times as many pairs as key dimensions its error for the oldest is more than a value's "
          "square."),
]
# fmt: on

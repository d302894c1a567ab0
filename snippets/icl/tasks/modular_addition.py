"""All sums a + b modulo a prime p, some of them for training and the others for a test.

Source: power2022, abstract: small data sets made by a rule.
Errors: ValueError where p is no prime, or a side of the table would be empty.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor


@dataclass(frozen=True)
class Sums:
    """Pairs (a, b), one-hot and side by side, and their sums."""

    pairs: Float[Tensor, "batch two_p"]
    answer: Int[Tensor, "batch"]


def is_prime(p: int) -> bool:
    return p > 1 and all(p % n for n in range(2, int(p**0.5) + 1))


# --8<-- [start:table]
def table(p: int, share: float, generator: Generator) -> tuple[Sums, Sums]:
    """A random share of the table for training, and the rest of it."""
    if not is_prime(p):
        raise ValueError(f"p = {p} is not prime: take one, such as 31")
    n_train = round(share * p * p)
    if not 0 < n_train < p * p:
        raise ValueError(f"share = {share} of {p * p} sums leaves one side empty")
    a, b = torch.arange(p * p) // p, torch.arange(p * p) % p
    pairs = torch.cat([F.one_hot(a, p), F.one_hot(b, p)], 1).float()
    order = torch.randperm(p * p, generator=generator)
    sides = order[:n_train], order[n_train:]
    train, test = (Sums(pairs[i], (a[i] + b[i]) % p) for i in sides)
    return train, test


# --8<-- [end:table]

"""What can a transformer compute by construction?

Hand-set weights, nothing trained: look up, move, count, sort, follow pointers, add,
multiply, divide, on random inputs. How wrong they are, against bounds derived on the
page; and how many layers it takes to follow pointers.

Source: akyurek2023, Lemmas 4 and 8 (GELU multiplies, layer norm divides); weiss2021,
abstract (histograms and sorting as programs); sanford2024depth, abstract (logarithmic
depth). The weights, the bounds and all numbers are ours.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from snippets.contract import Claim, Measurements, above, at_most, below, equals
from snippets.icl.networks.program_arithmetic import affine, divide, multiply
from snippets.icl.networks.program_library import (
    DIGITS,
    N_PLACES,
    chase,
    chase_as_far,
    count,
    layers_needed,
    look_up,
    move,
    sort,
)
from snippets.icl.streams import streams
from snippets.icl.theory.program_errors import (
    chase_leaks,
    divide_error,
    leak,
    multiply_error,
)
from snippets.progress import steps

ROUNDING = 1e-13  # of sums of shares and of numbers up to 10


@dataclass(frozen=True)
class Config:
    n_tries: int = 60  # random inputs of each program
    betas: tuple[float, ...] = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20)
    lengths: tuple[int, ...] = (4, 16, 64)
    beta: float = 20.0  # where programs are asked to be right
    n_ring: int = 48  # places that point in a ring
    most_layers: int = 6
    most_hops: int = 40


PRESETS = {"laptop": Config()}


def integers(n: int, below: int, data: Generator) -> list[int]:
    return torch.randint(below, (n,), generator=data).tolist()


# --8<-- [start:sharpness]
def look_up_errors(c: Config, data: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Largest error of values from 0 to 1, and its bound: (length, beta)."""
    errors, bounds = np.zeros((2, len(c.lengths), len(c.betas)))
    for row, n in enumerate(c.lengths):
        for column, beta in enumerate(c.betas):
            for _ in range(c.n_tries // 10):
                keys = torch.randperm(2 * n, generator=data)[:n].tolist()
                values = torch.rand(n, generator=data, dtype=torch.float64).tolist()
                found = look_up(keys, values, keys[0], 2 * n, beta).answer.item()
                errors[row, column] = max(errors[row, column], abs(found - values[0]))
            bounds[row, column] = (
                leak(beta, n) + ROUNDING
            )  # the asking token has no key either
    return errors, bounds


# --8<-- [end:sharpness]


def program_errors(c: Config, data: Generator) -> dict[str, float]:
    """Over many random lists of random length: the largest errors, and how often a
    rounded answer is wrong."""
    found = {"move": 0.0, "count": 0.0, "sort": 0.0, "sort_wrong": 0.0, "pointers": 0.0}

    def more(name: str, error: float) -> None:
        found[name] = max(found[name], error)

    for _ in steps(c.n_tries):
        n = 1 + integers(1, N_PLACES, data)[0]
        digits = integers(n, DIGITS, data)
        step = integers(1, 4, data)[0]
        moved = move([float(d) for d in digits], step, c.beta).answer
        aim = torch.tensor([digits[max(i - step, 0)] for i in range(n)])
        more("move", largest(moved - aim) / (9 * leak(c.beta, n - 1) + ROUNDING))
        more("count", largest(count(digits).answer - counts_of(digits)))
        order = sort(digits, c.beta).answer
        aim = torch.tensor(sorted(digits))
        more(
            "sort", largest(order - aim) / (10 * leak(c.beta, N_PLACES - 1) + ROUNDING)
        )
        found["sort_wrong"] += float((order.round() != aim).any()) / c.n_tries
        more("pointers", pointer_error(c, data))
    return found


def largest(x: Tensor) -> float:
    return x.abs().max().item()


def counts_of(digits: list[int]) -> Tensor:
    return torch.tensor([digits.count(d) for d in digits])


def pointer_error(c: Config, data: Generator) -> float:
    """How far both programs miss on random pointers, as a share of the bound."""
    n, hops = 2 + integers(1, N_PLACES - 1, data)[0], 1 + integers(1, 15, data)[0]
    pointers = integers(n, n, data)
    ends = list(range(n))
    for _ in range(hops):
        ends = [pointers[end] for end in ends]
    worst = 0.0
    for double in (False, True):
        depth = layers_needed(hops, double)
        shares = chase(pointers, hops, depth, double, c.beta).answer
        missed = 1 - shares[torch.arange(n), torch.tensor(ends)].min().item()
        bound = chase_leaks(c.beta, n, hops, depth, double) + ROUNDING
        worst = max(worst, missed / bound)
    return worst


# --8<-- [start:arithmetic]
def arithmetic(c: Config, data: Generator) -> dict[str, float]:
    """Of numbers up to 10: the largest errors as shares of their bounds."""
    a, b = 20 * torch.rand(2, c.n_tries, generator=data, dtype=torch.float64) - 10
    divisors = b.abs() + 0.1
    W = torch.randn(5, 3, generator=data, dtype=torch.float64)
    x = torch.randn(c.n_tries, 5, generator=data, dtype=torch.float64)
    product, quotient = multiply(a, b) - a * b, divide(a, divisors) - a / divisors

    def bounds(of, seconds: Tensor) -> Tensor:
        pairs = zip(a.tolist(), seconds.tolist())
        return torch.tensor([of(p, q, 1e-6) for p, q in pairs], dtype=torch.float64)

    return {
        "affine": largest(affine(x, W, W[0]) - (x @ W + W[0])),
        "multiply": largest(product / bounds(multiply_error, b)),
        "multiply_error": largest(product),
        "divide": largest(quotient / bounds(divide_error, divisors)),
        "divide_error": largest(quotient),
    }


# --8<-- [end:arithmetic]


def by_scale(c: Config, data: Generator) -> dict[str, np.ndarray]:
    """The largest error of products against the scale, in 64-bit and 32-bit numbers."""
    scales = 10.0 ** np.arange(-8, 0.01, 0.25)
    a, b = 20 * torch.rand(2, c.n_tries, generator=data, dtype=torch.float64) - 10
    found: dict[str, list[float]] = {"64": [], "32": []}
    for scale in scales.tolist():
        exact = a * b
        found["64"].append(largest(multiply(a, b, scale) - exact))
        found["32"].append(largest(multiply(a.float(), b.float(), scale) - exact))
    series = scales**2 / 12 * largest((a + b) ** 4 - a**4 - b**4)
    named = {f"product_error_{bits}": np.array(e) for bits, e in found.items()}
    return {"scale": scales, "product_series": series, **named}


# --8<-- [start:hops]
def right_by_depth(c: Config, double: bool, data: Generator) -> np.ndarray:
    """(layers, hops): from how many places of a ring the end is found."""
    order = torch.randperm(c.n_ring, generator=data)
    ring = torch.empty_like(order)
    ring[order] = order.roll(-1)
    ends, right = torch.arange(c.n_ring), np.zeros((c.most_layers, c.most_hops))
    for hops in range(1, c.most_hops + 1):
        ends = ring[ends]
        for depth in range(1, c.most_layers + 1):
            end = chase_as_far(ring.tolist(), hops, depth, double, c.beta).answer
            share = (end.argmax(1) == ends).double().mean()
            right[depth - 1, hops - 1] = share
    return right


# --8<-- [end:hops]


def run(config: Config, seed: int) -> Measurements:
    (data,) = streams(seed, 1)
    errors, bounds = look_up_errors(config, data)
    return {
        "beta": np.array(config.betas),
        "look_up": errors,
        "look_up_bound": bounds,
        "one_by_one": right_by_depth(config, False, data),
        "doubling": right_by_depth(config, True, data),
        **program_errors(config, data),
        **arithmetic(config, data),
        **by_scale(config, data),
    }


def farthest(m: Measurements, program: str, layers: int) -> float:
    """Up to how many hops, without a gap, all ends are right."""
    right = m[program][layers - 1] == 1
    return float(right.argmin() if not right.all() else len(right))


def off_by_one(m: Measurements, program: str, reach) -> float:
    """How far the reach is from the formula, at every depth that the test can show."""
    n = m[program].shape[1]
    return max(
        abs(farthest(m, program, depth) - min(reach(depth), n))
        for depth in range(1, len(m[program]) + 1)
    )


def best_scale(m: Measurements, bits: int) -> float:
    return float(m["scale"][np.argmin(m[f"product_error_{bits}"])])


# fmt: off
CLAIMS = [
    Claim("look-up", lambda m: float((m["look_up"] / m["look_up_bound"]).max()), at_most(1.0), "of the bound",
          "The error of a look-up stays below its bound, at every length and every beta.", exact=True, digits=3),
    Claim("blunt", lambda m: float(m["look_up"][-1][list(m["beta"]).index(2)]), above(0.15), "",
          "At beta = 2 a look-up among 64 errs by more than 15 in 100 of the range of the values."),
    Claim("sharp", lambda m: float(m["look_up"][-1][-1]), below(1.4e-7), "",
          "At beta = 20 it errs by less than 1.4 in ten million.", exact=True),
    Claim("move", lambda m: m["move"], at_most(1.0), "of the bound",
          "Moving: within the bound.", exact=True, digits=3),
    Claim("affine", lambda m: m["affine"], below(1e-12), "",
          "Affine: exact but for rounding.", exact=True),
    Claim("count", lambda m: m["count"], below(1e-12), "",
          "Counting: exact but for rounding, at any beta.", exact=True),
    Claim("sort", lambda m: m["sort"], at_most(1.0), "of the bound",
          "Sorting: within the bound.", exact=True, digits=3),
    Claim("sorted", lambda m: m["sort_wrong"], equals(0.0), "",
          "Rounded, every list of digits is sorted.", exact=True),
    Claim("pointers", lambda m: m["pointers"], at_most(1.0), "of the bound",
          "Following pointers, one by one or doubling: within the bound.", exact=True, digits=3),
    Claim("one-by-one", lambda m: off_by_one(m, "one_by_one", lambda L: L), equals(0.0), "hops",
          "With L layers the one-by-one program is right up to L hops, and wrong at L + 1.", exact=True),
    Claim("doubling", lambda m: off_by_one(m, "doubling", lambda L: 2**L - 1), equals(0.0), "hops",
          "With L layers the doubling program is right up to 2^L - 1 hops, and wrong at 2^L.", exact=True),
    Claim("five-layers", lambda m: farthest(m, "doubling", 5), equals(31.0), "hops",
          "Five layers reach 31 hops by doubling."),
    Claim("five-layers-plain", lambda m: farthest(m, "one_by_one", 5), equals(5.0), "hops",
          "Five layers reach 5 hops one by one."),
    Claim("multiply", lambda m: m["multiply"], at_most(1.0), "of the bound",
          "Multiplying: within the bound.", exact=True, digits=3),
    Claim("multiply-error", lambda m: m["multiply_error"], below(1e-6), "",
          "Products of numbers up to 10 err by less than a millionth.", exact=True),
    Claim("divide", lambda m: m["divide"], at_most(1.0), "of the bound",
          "Dividing: within the bound.", exact=True, digits=4),
    Claim("divide-error", lambda m: m["divide_error"], below(1e-6), "",
          "Quotients of numbers up to 10 by 0.1 or more err by less than a millionth.", exact=True),
    Claim("single", lambda m: float(m["product_error_32"].min()), above(5e-4), "",
          "In 32-bit numbers no scale tried makes all products right to a two-thousandth."),
    Claim("best-scale", lambda m: best_scale(m, 32) / best_scale(m, 64), above(30), "",
          "The best scale is more than thirty times as large in 32-bit numbers as in 64-bit numbers."),
]
# fmt: on

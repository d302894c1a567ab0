"""Can a transformer learn linear regression from its prompt, and is it least squares
that it learns?

Source: garg2022; the prompts that training never shows are those of the released code,
src/eval.py. Here: 3 dimensions and 8 examples instead of 20 and 40, width 32, an
example in one token, Muon for the layers' matrices, 800 steps instead of 500,000, no
curriculum.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from snippets.contract import (
    SMALLER,
    Claim,
    Measurements,
    Predicate,
    Reported,
    above,
    below,
)
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.tasks.linear_regression import draw_prompts, random_rotation
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    sizes: Sizes = field(default_factory=Sizes)
    n: int = 8  # examples before the last query
    training: Training = field(default_factory=lambda: Training(n_steps=800))
    ridge: float = 0.1  # strength of the ridge line
    n_test: int = 1500  # prompts of each kind


PRESETS = {
    "laptop": Config(),
    # the source's sizes, batch and rate; without its curriculum and its dense tokens
    "paper": Config(
        sizes=Sizes(d=20, n_layers=12, width=256, n_heads=8),
        n=40,
        training=Training(500_000, muon_rate=None, adam_rate=1e-4),
    ),
}


# --8<-- [start:kinds]
@dataclass(frozen=True)
class Test:
    """Examples, and a query that need not be drawn as they are."""

    x: Float[Tensor, "batch n d"]
    query: Float[Tensor, "batch d"]
    w: Float[Tensor, "batch d"]

    @property
    def y(self) -> Float[Tensor, "batch n"]:
        return (self.x @ self.w[..., None])[..., 0]

    @property
    def answer(self) -> Float[Tensor, "batch"]:
        return (self.query * self.w).sum(-1)


def every_kind(config: Config, generator: Generator) -> dict[str, Test]:
    """Prompts as in training, and ten kinds that training never shows."""
    d = config.sizes.d

    def drawn(x_root: Tensor | None = None) -> Test:
        p = draw_prompts(config.n_test, config.n, d, generator, x_root=x_root)
        return Test(p.x[:, :-1], p.x[:, -1], p.w)

    i = torch.arange(1, d + 1)
    few = (i <= half(d)).float()
    p = drawn()
    signs = torch.randn(len(p.x), 1, d, generator=generator).sign()
    orthogonal = p.x.clone()  # its first d examples at right angles
    orthogonal[:, :d] = d**0.5 * torch.linalg.qr(p.x[:, :d])[0]
    return {
        "as in training": p,
        "skewed": drawn(stretched(1 / i, generator)),
        "subspace": drawn(stretched(few, generator)),
        "orthogonal": Test(orthogonal, p.query, p.w),
        "query repeats": Test(p.x, p.x[:, 0], p.w),
        "x / 2": Test(p.x / 2, p.query / 2, p.w),
        "y / 2": Test(p.x, p.query, p.w / 2),
        "orthant": Test(p.x.abs() * signs, p.query, p.w),
        "x * 2": Test(p.x * 2, p.query * 2, p.w),
        "x * 3": Test(p.x * 3, p.query * 3, p.w),
        "y * 3": Test(p.x, p.query, p.w * 3),
    }


def stretched(
    lengths: Float[Tensor, "d"], generator: Generator
) -> Float[Tensor, "d d"]:
    """A square root of a covariance: these standard deviations, scaled to a mean square
    of 1, in random directions."""
    lengths = lengths / lengths.square().mean().sqrt()
    U = random_rotation(len(lengths), generator)
    return U @ lengths.diag() @ U.mT


def half(d: int) -> int:
    """The dimensions of a subspace prompt: half of them, or one."""
    return max(1, d // 2)


# --8<-- [end:kinds]


# --8<-- [start:predictions]
def by_network(
    network: RegressionTransformer, test: Test
) -> Float[Tensor, "batch n_and_none"]:
    """What it answers after k = 0, 1 ... n examples: the query is asked at every place,
    and at each the network has read only what came before."""
    queries = test.query[:, None].expand(-1, test.x.shape[1] + 1, -1)
    x = torch.cat([test.x, test.query[:, None]], 1)
    y = torch.cat([test.y, torch.zeros(len(x), 1)], 1)  # the last is not read
    with torch.no_grad():
        return network(x, y, queries)


def by_algorithm(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor], test: Test
) -> Float[Tensor, "batch n_and_none"]:
    """What an algorithm (x, y, query) answers after k examples; 0 after none."""
    x, y, query = test.x.double(), test.y.double(), test.query.double()
    answers = [torch.zeros_like(y[:, 0])]
    for k in range(1, x.shape[1] + 1):
        answers.append(predict(x[:, :k], y[:, :k], query))
    return torch.stack(answers, 1)


def algorithms(config: Config) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    return {
        "least squares": lambda x, y, q: (oracles.least_squares(x, y) * q).sum(-1),
        "ridge": lambda x, y, q: (oracles.ridge(x, y, config.ridge) * q).sum(-1),
        "3 nearest": oracles.nearest_neighbours,
        "averaging": lambda x, y, q: (oracles.averaging(x, y) * q).sum(-1),
    }


def gap(one: Tensor, other: Tensor, test: Test) -> np.ndarray:
    """Mean squared difference at each k, over the answer's mean square: 1 is what
    predicting 0 costs."""
    squared = (one.double() - other.double()).square().mean(0)
    return (squared / test.answer.double().square().mean()).numpy()


# --8<-- [end:predictions]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    generator = torch.Generator().manual_seed(seed)
    network = RegressionTransformer(config.sizes, generator)
    train(
        network,
        lambda batch: draw_prompts(batch, config.n, config.sizes.d, generator),
        config.training,
    )

    kinds = every_kind(config, generator)
    results = {}
    for name, test in kinds.items():
        answers = by_network(network, test)
        results[f"error of {name}"] = gap(answers, test.answer[:, None], test)

    test = kinds["as in training"]
    ours = by_network(network, test)
    for name, predict in algorithms(config).items():
        theirs = by_algorithm(predict, test)
        results[f"error: {name}"] = gap(theirs, test.answer[:, None], test)
        results[f"from {name}"] = gap(ours, theirs, test)
    return {
        **results,
        "largest_answer": network.largest_answer(),
        "least_error": least_error(network.largest_answer(), kinds["y * 3"]),
        "d": config.sizes.d,
        "n_parameters": sum(p.numel() for p in network.parameters()),
    }


def least_error(largest: float, test: Test) -> float:
    """The error of the best answers that are no larger than that."""
    missing = (test.answer.abs() - largest).clamp(min=0)
    return (missing.square().mean() / test.answer.square().mean()).item()


# --8<-- [end:run]


def elbow(m: Measurements) -> float:
    """Mean fall of the error per example up to k = d, over that from d to 2 d."""
    error, d = m["error of as in training"], m["d"]
    return float((error[0] - error[d]) / (error[d] - error[2 * d]))


def late(m: Measurements, kind: str) -> float:
    """Error after 2 d examples."""
    return float(m[f"error of {kind}"][2 * m["d"]])


def times_as_large(m: Measurements, kind: str) -> float:
    """That error, over the error on prompts as in training."""
    return late(m, kind) / late(m, "as in training")


def from_the_nearest_other(m: Measurements) -> float:
    """While k < d: mean difference from least squares, over that from 3 nearest or
    averaging, whichever is nearer."""
    early = slice(1, m["d"])
    others = min(m[f"from {name}"][early].mean() for name in ("3 nearest", "averaging"))
    return float(m["from least squares"][early].mean() / others)


def unlike_training(id: str, kind: str, says: str, holds: Predicate) -> Claim:
    """A claim on how many times its error as in training the network errs."""
    return Claim(id, lambda m: times_as_large(m, kind), holds, "times as large", says)


def left(
    id: str,
    kind: str,
    says: str,
    holds: Predicate,
    after: Callable[[int], int] = lambda d: 2 * d,
) -> Claim:
    """A claim on what is left of the variance after so many examples, 2 d if not said.
    Least squares would leave nothing."""

    def value(m: Measurements) -> float:
        return float(m[f"error of {kind}"][after(int(m["d"]))])

    return Claim(id, value, holds, "of the variance", says)


def against_simple_rules(m: Measurements) -> float:
    """Its error after 2 d examples, as a share of the better of two simple rules'."""
    rules = (m[f"error: {name}"][2 * m["d"]] for name in ("3 nearest", "averaging"))
    return late(m, "as in training") / min(rules)


# Seeds 0 to 4 were looked at once with an earlier list. "floor" (then an upper bound of
# 0.02) and "y-thrice" (then 10 times the error as in training) held on four of them,
# "repeats" (then an error after 2d below that in training) on three. On seeds 1100 to
# 1109 the share of the variance proved steady where the ratio is not: about one network
# in ten ends with twice the error of the others. On those seeds these three, "x-twice"
# and "x-thrice" were stated anew; "elbow", "ahead", "bound", "x-half", "y-half",
# "skewed" and "subspace" got other thresholds; "cautious", "subspace-elbow" and
# "orthogonal" are new.
# fmt: off
CLAIMS = [
    Claim("elbow", elbow, above(4), "times as fast",
          "Up to k = d the error falls more than four times as fast, for each example, as from d to 2d.",
          Reported("garg2022", "abstract", "performance comparable to the optimal least squares estimator", SMALLER)),
    Claim("least-squares", from_the_nearest_other, below(0.05), "of the difference",
          "With fewer examples than dimensions its predictions are less than a twentieth as far from least "
          "squares as from the nearer of averaging and 3 nearest."),
    Claim("ahead", against_simple_rules, below(0.1), "of the error",
          "After 2d examples it errs less than a tenth as much as averaging or 3 nearest."),
    left(
        "blunt",
        "as in training",
        "At k = d, where least squares is exact, more than a fiftieth of the variance "
        "is left.",
        above(0.02),
        after=lambda d: d,
    ),
    Claim("cautious", lambda m: float(m["from ridge"][m["d"]] / m["from least squares"][m["d"]]),
          below(0.7), "times as far",
          "At k = d its predictions are less than 0.7 times as far from ridge of strength 0.1 as from least "
          "squares."),
    left(
        "floor",
        "as in training",
        "It does not become exact: after 2d examples more than 2 thousandths of the "
        "variance are left.",
        above(0.002),
    ),
    left(
        "x-twice",
        "x * 2",
        "With inputs twice as large more than 3 hundredths of the variance are left.",
        above(0.03),
    ),
    left(
        "x-thrice",
        "x * 3",
        "With inputs three times as large more than a tenth of the variance is left.",
        above(0.1),
    ),
    left(
        "y-thrice",
        "y * 3",
        "With values three times as large more than a tenth of the variance is left.",
        above(0.1),
    ),
    Claim("bound", lambda m: float(m["least_error"]) / late(m, "y * 3"), above(0.5), "of the error",
          "More than half of the error on tripled values is forced by the largest answer that the network "
          "can give."),
    unlike_training(
        "orthant",
        "orthant",
        "With all examples in one orthant it errs over 1.3 times as much.",
        above(1.3),
    ),
    unlike_training(
        "x-half",
        "x / 2",
        "With inputs half as large it errs less than twice as much.",
        below(2),
    ),
    unlike_training(
        "y-half",
        "y / 2",
        "With values half as large it errs less than twice as much.",
        below(2),
    ),
    unlike_training(
        "skewed",
        "skewed",
        "With skewed inputs it errs less than 3 times as much.",
        below(3),
    ),
    unlike_training(
        "subspace",
        "subspace",
        "With inputs in a subspace it errs less than 5 times as much.",
        below(5),
    ),
    left(
        "subspace-elbow",
        "subspace",
        "With inputs in a subspace the elbow moves to its dimension: after as many "
        "examples less than a tenth of the variance is left.",
        below(0.1),
        after=half,
    ),
    left(
        "repeats",
        "query repeats",
        "Where the query repeats the first example, less than a twentieth of the "
        "variance is left after that example.",
        below(0.05),
        after=lambda d: 1,
    ),
    left(
        "orthogonal",
        "orthogonal",
        "With inputs at right angles the elbow is sharp: at k = d less than 3 "
        "hundredths of the variance are left.",
        below(0.03),
        after=lambda d: d,
    ),
]
# fmt: on

"""Can a transformer learn linear regression from its prompt, and is it least squares
that it learns?

Source: garg2022; the prompts that training never shows are those of the released code,
src/eval.py. Here: 3 dimensions and 8 examples instead of 20 and 40, width 32, an
example in one token, Muon for the layers' matrices, 550 steps instead of 500,000, no
curriculum.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from snippets.contract import SMALLER, Claim, Measurements, Reported, above, below
from snippets.icl.networks.regression_transformer import (
    RegressionTransformer,
    Sizes,
    Training,
    train,
)
from snippets.icl.streams import streams
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.tasks.unlike_training import Exam, every_kind, half
from snippets.icl.theory import oracles


@dataclass(frozen=True)
class Config:
    sizes: Sizes = field(default_factory=Sizes)
    n: int = 8  # examples before the last query
    training: Training = field(default_factory=lambda: Training(n_steps=550))
    ridge: float = 0.1  # strength of the ridge line
    n_test: int = 1000  # prompts of each kind


PRESETS = {
    "laptop": Config(),
    # the source's sizes, batch and rate; without its curriculum and its dense tokens
    "paper": Config(
        sizes=Sizes(d=20, n_layers=12, width=256, n_heads=8),
        n=40,
        training=Training(500_000, muon_rate=None, adam_rate=1e-4),
    ),
}


# --8<-- [start:predictions]
def by_network(
    network: RegressionTransformer, test: Exam
) -> Float[Tensor, "batch n_and_none"]:
    """What it answers after k = 0, 1 ... n examples: the query is asked at every place,
    and at each the network has read only what came before."""
    queries = test.query[:, None].expand(-1, test.x.shape[1] + 1, -1)
    x = torch.cat([test.x, test.query[:, None]], 1)
    y = torch.cat([test.y, torch.zeros(len(x), 1)], 1)  # the last is not read
    with torch.no_grad():
        return network(x, y, queries)


def by_algorithm(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor], test: Exam
) -> Float[Tensor, "batch n_and_none"]:
    """What an algorithm (x, y, query) answers after k examples; 0 after none."""
    x, y, query = test.x.double(), test.y.double(), test.query.double()
    answers = [torch.zeros_like(y[:, 0])]
    # --8<-- [start:after-k]
    for k in range(1, x.shape[1] + 1):
        answers.append(predict(x[:, :k], y[:, :k], query))
    # --8<-- [end:after-k]
    return torch.stack(answers, 1)


def algorithms(config: Config) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    return {
        # --8<-- [start:rivals]
        "least squares": lambda x, y, q: (oracles.least_squares(x, y) * q).sum(-1),
        "ridge": lambda x, y, q: (oracles.ridge(x, y, config.ridge) * q).sum(-1),
        "3 nearest": oracles.nearest_neighbours,
        "averaging": lambda x, y, q: (oracles.averaging(x, y) * q).sum(-1),
        # --8<-- [end:rivals]
    }


def gap(one: Tensor, other: Tensor, test: Exam) -> np.ndarray:
    """Mean squared difference at each k, over the answer's mean square: 1 is what
    predicting 0 costs."""
    squared = (one.double() - other.double()).square().mean(0)
    return (squared / test.answer.double().square().mean()).numpy()


# --8<-- [end:predictions]


# --8<-- [start:run]
def run(config: Config, seed: int) -> Measurements:
    weights, training, tests = streams(seed, 3)
    network = RegressionTransformer(config.sizes, weights)
    train(
        network,
        lambda batch: draw_prompts(batch, config.n, config.sizes.d, training),
        config.training,
    )

    kinds = every_kind(config.n_test, config.n, config.sizes.d, tests)
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


def least_error(largest: float, test: Exam) -> float:
    """The error of the best answers that are no larger than that."""
    missing = (test.answer.abs() - largest).clamp(min=0)
    return (missing.square().mean() / test.answer.square().mean()).item()


# --8<-- [end:run]


# --8<-- [start:derived]
def once(d: int) -> int:
    return d


def twice(d: int) -> int:
    return 2 * d


def left(kind: str, after: Callable[[int], int]) -> Callable[[Measurements], float]:
    """What is left of the variance on prompts of that kind after so many examples."""
    return lambda m: float(m[f"error of {kind}"][after(int(m["d"]))])


def against_training(kind: str) -> Callable[[Measurements], float]:
    """The error after 2 d examples, over that on prompts as in training."""
    return lambda m: left(kind, twice)(m) / left("as in training", twice)(m)


def elbow(m: Measurements) -> float:
    """Mean fall of the error per example up to k = d, over that from d to 2 d."""
    error, d = m["error of as in training"], m["d"]
    return float((error[0] - error[d]) / (error[d] - error[2 * d]))


def behind(m: Measurements) -> float:
    """While 0 < k < d: how much larger its error is than that of least squares."""
    early = slice(1, m["d"])
    ours, theirs = m["error of as in training"], m["error: least squares"]
    return float((ours[early] - theirs[early]).max())


def from_the_nearest_other(m: Measurements) -> float:
    """While k < d: mean difference from least squares, over that from 3 nearest or
    averaging, whichever is nearer."""
    early = slice(1, m["d"])
    others = min(m[f"from {name}"][early].mean() for name in ("3 nearest", "averaging"))
    return float(m["from least squares"][early].mean() / others)


def against_simple_rules(m: Measurements) -> float:
    """Its error after 2 d examples, as a share of the better of two simple rules'."""
    rules = (m[f"error: {name}"][2 * m["d"]] for name in ("3 nearest", "averaging"))
    return left("as in training", twice)(m) / min(rules)


def forced(m: Measurements) -> float:
    """Of the error on tripled values, the share that the largest answer forces."""
    return float(m["least_error"]) / left("y * 3", twice)(m)


def cautious(m: Measurements) -> float:
    """At k = d: difference from ridge, over that from least squares."""
    return float(m["from ridge"][m["d"]] / m["from least squares"][m["d"]])


def sharper(m: Measurements) -> float:
    """At k = d: what orthogonal inputs leave, over what others leave."""
    return left("orthogonal", once)(m) / left("as in training", once)(m)


# --8<-- [end:derived]


# fmt: off
CLAIMS = [
    Claim("elbow", elbow, above(4), "times as fast",
          "Up to k = d the error falls more than four times as fast, for each example, as from d to 2d."),
    Claim("behind", behind, below(0.05), "of the variance",
          "While k < d it errs by less than a twentieth of the variance more than least squares.",
          Reported("garg2022", "abstract", "performance comparable to the optimal least squares estimator", SMALLER)),
    Claim("least-squares", from_the_nearest_other, below(0.05), "of the difference",
          "While k < d its predictions are less than a twentieth as far from least squares as from the nearer of "
          "averaging and 3 nearest."),
    Claim("ahead", against_simple_rules, below(0.1), "of the error",
          "After 2d examples it errs less than a tenth as much as averaging or 3 nearest."),
    Claim("blunt", left("as in training", once), above(0.02), "of the variance",
          "At k = d, where least squares is exact, more than a fiftieth of the variance is left."),
    Claim("cautious", cautious, below(0.7), "times as far",
          "At k = d its predictions are less than 0.7 times as far from ridge of strength 0.1 as from least squares."),
    Claim("floor", left("as in training", twice), above(0.002), "of the variance",
          "It does not become exact: after 2d examples more than 2 thousandths of the variance are left."),
    Claim("x-twice", left("x * 2", twice), above(0.03), "of the variance",
          "With inputs twice as large more than 3 hundredths of the variance are left."),
    Claim("x-thrice", left("x * 3", twice), above(0.1), "of the variance",
          "With inputs three times as large more than a tenth of the variance is left."),
    Claim("y-thrice", left("y * 3", twice), above(0.1), "of the variance",
          "With values three times as large more than a tenth of the variance is left."),
    Claim("bound", forced, above(0.5), "of the error",
          "More than half of the error on tripled values is forced by the largest answer that the network can give."),
    Claim("orthant", against_training("orthant"), above(1.3), "times as large",
          "With all examples in one orthant it errs over 1.3 times as much."),
    Claim("x-half", against_training("x halved"), below(2.5), "times as large",
          "With inputs half as large it errs less than two and a half times as much."),
    Claim("y-half", against_training("y halved"), below(2), "times as large",
          "With values half as large it errs less than twice as much."),
    Claim("skewed", left("skewed", twice), below(0.05), "of the variance",
          "With skewed inputs less than a twentieth of the variance is left."),
    Claim("subspace", left("subspace", twice), below(0.1), "of the variance",
          "With inputs in a subspace less than a tenth of the variance is left."),
    Claim("subspace-elbow", left("subspace", half), below(0.1), "of the variance",
          "With inputs in a subspace the elbow moves to its dimension: "
          "after as many examples less than a tenth of the variance is left."),
    Claim("repeats", left("query repeats", lambda d: 1), below(0.05), "of the variance",
          "Where the query repeats the first example, less than a twentieth of the variance is left after it."),
    Claim("orthogonal", sharper, below(0.35), "of that",
          "At k = d inputs at right angles leave less than 0.35 of what other inputs leave: their elbow is sharp."),
]
# fmt: on

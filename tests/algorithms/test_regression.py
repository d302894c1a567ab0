"""The measures of the chapter on regression on networks whose answers are known, its claims, and a short run."""

import numpy as np
import pytest
import torch

from snippets.algorithms import regression
from snippets.icl.networks.regression_transformer import RegressionTransformer, Sizes, Training
from snippets.icl.tasks.unlike_training import Exam, every_kind
from snippets.icl.theory import oracles

SMALL = regression.Config(Sizes(d=3, n_layers=1, width=8), n=6, training=Training(n_steps=3, batch=4), n_test=200)


@pytest.fixture
def kinds() -> dict[str, Exam]:
    return every_kind(200, 6, 3, torch.Generator().manual_seed(0))


def test_least_squares_is_exact_on_every_kind_from_d_examples_on(kinds):
    fit = regression.algorithms(SMALL)["least squares"]
    for name, test in kinds.items():
        error = regression.gap(regression.by_algorithm(fit, test), test.answer[:, None], test)
        assert error[0] == pytest.approx(1) and error[3:].max() < 1e-8, name


def test_errors_of_the_algorithms_are_those_derived_on_the_page():
    config = regression.Config(Sizes(d=4, n_layers=1, width=8), n=10, n_test=20_000)
    test = every_kind(20_000, 10, 4, torch.Generator().manual_seed(2))["as in training"]
    algorithms = regression.algorithms(config)

    def error(predict):
        return regression.gap(regression.by_algorithm(predict, test), test.answer[:, None], test)

    k = np.arange(1, 11)
    np.testing.assert_allclose(error(algorithms["least squares"])[1:], np.maximum(0, 1 - k / 4), atol=0.03)
    np.testing.assert_allclose(error(algorithms["averaging"])[1:] * k / 5, 1, atol=0.15)

    def one_step(x, y, query):
        n = x.shape[1]
        return n / (n + 5) * (oracles.averaging(x, y) * query).sum(-1)

    np.testing.assert_allclose(error(one_step)[1:] * (k + 5) / 5, 1, atol=0.06)


def test_the_network_is_asked_the_same_query_after_each_k(kinds):
    network = RegressionTransformer(SMALL.sizes, torch.Generator().manual_seed(3), scale=1.5)
    test = kinds["orthant"]
    answers = regression.by_network(network, test)
    assert answers.shape == (200, 7)
    x, y = torch.cat([test.x[:, :2], test.query[:, None]], 1), torch.cat([test.y[:, :2], torch.zeros(200, 1)], 1)
    torch.testing.assert_close(answers[:, 2], network(x, y)[:, -1].detach())


def test_least_error_is_that_of_clipped_answers():
    test = Exam(torch.zeros(4, 1, 1), torch.ones(4, 1), torch.tensor([[1.0], [-2.0], [3.0], [-4.0]]))
    assert regression.least_error(2.0, test) == pytest.approx((1 + 4) / 30)
    assert regression.least_error(4.0, test) == 0


KINDS = [
    "skewed",
    "subspace",
    "orthogonal",
    "query repeats",
    "x halved",
    "y halved",
    "orthant",
    "x * 2",
    "x * 3",
    "y * 3",
]


def made_up(error: list[float], factor: dict[str, float], apart: float, **errors: list[float]) -> dict:
    """Errors after k = 0 ... 6 examples, those of each kind that many times as large unless given."""
    base = np.array(error)
    return {
        "d": 3,
        "least_error": 0.1,
        "error of as in training": base,
        **{f"error of {kind}": base * factor.get(kind, 1.0) for kind in KINDS},
        **{f"error of {kind.replace('_', ' ')}": np.array(given) for kind, given in errors.items()},
        "error: least squares": np.array([1.0, 0.66, 0.34, 0, 0, 0, 0]),
        "from least squares": np.array([0.0, apart, apart, 0.1, 0.1, 0.1, 0.1]),
        "from ridge": np.full(7, 4 * apart),
        "from 3 nearest": np.full(7, 1.0),
        "from averaging": np.full(7, 2.0),
        "error: 3 nearest": np.full(7, 0.6),
        "error: averaging": np.full(7, 0.7),
    }


def test_measures_on_made_up_curves():
    m = made_up([1.0, 0.7, 0.4, 0.1, 0.04, 0.02, 0.01], {"orthant": 4.0}, 0.01)
    assert regression.elbow(m) == pytest.approx(0.9 / 0.09)
    assert regression.left("orthant", regression.twice)(m) == pytest.approx(0.04)
    assert regression.against_training("orthant")(m) == pytest.approx(4)
    assert regression.from_the_nearest_other(m) == pytest.approx(0.01)
    read = {claim.id: claim.value(m) for claim in regression.CLAIMS}
    assert (read["repeats"], read["blunt"], read["floor"]) == (0.7, 0.1, 0.01)  # after 1, d and 2 d examples
    assert read["subspace-elbow"] == 0.7  # half of three dimensions is one
    assert read["cautious"] == pytest.approx(0.4)
    assert read["behind"] == pytest.approx(0.06) and read["orthogonal"] == 1
    assert (read["skewed"], read["subspace"]) == (0.01, 0.01)


def test_each_claim_can_hold_and_can_fail():
    parting = {"x * 2": 10.0, "x * 3": 30.0, "y * 3": 30.0, "orthant": 3.0, "orthogonal": 0.1}
    early = {"subspace": [1.0, 0.03] + [0.02] * 5, "query_repeats": [1.0, 0.01] + [0.005] * 5}
    good = made_up([1.0, 0.69, 0.37, 0.08, 0.03, 0.01, 0.006], parting, 0.01, **early)
    blurred = {"skewed": 30.0, "subspace": 30.0, "orthogonal": 3.0, "x halved": 9.0, "y halved": 9.0}
    worse = made_up([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4], blurred, 0.5)
    exact = made_up([1.0, 0.7, 0.4, 0.0, 0.0, 0.0, 1e-9], blurred, 0.5)
    for claim in regression.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        fails = exact if claim.id in ("blunt", "floor", "x-twice", "x-thrice", "y-thrice") else worse
        assert not claim.holds(claim.value(fails)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (regression.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["error of orthant"].shape == (7,)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["error of skewed"], other["error of skewed"])

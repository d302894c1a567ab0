"""The saddle: closed forms against autograd, the flow, its predicted time, and every claim."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.abrupt_learning import saddle
from snippets.icl.theory.head_flow import edge

sizes = st.tuples(st.integers(2, 12), st.integers(0, 40))  # N, L - N
SMALL = saddle.Config(grid_pairs=(4, 8), grid_ratios=(4.0,), nearest=4, n_directions=8)


@pytest.fixture(scope="module")
def measured() -> dict:
    return dict(saddle.run(SMALL, 1000))


@given(sizes)
@settings(max_examples=30)
def test_closed_forms_at_the_origin(size):
    assert saddle.worst_error(size[0], sum(size)) < 1e-14


@pytest.mark.parametrize("n", [3, 8])
def test_with_as_many_labels_as_pairs_the_growth_is_that_of_the_exercise(n):
    assert saddle.slope(n, n) == 0
    assert saddle.growth(n, n) == pytest.approx((n - 1) / n / ((n + 1) * (2 * n + 1)))


def test_a_start_at_the_saddle_itself_never_leaves():
    time, there = edge(np.zeros(3), 8, 8)
    assert time == math.inf and not there.any()


@given(st.floats(1e-6, 1e-2), st.floats(1e-6, 1e-2), st.integers(2, 30))
@settings(max_examples=30)
def test_without_absent_labels_the_integral_is_the_logarithm(xi, alpha, n):
    """The formula for a start near the origin is the limit of the integral."""
    expected = saddle.wait_at_a_saddle(xi + alpha, n)
    assert saddle.predicted_edge(xi, alpha, n, n) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("point", [(4, 64), (16, 64)])
def test_from_the_origin_the_integral_is_the_square_root(point):
    assert saddle.predicted_edge(1e-7, 1e-7, *point) == pytest.approx(saddle.wait_on_a_slope(*point), rel=0.03)


def test_adam_that_is_stopped_early_never_arrives():
    config = saddle.Config(most_steps=3)
    assert saddle.adam_steps(np.full(3, 0.01), 8, 8, config) == math.inf


def test_a_run_repeats_and_has_no_nan(measured):
    again, other = saddle.run(SMALL, 1000), saddle.run(SMALL, 1001)
    for name, values in measured.items():
        assert not np.isnan(values).any(), name
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(measured["edges"], other["edges"])
    assert np.isfinite(measured["edges"]).all() and measured["edges"].shape == (6,)


def test_every_claim_holds_here_and_can_fail(measured):
    good = measured | {"grid": np.array([[2, 4], *measured["grid"][1:].tolist()])}
    good["edges_predicted"] = measured["edges_predicted"] * np.array([1.15, 1, 1, 1, 1, 1])
    worse = {
        "closed-form": {"worst_error": 1e-3},
        "saddle": {"eigenvalues": np.array([0.0, 0.0, 1.0])},
        "logarithm": {"edges_by_size": np.ones((4, 3))},
        "one-absent-label": {"edges_by_size": measured["edges_by_size"][:, [1, 0, 2]]},
        "one-label-faster": {"edges_by_size": np.ones((4, 3))},
        "one-formula": {"edges_predicted": good["edges"] * 1.2},
        "two-pairs": {"edges_predicted": good["edges"]},
        "either-side": {"ends": -measured["ends"]},
        "minus-side": {"edges_by_angle": np.ones((8, 3))},
        "adam": {"adam": measured["edges_by_size"][:2]},
        "flow-beside-adam": {"edges_by_size": np.ones((4, 3))},
    }
    assert set(worse) == {claim.id for claim in saddle.CLAIMS}
    for claim in saddle.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(good | worse[claim.id])), claim.id


def test_a_start_that_stays_is_counted_as_not_away(measured):
    times = measured["edges_by_angle"].copy()
    times[2, 0] = math.inf
    assert saddle.side_agrees(measured | {"edges_by_angle": times}) == pytest.approx(7 / 8)

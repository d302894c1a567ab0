"""The weight between two predictors, and the law for it."""

import numpy as np
import pytest
import torch

from snippets.icl.theory import posterior_average as average

SIZES = np.repeat([4.0, 8, 16, 32, 64, 256], 5)
TIME = np.tile([300.0, 400, 500, 600, 700], 6)
SAVED = np.repeat([0.14, 0.12, 0.09, 0.08, 0.06, 0.04], 5)


@pytest.mark.parametrize("a", [-0.2, 0.0, 0.3, 1.0])
def test_the_weight_of_a_mix_is_found_and_what_is_across_does_not_count(a):
    g = torch.Generator().manual_seed(0)
    memory, counting, across = torch.randn(3, 50, 4, generator=g)
    way = memory - counting
    across = across - (across * way).sum() / way.square().sum() * way
    f = a * memory + (1 - a) * counting + across
    assert average.weight_on(memory, counting, f) == pytest.approx(a, abs=1e-5)


def test_no_weight_between_two_that_agree():
    same = torch.ones(3, 2)
    with pytest.raises(ValueError, match="agree everywhere"):
        average.weight_on(same, same, torch.zeros(3, 2))


def test_the_law_is_sure_where_memory_saves_and_not_where_it_costs():
    def at(t, K, saved):
        return average.law((3.0, 0.3, 0.8), *(np.array([v]) for v in (t, K, saved)))[0]

    assert at(700.0, 4.0, 0.1) > at(300.0, 4.0, 0.1) > at(300.0, 64.0, 0.1) > at(300.0, 64.0, 0.0)
    odds = 3 * 500**0.3 * 0.1 - 0.8 * np.log(16)
    assert at(500.0, 16.0, 0.1) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_what_follows_the_law_is_predicted_by_it_alone():
    true = average.law((6.0, 0.4, 1.5), TIME, SIZES, SAVED)
    off = average.held_out_errors(TIME, SIZES, SAVED, true, (4, 16, 64))
    assert off["law"] < 1e-3 < 0.01 < min(off[name] for name in ("logistic in K", "constant", "nearest"))


def test_what_follows_a_curve_in_log_k_is_predicted_by_the_curve():
    true = average.logistic_in_size((4.0, -1.3), TIME, SIZES, SAVED)
    off = average.held_out_errors(TIME, SIZES, SAVED, true, (4, 16, 64))
    assert off["logistic in K"] < 1e-4 < off["law"]


def test_the_held_out_half_is_not_used():
    true = average.law((6.0, 0.4, 1.5), TIME, SIZES, SAVED)
    other = np.where(np.isin(SIZES, (8, 32, 256)), 0.0, true)
    one, two = (
        average.fit("law", *(v[np.isin(SIZES, (4, 16, 64))] for v in (TIME, SIZES, SAVED, w))) for w in (true, other)
    )
    np.testing.assert_array_equal(one, two)
    assert average.held_out_errors(TIME, SIZES, SAVED, other, (4, 16, 64))["law"] > 0.1


def test_nearest_is_the_best_cut():
    weight = np.where(SIZES < 20, 0.9, 0.2)
    found = average.nearest(SIZES, weight, np.array([8.0, 16, 30]))
    assert found.tolist() == [1, 1, 0]


@pytest.mark.parametrize("fitted", [(), (4, 8, 16, 32, 64, 256)])
def test_a_split_with_nothing_in_a_half_is_named(fitted):
    with pytest.raises(ValueError, match="nothing held out"):
        average.held_out_errors(TIME, SIZES, SAVED, SAVED, fitted)


def test_too_few_points_are_named():
    two = np.ones(2)
    with pytest.raises(ValueError, match="2 points"):
        average.fit("law", two, two, two, two)

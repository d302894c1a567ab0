"""The head held back by a decay: states on the curve are at rest, and the flow agrees with the curve."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory.head_flow import velocity
from snippets.icl.theory.held_back import attention, folds, settle, states_at_rest

ALPHAS = np.geomspace(1e-5, 7, 300)


@given(st.integers(1, 40), st.integers(0, 60), st.floats(0.01, 6))
@settings(max_examples=40, deadline=None)
def test_every_state_of_the_curve_is_at_rest(n, absent, alpha):
    n_labels = max(n + absent, 2)
    decay, theta = states_at_rest(np.array([alpha]), n, n_labels)
    state = theta[0].numpy()
    left = velocity(state, n, n_labels) - decay[0] * state
    assert np.abs(left).max() < 1e-8
    assert state[1] == alpha


def test_a_start_between_the_folds_decides_and_outside_it_does_not():
    plateau_ends, head_ends = folds(ALPHAS, 8, 32)
    low, high = np.full(3, 0.01), np.full(3, 5.0)

    def ends(decay: float) -> list[float]:
        rest = torch.tensor(np.array([settle(start, decay, 8, 32) for start in (low, high)]))
        return attention(rest, 8).tolist()

    below, inside, above = ends(0.95 * plateau_ends), ends(math.sqrt(plateau_ends * head_ends)), ends(1.05 * head_ends)
    assert min(below) > 0.5 and below[0] == pytest.approx(below[1], abs=1e-4)
    assert inside[0] < 0.1 and inside[1] > 0.5
    assert max(above) < 0.1 and above[0] == pytest.approx(above[1], abs=1e-4)


@pytest.mark.parametrize("n", [2, 5, 16])
def test_without_absent_labels_the_plateau_ends_where_the_hessian_says(n):
    assert folds(ALPHAS, n, n)[0] == pytest.approx((n - 1) / n / ((n + 1) * (2 * n + 1)), rel=1e-4)


def test_one_pair_has_no_fold():
    with pytest.raises(ValueError, match=r"never turns back.*two pairs"):
        folds(ALPHAS, 1, 4)


@pytest.mark.parametrize("n, n_labels", [(0, 4), (4, 3), (1, 1)])
def test_a_head_that_cannot_be_is_refused(n, n_labels):
    with pytest.raises(ValueError, match=f"n_pairs = {n} and n_labels = {n_labels}"):
        states_at_rest(ALPHAS, n, n_labels)


@pytest.mark.parametrize("decay", [0.0, -0.1])
def test_without_a_decay_nothing_rests(decay):
    with pytest.raises(ValueError, match=r"decay = .*never rests"):
        settle(np.zeros(3), decay, 8, 32)

"""Depth: the best single step, the distances and claims on made-up curves, and a short run."""

import numpy as np
import pytest
import torch

from snippets.algorithms import regression_depth
from snippets.icl.networks.regression_transformer import Training
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles

STRENGTHS = np.geomspace(0.01, 3, 21)


def made_up(late: list[float], bottoms: list[float], step: float, exacts: list[float]) -> dict:
    """Three depths, each with its last error, its nearest ridge, and its distance from least squares."""
    valleys = [0.02 + 0.1 * np.log(STRENGTHS / bottom) ** 2 for bottom in bottoms]
    return {
        "depth": np.array([1, 2, 4]),
        "strengths": STRENGTHS,
        "error": np.array([[1.0, 0.7, value] for value in late]),
        "error_one_step": np.array([1.0, 0.8, 0.4]),
        "from_one_step": np.full((3, 3), step),
        "from_least_squares": np.array([[exact] * 3 for exact in exacts]),
        "from_ridge": np.stack([np.stack([valley] * 3, -1) for valley in valleys]),
    }


def test_one_step_is_the_best_of_all_sizes():
    prompts = draw_prompts(20_000, 3, 4, torch.Generator().manual_seed(0))
    x, y = prompts.x[:, :-1], prompts.y[:, :-1]

    def error(w) -> float:
        return (w - prompts.w).square().sum(-1).mean().item() / 4

    w = regression_depth.one_step(x, y)
    assert error(w) == pytest.approx(5 / 8, abs=0.02)
    assert error(w) < min(error(0.8 * w), error(1.25 * w))
    torch.testing.assert_close(w, oracles.descend(x, y, [3 / 8 * torch.eye(4)])[-1])


def test_measures_on_made_up_curves():
    m = made_up([0.2, 0.1, 0.02], [0.5, 0.2, 0.05], 0.3, [0.3, 0.1, 0.05])
    np.testing.assert_allclose(regression_depth.late(m), [0.2, 0.1, 0.02])
    np.testing.assert_allclose(regression_depth.fitted(m), [0.5, 0.2, 0.05], rtol=0.01)
    expected = [[0.3, 0.02, exact] for exact in (0.3, 0.1, 0.05)]
    np.testing.assert_allclose(regression_depth.distances(m), expected, atol=0.003)
    np.testing.assert_allclose(regression_depth.nearer_to_least_squares(m), [1, 1 / 3, 1 / 6])


def test_each_claim_can_hold_and_can_fail():
    good = made_up([0.2, 0.1, 0.02], [0.5, 0.2, 0.05], 0.3, [0.3, 0.1, 0.05])
    bad = made_up([0.4, 0.4, 0.4], [0.2, 0.2, 0.2], 0.01, [0.3, 0.3, 0.3])
    for claim in regression_depth.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    config = regression_depth.Config(d=2, n=4, depths=(1, 2), width=8, training=Training(n_steps=3, batch=4), n_test=10)
    one, two, other = (regression_depth.run(config, seed) for seed in (5, 5, 6))
    assert one["error"].shape == (2, 5) and one["from_ridge"].shape == (2, 21, 5)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["error"], other["error"])

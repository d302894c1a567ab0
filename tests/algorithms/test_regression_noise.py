"""The noise table: its diagonal, its fitted strengths, its claims, and a short run."""

import numpy as np
import pytest
import torch

from snippets.algorithms import regression_noise
from snippets.icl.networks.regression_transformer import Sizes, Training
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles

LEVELS = np.array([0.0, 0.25, 1.0])
GRID = np.geomspace(0.005, 5, 19)


def made_up(bottoms: list[float], floor: float = 0.01) -> np.ndarray:
    """A valley for each network, with its bottom at that strength."""
    strengths = np.concatenate([[0.005], LEVELS[1:], GRID])  # 0 stands below the grid
    return np.array([floor + 0.1 * np.log(strengths / bottom) ** 2 for bottom in bottoms])


@pytest.fixture
def good() -> dict:
    return {
        "strengths": np.concatenate([LEVELS, GRID]),
        "few": made_up([0.02, 0.25, 1.0]),
        "many": made_up([0.05, 0.45, 1.7], floor=1.0),
    }


def test_table_has_a_row_for_each_strength(good):
    t = regression_noise.table(good, "few")
    assert t.shape == (3, 3)
    assert t[1, 2] == good["few"][2, 1]  # strength 0.25, network of noise 1


def test_lead_is_the_diagonal_over_the_next_in_each_column():
    few = np.array([[1.0, 4.0, 9.0], [8.0, 2.0, 2.5], [9.0, 9.0, 3.0]])
    m = {"few": np.hstack([few, np.ones((3, 2))])}
    t = regression_noise.table(m, "few")
    np.testing.assert_allclose(regression_noise.lead(t), [1 / 4, 2 / 2.5, 3 / 9])
    np.testing.assert_allclose(regression_noise.lead(t.T), [1 / 8, 2 / 4, 3 / 2.5])


def test_fitted_strengths_are_the_bottoms_of_the_valleys(good):
    fitted = regression_noise.fitted(good, "few")
    np.testing.assert_allclose(fitted, [0.02, 0.25, 1.0], rtol=0.03)
    np.testing.assert_allclose(regression_noise.misfit(good, "many"), [1.8, 1.7], rtol=0.03)


def test_each_claim_can_hold_and_can_fail(good):
    bad = good | {"few": made_up([0.4, 1.0, 0.2]), "many": made_up([0.005, 0.25, 1.0], floor=1e-4)}
    exact = good | {"few": made_up([0.001, 0.25, 1.0])}  # least squares is nearest without noise
    exact["few"][0, 0] = 0.01
    for claim in regression_noise.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(exact if claim.id == "zero" else bad)), claim.id


def test_difference_from_the_ridge_that_it_is_is_zero():
    prompts = draw_prompts(20, 5, 2, torch.Generator().manual_seed(0), noise=0.5)

    def ridge(x, y):
        return oracles.at_every_position(lambda x, y: oracles.ridge(x, y, 0.25), x.double(), y.double())

    same = regression_noise.difference(ridge, prompts.x, prompts.y, 0.25)
    assert same.shape == (6,) and same.max() < 1e-20
    assert regression_noise.difference(ridge, prompts.x, prompts.y, 1.0)[1:].min() > 1e-4


def test_without_noise_ridge_at_strength_zero_is_the_limit():
    prompts = draw_prompts(20, 2, 3, torch.Generator().manual_seed(0), dtype=torch.float64)
    x, y = prompts.x[:, :2], prompts.y[:, :2]  # fewer examples than dimensions
    exact = oracles.ridge(x, y, 0.0)
    far, near = ((oracles.ridge(x, y, s) - exact).abs().max() for s in (1e-4, 1e-8))
    assert near < 1e-3 * far
    torch.testing.assert_close((x @ exact[..., None])[..., 0], y)


def test_a_short_run_is_finite_and_repeats():
    config = regression_noise.Config(
        Sizes(d=2, n_layers=1, width=8), n=4, training=Training(n_steps=3, batch=4), n_test=10
    )
    one, two, other = (regression_noise.run(config, seed) for seed in (5, 5, 6))
    assert one["few"].shape == one["many"].shape == (3, 3 + len(config.grid))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["few"], other["few"])

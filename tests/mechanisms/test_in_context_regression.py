"""Regression in context: the error's units, least squares, claims on made-up errors, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.networks.same_block import ARCHITECTURES
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.training import comparison
from snippets.mechanisms import in_context_regression as regression
from snippets.mechanisms.figures import eight


def made_up(**error) -> dict:
    """One seed: each cell's error after 1, 3 and 12 examples."""
    return {
        cell: {
            "size": np.array([1, 3, 12]),
            "error": np.array(values),
            "least_squares": np.array([0.67, 0.0, 0.0]),
        }
        for cell, values in error.items()
    }


GOOD = made_up(
    **dict.fromkeys(regression.PRESETS["laptop"], (0.7, 0.4, 0.1)),
) | made_up(
    **dict.fromkeys(regression.CORRECTING, (0.67, 0.3, 0.02)),
    **{"encoder-decoder": (1.0, 0.6, 0.2), "convolution": (1.0, 0.9, 0.9), "convolution-longer": (0.8, 0.7, 0.6)},
)
SPOILT = {  # for each claim, one cell with errors on which it fails
    "all": {"convolution-longer": (1.0, 1.0, 1.0)},
    "slow": {"convolution": (0.8, 0.5, 0.3)},
    "lstm-longer": {"lstm-longer": (0.8, 0.5, 0.4)},
    "attention": {"decoder": (0.7, 0.5, 0.4)},
    "no-choice": {"encoder-decoder": (0.7, 0.6, 0.2)},
    "correcting": {"titans": (0.67, 0.3, 0.095)},
    "delta-linear": {"linear-attention": (0.7, 0.4, 0.03)},
    "one": {"deltanet": (0.8, 0.3, 0.02)},
    "no-elbow": {"titans": (0.67, 0.05, 0.02)},
}


def test_the_cells_are_the_eight():
    assert list(regression.PRESETS["laptop"])[:8] == ARCHITECTURES
    assert all(cell.removesuffix("-longer") == c.architecture for cell, c in regression.PRESETS["laptop"].items())
    shown = {cell for cells in eight.GROUPS.values() for cell in cells}
    assert shown == set(ARCHITECTURES) == set(eight.NAMES)


@pytest.mark.parametrize("claim", regression.CLAIMS, ids=lambda c: c.id)
def test_each_claim_can_hold_and_can_fail(claim):
    assert claim.holds(claim.value(GOOD))
    assert not claim.holds(claim.value(GOOD | made_up(**SPOILT[claim.id])))


def test_the_answer_0_has_error_1_and_the_truth_0():
    prompts = draw_prompts(50, 7, 3, torch.Generator().manual_seed(0))
    y = prompts.y[:, 4:]
    assert regression.error_of(torch.zeros_like(y), prompts, 4) == 1
    assert regression.error_of(y, prompts, 4) == 0
    assert regression.error_of(y / 2, prompts, 4) == pytest.approx(0.25)


def test_least_squares_is_exact_from_d_examples_on():
    prompts = draw_prompts(4000, 7, 3, torch.Generator().manual_seed(0))
    errors = [regression.error_of(regression.least_squares_answers(prompts, n), prompts, n) for n in (1, 2, 3, 6)]
    assert errors[0] == pytest.approx(2 / 3, abs=0.03) and errors[1] == pytest.approx(1 / 3, abs=0.03)
    assert max(errors[2:]) < 1e-6


def test_the_network_hears_of_the_examples_y_and_not_of_the_queries():
    config = regression.PRESETS["laptop"]["decoder"]
    network = regression.RegressionNetwork(config, torch.Generator().manual_seed(0))
    prompts = draw_prompts(5, 9, config.d, torch.Generator().manual_seed(1))
    hidden = replace(prompts, y=torch.cat([prompts.y[:, :4], torch.zeros(5, 6)], 1))
    torch.testing.assert_close(network(hidden, 4), network(prompts, 4))
    shown = replace(prompts, y=prompts.y + 1)
    assert not torch.allclose(network(shown, 4), network(prompts, 4))


@pytest.mark.parametrize("cell", ["encoder-decoder", "deltanet"])
def test_a_short_run_is_finite_and_repeats(cell):
    config = replace(regression.PRESETS["laptop"][cell], n_steps=3, n_test=4)
    one, two, other = (regression.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["loss"] != other["loss"]
    assert one["error_at_12"] == one["error"][one["size"] == 12][0]


def test_no_rate_of_a_compared_network_lies_at_an_edge_of_those_tried():
    for cell in (*comparison.ATTENTION, *comparison.MATRICES):
        assert regression.PRESETS["laptop"][cell].rate in comparison.RATES[1:-1], cell

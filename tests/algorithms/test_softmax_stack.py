"""The softmax stack: measures on made-up curves, claims that can fail, and a short run."""

import numpy as np
import pytest
import torch

from snippets.algorithms import softmax_stack
from snippets.algorithms.figures import softmax_stack as figures
from snippets.icl.networks.regression_transformer import Sizes, Training
from snippets.icl.tasks.linear_regression import draw_prompts

SMALL = softmax_stack.Config(
    sizes=Sizes(d=2, n_layers=2, width=8), n=4, training=Training(n_steps=4, batch=8), n_fit=40, n_test=30,
    steps=(1, 2), iterations=(1,), ridges=(0.1,),
)  # fmt: skip


def measured(
    fitted: tuple = (1, 0.3, 0.08, 0.04, 0.01), half: float = 0.3, untrained: float = 0.95, end: float = 0.01, **other
) -> dict:
    own = np.array([1.2, 0.7, 0.5, 0.4, half, 0.25, 0.2, 0.1, end])
    changes = {name: np.array([1.2, 0.1, 0.05, 0.06]) for name in ("without", "without_attention", "without_mlp")}
    changes |= {"twice": np.full(4, 0.03), "swapped": np.full(6, 0.1), "halved": np.array([0.1])}
    changes["without_attention"] = np.array([0.1, 0.05, 0.05, 0.05])
    m = {
        "own": own, "fitted": np.repeat(fitted, 2)[:9], "untrained": np.full(9, untrained), "sum_off": 0.0,
        "plain": np.array([0.33, 0.16, 0.09, 0.05]), "scaled": np.array([0.26, 0.08, 0.03, 0.013]),
        "newton": np.array([0.12, 0.04, 0.01, 0.002]), "alike": np.linspace(0.7, 0.2, 4)[:, None] * np.ones(20),
        "layer_agrees": np.full(4, 0.7), **changes,
    }  # fmt: skip
    return m | other


def test_each_claim_can_hold_and_can_fail():
    good = measured()
    bads = {
        "sum": measured(sum_off=0.1),
        "each-lowers": measured(fitted=(1, 0.3, 0.29, 0.04, 0.01)),
        "untrained": measured(untrained=0.4),
        "unread": measured(half=0.08),
        "beats-plain": measured(end=0.06),
        "behind-newton": measured(end=0.001),
        "first-alike": measured(alike=np.full((4, 20), 0.1)),
        "unlike": measured(alike=np.full((4, 20), 0.9)),
        "toward": measured(layer_agrees=np.array([0.9, -0.2, 0.9, 0.9])),
        "without-first": measured(without=np.array([0.02, 0.1, 0.1, 0.1])),
        "without-others": measured(without=np.array([1.2, 0.1, 0.011, 0.1])),
        "twice": measured(twice=np.array([0.009, 0.1, 0.1, 0.1])),
        "swap": measured(swapped=np.full(6, 0.012)),
        "halved": measured(halved=np.array([0.01])),
        "first-mlp": measured(without_mlp=np.full(4, 0.05)),
        "first-attention": measured(without_attention=np.full(4, 0.9)),
    }
    for claim in softmax_stack.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bads[claim.id])), claim.id
        assert isinstance(claim.value(good), float), claim.id


def test_boosting_on_writes_that_are_known():
    """A start of nothing, then half of what is missing, twice; and one that writes the other way."""
    test = draw_prompts(50, 3, 2, torch.Generator().manual_seed(0), dtype=torch.float64)
    A = test.answer
    found = softmax_stack.boosting(torch.stack([0 * A, A / 2, 0 * A, A / 4, -A / 8]), test)
    np.testing.assert_allclose(found["layer_agrees"], [1, 1], atol=1e-9)
    np.testing.assert_allclose(found["layer_sums_left"], [1, 1 / 4, (3 / 8) ** 2])
    assert found["write_agrees"][0] == pytest.approx(1) and found["write_agrees"][-1] == pytest.approx(-1)


def test_algorithms_leave_less_the_more_steps_and_newton_least():
    test = draw_prompts(200, 8, 3, torch.Generator().manual_seed(0), dtype=torch.float64)
    m = softmax_stack.algorithms(test, softmax_stack.PRESETS["laptop"])
    for name in ("plain", "scaled", "newton"):
        assert (np.diff(m[name]) < 0).all() and len(m[name]) == 4
    assert m["newton"][-1] < m["scaled"][-1] < m["plain"][-1]


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (softmax_stack.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["own"].shape == one["fitted"].shape == (5,) and one["alike"].shape == (2, 4)
    assert one["without"].shape == (2,) and one["swapped"].shape == (1,)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["sum_off"] < 1e-12
    assert not np.array_equal(one["own"], other["own"])


def test_the_figures():
    m = measured()
    assert set(figures.draw([m, m])) == {"layers", "changes", "alike"}

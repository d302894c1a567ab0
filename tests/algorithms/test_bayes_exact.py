"""The exact chapter: its checks fail where the rule is wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.algorithms import bayes_exact
from snippets.icl.theory import gaussian_belief as gb

CONFIG = bayes_exact.Config(n=6, n_prompts=5, n_sampled=400)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("wrong", ["no doubt", "no shrinking", "half a step"])
def test_a_wrong_rule_is_seen(monkeypatch, wrong):
    right = gb.update

    def broken(belief, x, y):
        after = right(belief, x, y)
        if wrong == "no doubt":
            return gb.Belief(belief.mean + (after.mean - belief.mean) * 1.1, after.S)
        if wrong == "no shrinking":
            return gb.Belief(after.mean, belief.S)
        return gb.Belief((belief.mean + after.mean) / 2, after.S)

    exact = bayes_exact.identities(CONFIG, generator())
    assert max(exact.values()) < 1e-12
    monkeypatch.setattr(gb, "update", broken)
    found = bayes_exact.identities(CONFIG, generator())
    assert max(found.values()) > 1e-3


def test_the_gradient_is_that_of_ridge():
    x, y, w = bayes_exact.prompts(CONFIG, 3, generator())
    by_hand = (x.mT @ ((x @ w[..., None])[..., 0] - y)[..., None])[..., 0] + 0.25 * w
    torch.testing.assert_close(bayes_exact.slope(w, x, y, 0.25), by_hand)


def test_a_noise_taken_for_too_small_is_overconfident():
    """Exercise 2."""
    small = bayes_exact.doubt(replace(CONFIG, n_sampled=4000), 0.0025, generator())
    assert small["inside"][0] > 0.9 and small["inside"][5] < 0.25


def made_up() -> dict:
    one = np.ones(7, np.float32)
    return {
        **dict.fromkeys(("off_ridge", "off_inverse", "off_gradient", "off_order", "off_evidence"), 1e-14),
        **{"right_error": one, "right_announced": 1.01 * one, "right_inside": 0.951 * one},
        **{"wrong_error": 2 * one, "wrong_announced": 9 * one, "wrong_inside": 0.99 * one},
    }


def test_each_claim_can_hold_and_can_fail():
    good = made_up()
    bad = {name: 1e-3 if name.startswith("off") else 0.9 * value for name, value in good.items()}
    bad["right_error"], bad["wrong_error"] = 1.2 * good["right_error"], 1.3 * good["right_error"]
    for claim in bayes_exact.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two = (bayes_exact.run(CONFIG, 5) for _ in range(2))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])

"""The part's first experiment: what it compares, and that each of its claims can fail and can hold."""

import numpy as np
import pytest
import torch

from snippets.algorithms import substitutions
from snippets.icl.tasks.linear_regression import draw_prompts

ROWS = ("descent", "preconditioned", "plus_plus", "functional_relu", "functional_exp", "smoother")
SMALL = substitutions.Config(n_prompts=20, depths=(1, 2, 3, 4), etas=(0.5,), gammas=(0.1,))


def test_a_short_run_is_exact_and_repeats():
    one, two, other = (substitutions.run(SMALL, seed) for seed in (5, 5, 6))
    for name in ROWS:
        assert one[name] < substitutions.EXACT
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss_plain"], other["loss_plain"])


def test_a_wrong_construction_is_found(monkeypatch):
    """With the sign of the step changed every comparison must notice."""
    right = substitutions.one_step

    def wrong(A, step=1.0, gamma=0.0):
        V, Q, K = right(A, step, gamma)
        return -V, Q, K

    monkeypatch.setattr(substitutions, "one_step", wrong)
    measured = substitutions.run(SMALL, 5)
    for name in ROWS:
        assert measured[name] > 0.01, name


def test_the_smoother_by_a_loop():
    prompts = draw_prompts(2, 4, 3, torch.Generator().manual_seed(0), dtype=torch.float64)
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    for ours, xs, ys, q in zip(substitutions.smoother(x, y, query), x, y, query, strict=True):
        weights = [float(torch.exp(a @ q)) for a in xs]
        expected = sum(w * float(b) for w, b in zip(weights, ys, strict=True)) / sum(weights)
        assert ours.item() == pytest.approx(expected)


def test_each_claim_can_fail_and_can_hold():
    good = dict.fromkeys(ROWS, 1e-15) | {"loss_plain": np.array([4, 3, 2, 1.0]), "loss_bent": np.full(4, 0.2)}
    bad = dict.fromkeys(ROWS, 1e-7) | {"loss_plain": np.array([4, 3, 2, 1.0]), "loss_bent": np.full(4, 0.9)}
    for claim in substitutions.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id

"""The plain sum: a series by hand, its closed form, the unrolled steps, and claims that can fail."""

import numpy as np
import pytest
import torch

from snippets.meta_learning import neumann
from snippets.meta_learning.figures import neumann as figures


def test_one_weight_by_hand():
    H, g = torch.tensor([[0.5]], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    sums = neumann.plain_sum(H, g, 1.0, 3)[:, 0]
    torch.testing.assert_close(sums, torch.tensor([1, 1.5, 1.75], dtype=torch.float64))
    torch.testing.assert_close(neumann.predicted_left(H, g, 1.0, 3), 2 - sums)


def test_curvatures_are_as_asked():
    q = neumann.new_quadratic(neumann.Config(), 100.0, torch.Generator().manual_seed(0))
    c = torch.linalg.eigvalsh(q.H)
    assert c[0].item() == pytest.approx(0.01) and c[-1].item() == pytest.approx(1)
    h = torch.zeros(4, dtype=torch.float64)
    slope = torch.func.grad(q.problem().inner)(q.solution(h), h)
    assert slope.abs().max() < 1e-12


def test_terms_counts_from_one_and_may_never_come():
    assert neumann.terms(np.array([0.5, 0.1, 0.009, 0.001]), 0.01) == 3
    assert neumann.terms(np.array([0.5, 0.1]), 0.01) == np.inf


def test_each_claim_can_hold_and_can_fail():
    good = {"formula": 0.0, "unrolled": 0.0, "enough": np.array([40.0, 420.0])}
    for name, bad in (("formula", {"formula": 1e-3}), ("unrolled", {"unrolled": 1e-3}),
                      ("ten", {"enough": np.array([200.0, 2000.0])}), ("grows", {"enough": np.array([40.0, 80.0])}),
    ):  # fmt: skip
        claim = next(claim for claim in neumann.CLAIMS if claim.id == name)
        assert claim.holds(claim.value(good)) and not claim.holds(claim.value(good | bad)), name


def test_a_run_is_exact_and_repeats():
    config = neumann.Config(d=4, n_terms=60, conditions=(3.0, 10.0))
    one, two = (neumann.run(config, 5) for _ in range(2))
    assert one["formula"] < 1e-12 and one["unrolled"] < 1e-12
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_the_figure_draws_the_laptops_run():
    assert set(figures.draw([neumann.run(neumann.PRESETS["laptop"], 5)])) == {"left"}


def test_a_condition_below_one():
    with pytest.raises(ValueError, match=r"condition 0\.5: the largest curvature is over the least"):
        neumann.new_quadratic(neumann.Config(), 0.5, torch.Generator())

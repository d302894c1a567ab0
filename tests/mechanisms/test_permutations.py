"""When attention is a permutation: each measure is right where the answer is known, and notices what is wrong."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.mechanisms import permutations as exact
from snippets.mechanisms.figures import permutations as figures

SMALL = exact.Config(n_tokens=4, d_k=4, n_patterns=20, sharpness=(0.5, 8.0, 64.0), rounds=100)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@given(st.permutations(range(5)))
def test_a_permutation_leaves_nothing_over(order):
    assert exact.left_over(torch.eye(5).double()[order]) == 0


def test_what_is_left_over_elsewhere():
    assert exact.left_over(torch.full((4, 4), 0.25).double()) == pytest.approx(0.75)
    both_want_the_first = torch.tensor([[1.0, 0], [1, 0]]).double()
    assert exact.left_over(both_want_the_first) == 0.5


def test_best_keys():
    scores = torch.stack([torch.eye(3), torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 1]])]).double()
    assert exact.best_keys_differ(scores) == 0.5
    assert exact.distinct_keys(scores) == pytest.approx((3 + 2) / 6)


@given(st.integers(0, 1000), st.integers(2, 6))
def test_a_mixture_is_taken_apart_and_put_together(seed, n):
    scaled = exact.sinkhorn(random(n, n, seed=seed).exp(), 2000)
    weights, orders = exact.birkhoff(scaled)
    rebuilt = sum(w * torch.eye(n).double()[o] for w, o in zip(weights, orders))
    assert (rebuilt - scaled).abs().max() < 1e-7
    assert sum(weights) == pytest.approx(1) and len(weights) <= (n - 1) ** 2 + 1
    assert all(sorted(o.tolist()) == list(range(n)) for o in orders)


def test_rows_alone_are_no_mixture():
    pattern = torch.tensor([[1.0, 0], [0.5, 0.5]]).double()
    weights, _ = exact.birkhoff(pattern)
    assert sum(weights) < 0.9


def test_a_causal_pattern_goes_to_the_identity():
    scaled = exact.sinkhorn(random(4, 4).exp().tril(), 5000)
    assert (scaled - torch.eye(4)).abs().max() < 0.001


def test_reordering_passes_through_unless_there_is_a_mask():
    q, k, v = random(3, 2, 5, 4)
    assert exact.reordering_error(q, k, v, causal=False) < 1e-14
    assert exact.reordering_error(q, k, v, causal=True) > 0.1


def test_averages_notice_a_row_that_is_none(monkeypatch):
    q, k, v = random(3, 2, 5, 4)
    assert exact.average_error(q, k, v) < 1e-14
    ours = exact.attention
    monkeypatch.setattr(exact, "attention", lambda *a: tuple(1.5 * x for x in ours(*a)))
    assert exact.average_error(q, k, v) > 0.4


def test_each_claim_can_hold_and_can_fail():
    good = dict(exact.run(exact.PRESETS["laptop"], 5))
    bad = {name: np.asarray(value) + 0.3 for name, value in good.items()}
    bad |= {"reordered_causal": 0.0, "random": np.array([0.1]), "column_off": 0.1, "n_permutations": 51.0}
    for claim in exact.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_run_is_finite_repeats_and_draws():
    one, two, other = (exact.run(SMALL, seed) for seed in (5, 5, 6))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
        assert np.isfinite(one[name]).all()
    assert one["column_off"] != other["column_off"]
    assert set(figures.draw([one, other])) == {"sharpness"}
    assert dataclasses.is_dataclass(SMALL)

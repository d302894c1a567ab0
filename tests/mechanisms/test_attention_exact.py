"""Attention's exact checks: each holds for what is right and notices what is wrong."""

import dataclasses

import numpy as np
import pytest
import torch

from snippets.icl.networks.self_attention import SelfAttention
from snippets.mechanisms import attention_exact as exact
from snippets.mechanisms.figures import attention_exact as figures

SMALL = exact.Config(n_tokens=5, d_model=8, n_heads=2, batch=3, sizes=(4, 64), n_queries=300)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator())


def test_the_soft_dictionary():
    assert exact.soft_dictionary(0.0) == pytest.approx(5)
    for b in (1.0, 2.0, 6.4):
        assert exact.soft_dictionary(b) == pytest.approx(7 - 6 / (np.exp(b) + 2), abs=1e-5)
    assert 7 - exact.soft_dictionary(6.4) < 0.01 < 7 - exact.soft_dictionary(6.38)  # exercise 1


def test_library_errors_notice_a_difference(monkeypatch):
    q, k, v = random(3, 2, 5, 4)
    layer = SelfAttention(8, 2, generator()).double().requires_grad_(False)
    x = random(2, 5, 8)
    assert exact.library_error(q, k, v) < 1e-14 and exact.module_error(layer, x) < 1e-14
    ours = exact.attention
    monkeypatch.setattr(exact, "attention", lambda q, k, v, added=0.0: ours(q, 1.001 * k, v, added))
    assert exact.library_error(q, k, v) > 1e-6


def test_scores_and_slopes():
    assert exact.slope(torch.tensor([[1.0, 0.0]])) == 0
    assert exact.slope(torch.tensor([[0.5, 0.5]])) == 0.5
    measured = exact.scores_by_size(16, 4000, 8, generator())
    assert measured["variance"] == pytest.approx(16, rel=0.05)
    assert measured["largest_plain"] > measured["largest_scaled"]


def test_reach_is_causal_or_not():
    layer = SelfAttention(8, 2, generator()).requires_grad_(False)
    x = torch.randn(1, 5, 8, generator=generator())
    assert (exact.reach(x, layer, causal=False) > 0).all()
    moved = exact.reach(x, layer, causal=True)  # (changed, output)
    assert (moved.tril(-1) == 0).all() and (moved.T.tril() > 0).sum() == 15


def test_each_claim_can_hold_and_can_fail():
    good = dict(exact.run(SMALL, 5))
    good |= {"size": np.array([4.0, 1024]), "variance": np.array([4.1, 1000])}
    good |= {"largest_plain": np.array([0.3, 0.95]), "largest_scaled": np.array([0.16, 0.17])}
    good |= {"slope_plain": np.array([0.5, 0.05]), "slope_scaled": np.array([0.9, 0.9])}
    bad = {name: np.asarray(value) + 0.3 for name, value in good.items()}
    bad |= {"variance": np.array([4.0, 4.0]), "largest_scaled": np.array([0.1, 0.9])}
    bad |= {"largest_plain": np.array([0.3, 0.3]), "slope_plain": np.array([0.9, 0.9])}
    bad["reach_open"] = np.zeros((5, 5))
    for claim in exact.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_leak_is_a_change_before_the_changed_token():
    causal = np.triu(np.ones((4, 4)))  # (changed, output): a change moves itself and what comes later
    assert exact.leak({"reach_causal": causal}) == 0
    causal[2, 1] = 0.5
    assert exact.leak({"reach_causal": causal}) == 0.5


def test_a_run_is_finite_and_repeats():
    one, two, other = (exact.run(SMALL, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert np.abs(one["variance"] - other["variance"]).max() > 1e-3
    assert set(figures.draw([one, dict(other)])) == {"scale", "reach"}


def test_a_size_that_heads_do_not_divide():
    with pytest.raises(ValueError, match="d_model = 8 is not divisible by n_heads = 3"):
        exact.run(dataclasses.replace(SMALL, n_heads=3), 5)


def test_what_heads_cost():
    """Exercise 2: the four matrices hold 4 d_model^2 numbers, whatever the number of heads."""
    for n_heads in (1, 4, 64):
        layer = SelfAttention(64, n_heads, generator())
        assert sum(p.numel() for p in layer.parameters()) == 16_384
        scores = layer.W_Q[0].double() @ layer.W_K[0].double().T
        assert torch.linalg.matrix_rank(scores) <= 64 // n_heads

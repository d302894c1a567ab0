"""The pool of chains: what is derived from its measurements, its claims, and a short run."""

import numpy as np
import pytest

from snippets.algorithms import chain_pool
from snippets.algorithms.chain_pool import LOOKS, SIZES

SAVED = dict(zip(SIZES, (0.14, 0.12, 0.09, 0.08, 0.06, 0.04), strict=True))


def cell(K: int, *, weight: float, late: float, first: int = 0, nearest: int = 3) -> dict:
    """A network that is nearest to `first` up to step 100, and then to `nearest`."""
    step = np.array([look for look in LOOKS if look <= (1200 if K == 16 else 700)])
    off = np.full((len(step), 4), 0.2)
    off[step <= 100, first] = 0.05
    off[step > 100, nearest] = 0.1
    off[step >= 700, nearest] *= late
    weights = np.linspace(weight - 0.1, weight, len(step)) if K == 16 else np.full(len(step), weight)
    return {"step": step, "new_off": off, "pool_off": off, "pool_weight": weights, "saved": SAVED[K]}


def made_up(weights=(0.95, 0.8, 0.6, 0.3, 0.2, 0.1), nearest=(1, 1, 3, 3, 3, 3), first: int = 0, late=1.2) -> dict:
    return {
        f"k{K}": cell(K, weight=w, late=late if K == 16 else 1, first=first, nearest=n)
        for K, w, n in zip(SIZES, weights, nearest, strict=True)
    }


GOOD = made_up()


def test_the_boundary_lies_on_a_line_in_log_k():
    at_700 = float(chain_pool.at(GOOD, 16, "pool_weight"))
    share = (at_700 - 0.5) / (at_700 - 0.3)
    assert chain_pool.boundary(GOOD) == pytest.approx(16 * 2**share)
    assert chain_pool.boundary(made_up((0.9,) * 6)) == np.inf
    assert chain_pool.boundary(made_up((0.1,) * 6)) == 4


def test_shares_and_looks_are_counted():
    assert chain_pool.share_nearest(GOOD, (0, 2), SIZES, 50) == 1
    assert chain_pool.share_nearest(GOOD, (3,), (64,)) == pytest.approx(7 / 10)
    assert chain_pool.share_nearest(GOOD, (2,), SIZES) == 0


def test_only_settled_looks_are_fitted():
    t, K, saved, weight = chain_pool.points(GOOD)
    assert len(t) == 5 * len(SIZES) and t.min() == 300 and t.max() == 700
    assert set(saved[K == 8]) == {0.12} and weight[K == 256] == pytest.approx(0.1)


def test_each_claim_can_hold_and_can_fail():
    never = made_up((0.1, 0.9, 0.1, 0.9, 0.1, 0.9), (3, 1, 1, 1, 1, 1), first=2, late=0.5)
    falling = made_up((0.99, 0.95, 0.2, 0.0, 0.0, 0.0))
    falling["k16"]["pool_weight"] = np.linspace(0.9, 0.2, 13)
    curve = made_up(tuple(1 / (1 + np.exp(0.4 * np.log(K) - 2)) for K in SIZES))
    curve["k16"]["pool_weight"][:] = 1 / (1 + np.exp(0.4 * np.log(16) - 2))
    lawful = made_up()  # only the law knows how time and what is saved meet
    for K in SIZES:
        m = lawful[f"k{K}"]
        m["saved"] = 0.15 if K in (4, 8, 256) else 0.02
        odds = 0.6 * m["step"] ** 0.6 * m["saved"] - 0.5 * np.log(K)
        m["pool_weight"] = 1 / (1 + np.exp(-odds))
    flat = made_up((0.5,) * 6, first=3)
    better = made_up(late=0.5)  # it goes on coming nearer to counting
    for claim in chain_pool.CLAIMS:
        assert any(claim.holds(claim.value(m)) for m in (GOOD, curve)), claim.id
        assert any(not claim.holds(claim.value(m)) for m in (never, falling, lawful, flat, better)), claim.id


def test_a_short_run_is_finite_and_repeats():
    config = chain_pool.Config(3, n_steps=25, length=6, d_model=8, hidden=4, batch=2, n_test=5)
    one, two, other = (chain_pool.run(config, seed) for seed in (5, 5, 6))
    assert one["new_off"].shape == (1, 4) and list(one["step"]) == [25]
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["new_off"], other["new_off"])


def test_what_is_no_pool_is_named():
    with pytest.raises(ValueError, match="n_chains = 0"):
        chain_pool.run(chain_pool.Config(0, n_steps=1), 0)
    with pytest.raises(ValueError, match="k = 1"):
        chain_pool.run(chain_pool.Config(3, k=1, n_steps=1), 0)

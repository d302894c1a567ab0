"""Patience: the measures on made-up arrivals, claims that can fail, and a short run."""

import numpy as np
import pytest

from snippets.algorithms import patience
from snippets.algorithms.figures import patience as figures

SMALL = patience.Config(
    d=2, n=6, n_runs=3, batch=8, large_batch=8, n_steps=150, stuck_at=50, n_other_steps=50, give_up_at=25
)
EARLY, NEVER = [200.0] * 30, [np.inf] * 4


def ways(large: float, no_noise: float, its_scale: float, descent: float, n: int = 20) -> dict:
    shares = {"large": large, "no_noise": no_noise, "its_scale": its_scale, "descent": descent}
    return {name: np.where(np.arange(n) < share * n, np.inf, 100.0) for name, share in shares.items()}


def measured(late: list[float], two: float = 100.0, bend: float = 1e-3, flat: float = 0.0, **shares) -> dict:
    shares = {"large": 0.8, "no_noise": 0.0, "its_scale": 0.8, "descent": 0.9} | shares
    return {
        "arrived": np.array(EARLY + late),
        "two_heads": np.array([two] * 40 + [np.inf] * 4),
        "lowest": np.full(6, -bend),
        "highest": np.ones(6),
        "flat": flat,
        **ways(**shares),
    }


GOOD = [1500.0, 1800.0, *[9000.0] * 4, *NEVER]


def test_what_a_restart_costs():
    arrived = np.array([100.0, 300.0, np.inf, np.inf])
    # a try of 200 steps: 100 + 200 + 200 + 200 spent on one success
    assert patience.restarted(arrived, 200) == pytest.approx(700)
    assert patience.restarted(arrived, 300) == pytest.approx((100 + 300 * 3) / 2)
    assert patience.restarted(arrived, 50) == np.inf


def test_a_restart_by_simulation():
    """Draw tries from the measured arrivals until one succeeds, many times."""
    rng, arrived = np.random.default_rng(0), np.array([100.0, 150.0, 400.0, np.inf, np.inf])
    spent = []
    for _ in range(20_000):
        total = 0.0
        while (tried := rng.choice(arrived)) > 200:
            total += 200
        spent.append(total + tried)
    assert np.mean(spent) == pytest.approx(patience.restarted(arrived, 200), rel=0.02)


def test_measures_of_the_stuck():
    m = measured(GOOD)
    assert len(patience.late(m)) == 10 and patience.some_stuck(m)
    assert patience.half_life(m) == 9000 - 800
    assert patience.still(patience.late(m), 16_000) == pytest.approx(0.4)
    assert patience.waited(m) == pytest.approx((700 + 1000 + 4 * 8200 + 4 * 15_200) / 10)
    assert patience.waiting(m) == pytest.approx(0.8)
    assert patience.after(m, "descent") == pytest.approx(0.9)


def test_each_claim_can_hold_and_can_fail():
    good = measured(GOOD)
    bads = {
        "half": measured([1500.0] * 10),
        "leaves": measured(NEVER * 3),
        "restart": measured(NEVER * 20),
        "worth": measured([900.0] * 10),
        "two-heads": measured(GOOD, two=400.0),
        "scale": measured(GOOD, its_scale=0.2),
        "as-waiting": measured(GOOD, its_scale=0.2),
        "no-noise": measured(GOOD, no_noise=0.8),
        "large": measured(GOOD, large=1.0),
        "descent": measured(GOOD, descent=0.1),
        "bend": measured(GOOD, bend=0.1),
        "mirror": measured(GOOD, flat=1e-3),
    }
    for claim in patience.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bads[claim.id])), claim.id
        assert isinstance(claim.value(good), float), claim.id


def test_where_few_are_stuck_nothing_is_said_of_them():
    few = measured(NEVER)
    for claim in patience.CLAIMS:
        if claim.id not in ("restart", "two-heads", "mirror"):
            assert claim.applies is not None and not claim.applies(few), claim.id


def test_a_short_run_is_finite_where_it_must_be_and_repeats():
    one, two, other = (patience.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["arrived"].shape == (3,) and len(one["large"]) == np.sum(one["arrived"] > 50)
    for name in one:
        assert not np.isnan(one[name]).any(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["lowest"], other["lowest"])


def test_the_figures():
    assert set(figures.draw([measured(GOOD), measured(GOOD)])) == {"survival", "ways"}

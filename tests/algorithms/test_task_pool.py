"""The regression pool: its crossing, its claims, and a short run."""

import numpy as np
import pytest

from snippets.algorithms import task_pool
from snippets.icl.networks.regression_transformer import Sizes, Training


def cell(weight: float, pool_weight: float, apart: float, off: float = 0.01) -> dict:
    """A network at that place between memory and ridge, and a bit beside the way."""
    return {
        "new_memory": (1 - weight) ** 2 * apart + off,
        "new_ridge": weight**2 * apart + off,
        "new_apart": apart,
        "new_weight": weight,
        "pool_weight": pool_weight,
    }


def made_up(low: list[float], high: list[float], pool: float = 0.2, floor: float = 0.05) -> dict:
    apart = (0.5, 0.2, 0.06, 0.02)
    m = {
        f"{noise}-{M}": cell(w, pool, a)
        for noise, weights in (("low", low), ("high", high))
        for M, w, a in zip(task_pool.SIZES, weights, apart, strict=True)
    }
    return m | {f"{noise}-all": {"new_ridge": floor} for noise in task_pool.NOISES}


GOOD = made_up([0.9, 0.6, 0.4, 0.3], [0.95, 0.8, 0.6, 0.4])


def test_the_crossing_lies_on_a_line_in_log_m():
    assert task_pool.crossing(GOOD, "low") == pytest.approx(32)  # half-way in logs from 16 to 64
    assert task_pool.crossing(GOOD, "high") == pytest.approx(128)
    assert task_pool.crossing(made_up([0.4] * 4, [0.9] * 4), "low") == 4
    assert task_pool.crossing(made_up([0.4] * 4, [0.9] * 4), "high") == np.inf


def test_each_claim_can_hold_and_can_fail():
    bad = made_up([0.5, 1.2, 0.4, 0.45], [0.45, 0.1, 0.1, 0.4], pool=0.9, floor=0.001)
    bad["low-16"]["new_ridge"] = 0.3
    alike = made_up([0.95, 0.9, 0.9, 0.9], [0.95, 0.9, 0.9, 0.9])
    early = made_up([0.4, 0.1, 0.1, 0.1], [0.4, 0.1, 0.1, 0.1])
    for claim in task_pool.CLAIMS:
        assert claim.holds(claim.value(GOOD)), claim.id
        assert any(not claim.holds(claim.value(m)) for m in (bad, alike, early)), claim.id


@pytest.mark.parametrize("n_tasks", [3, None])
def test_a_short_run_is_finite_and_repeats(n_tasks):
    config = task_pool.Config(
        0.5, n_tasks, Sizes(d=2, n_layers=1, width=8), n=3, training=Training(n_steps=2, batch=4), n_test=20
    )
    one, two, other = (task_pool.run(config, seed) for seed in (5, 5, 6))
    assert one == two and one["new_ridge"] != other["new_ridge"]
    assert all(np.isfinite(value) for value in one.values())
    assert ("new_memory" in one) == (n_tasks is not None)


def test_no_noise_and_no_pool_are_named():
    with pytest.raises(ValueError, match="noise = 0"):
        task_pool.run(task_pool.Config(0.0, 3, training=Training(1, 2), n_test=2), 0)
    with pytest.raises(ValueError, match="n_tasks = 0"):
        task_pool.run(task_pool.Config(0.5, 0, training=Training(1, 2), n_test=2), 0)

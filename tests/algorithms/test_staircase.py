"""One drop or a staircase: rests and drops are counted on made-up curves; short runs."""

import numpy as np
import pytest

from snippets.algorithms import staircase
from snippets.algorithms.figures import staircase as figures

SMALL = staircase.Config(lam=(2.0, 1.0), batch=8, n_steps=30, n_times=10, n_starts=1, sizes=(0.2, 0.1))
LEVELS = np.array([4.0, 2.0, 1.0, 0.5, 0.4])
TIME = np.geomspace(0.1, 1000, 200)


def curve(*drops: float) -> np.ndarray:
    """From level to level, at once, at these times."""
    return LEVELS[(TIME[:, None] > np.array(drops)).sum(1)]


def test_rests_are_counted():
    m = {"levels": LEVELS, "time": TIME, "stairs": curve(1, 5, 30, 200), "drop": curve(1, 1.1, 1.2, 1.3),
         "two": curve(1, 1.1, 10, 100), "slope": np.linspace(4, 0.4, 200)}  # fmt: skip
    assert [staircase.pauses(m, name) for name in ("stairs", "drop", "two", "slope")] == [3, 0, 2, 0]


def test_drops_are_timed_and_compared():
    m = {"levels": LEVELS, "time": TIME, "a": curve(1, 5, 30, 200), "a_flow": curve(1, 5, 30, 100), "b": curve(1, 5)}
    assert staircase.late(m, "a") == pytest.approx(2, rel=0.06)
    assert np.isinf(staircase.middles(m, "b")[2:]).all() and np.isfinite(staircase.middles(m, "b")[:2]).all()


def test_growth_is_per_halving():
    m = {"x": np.array([[1.0, 1], [2, 2], [4, 4]])}
    assert staircase.growth(m, "x") == pytest.approx(2)


def test_short_runs_repeat_and_are_drawn():
    one, two, other = (staircase.run(SMALL, seed) for seed in (0, 0, 1))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["apart"], other["apart"])
    assert one["apart"][0] == pytest.approx(one["apart_flow"][0], abs=0.01)
    assert one["wait_apart"].shape == (2, 1) and (one["gap_merged"] > 0).all() and (staircase.over_bound(one) > 1).all()
    assert set(figures.draw([one, other])) == {"curves", "waits"}

"""The bottom of a valley: exact for a parabola, near it for others, and an end is an end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.theory.valley import bottom

GRID = np.geomspace(0.01, 10, 25)


@given(st.floats(0.02, 5), st.floats(0.01, 3), st.floats(0.001, 10))
def test_it_is_exact_for_a_parabola_between_the_points(lowest, curvature, height):
    y = height * np.exp(curvature * np.log(GRID / lowest) ** 2)
    assert bottom(GRID, y) == pytest.approx(lowest, rel=1e-6)


def test_it_stays_within_half_a_grid_step_of_the_least_point():
    y = np.random.default_rng(0).uniform(1, 2, len(GRID))
    y[7] = 0.5
    assert abs(np.log(bottom(GRID, y) / GRID[7])) <= np.log(GRID[1] / GRID[0]) / 2


def test_at_an_end_it_is_that_end():
    assert bottom(GRID, GRID) == pytest.approx(0.01)
    assert bottom(GRID, 1 / GRID) == pytest.approx(10)


def test_a_flat_valley_stays_at_its_first_point():
    y = np.ones(len(GRID))
    y[5:8] = 0.5
    assert bottom(GRID, y) == pytest.approx(GRID[5], rel=0.2)
    assert bottom(GRID[:3], np.array([1.0, 1.0, 1.0])) == pytest.approx(0.01)

"""Power laws: recovered where they are exact, with a floor and without; bends; what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory.power_law import bend, power_law, with_floor

N = np.array([1e4, 3e4, 1e5, 3e5, 1e6])


@given(st.floats(0.1, 100), st.floats(0.01, 1.5))
def test_an_exact_law_is_recovered(a, b):
    law = power_law(N, a * N**-b)
    assert law.b == pytest.approx(b)
    assert law.a == pytest.approx(a)
    assert law.error < 1e-6
    assert bend(N, a * N**-b) == pytest.approx(0, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 0.7), st.floats(1, 3))
def test_a_floor_is_found(b, c):
    law = with_floor(N, 100 * N**-b + c)
    assert law.c == pytest.approx(c, abs=0.05)
    assert law.b == pytest.approx(b, abs=0.2)


def test_a_floor_makes_a_line_bend_down_and_steps_make_it_bend_up():
    assert bend(N, 100 * N**-0.5 + 2) < -0.01
    assert bend(N, 4 - 0.2 * np.log10(N / 1e4) ** 2) > 0.01


def test_what_has_no_law_is_refused():
    with pytest.raises(ValueError, match="2 sizes and 1 losses"):
        power_law(N[:2], N[:1])
    with pytest.raises(ValueError, match="above zero"):
        power_law(N, -N)
    with pytest.raises(ValueError, match="give 4 points or more"):
        with_floor(N[:3], N[:3])

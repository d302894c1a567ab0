"""A crossing lies on a line over the logarithm, between two neighbours."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.theory.crossings import crossing


@given(st.floats(1.01, 511), st.floats(0.1, 5))
def test_a_line_over_the_logarithm_is_found_exactly(where, slope):
    places = [1, 2, 4, 8, 16, 64, 512]
    heights = [slope * math.log(place / where) for place in places]
    assert crossing(places, heights) == pytest.approx(where)


def test_the_first_crossing_counts():
    assert crossing([1, 4, 16, 64], [-1.0, 1.0, -1.0, 1.0]) == pytest.approx(2)


def test_what_begins_above_or_never_comes():
    assert crossing([128, 256], [0.0, 1.0]) == 128
    assert crossing([128, 256], [-1.0, -0.1]) == math.inf


def test_an_infinite_neighbour_is_as_far_as_it_can_be():
    assert crossing([128, 256], [-1.0, math.inf]) == 256


@pytest.mark.parametrize(
    ("places", "heights", "words"),
    [
        ([1, 2], [0.0], "1 heights at 2 places"),
        ([], [], "give one at each"),
        ([2, 2], [0.0, 1.0], "must be positive and grow"),
        ([0, 2], [0.0, 1.0], "must be positive and grow"),
        ([1, 2], [math.nan, 1.0], "is no number"),
    ],
)
def test_bad_lines_are_named(places, heights, words):
    with pytest.raises(ValueError, match=words):
        crossing(places, heights)

"""Seeds as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.book.errors import UsageError
from snippets.book.measure import seeds


@pytest.mark.parametrize(
    ("text", "means"), [("0-4", [0, 1, 2, 3, 4]), ("0,2,7", [0, 2, 7]), ("3", [3]), (" 1 - 2 ", None)]
)
def test_seeds_are_read(text, means):
    if means is None:
        with pytest.raises(UsageError):
            seeds.parse(text)
    else:
        assert seeds.parse(text) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read"),
        ("a", "at 'a'"),
        ("0-", "at '0-'"),
        ("-1", "at '-1'"),
        ("1,,2", "at ''"),
        ("4-0", "write 0-4"),
        ("1,1", "seed 1 twice"),
        ("0-4,2", "seed 2 twice"),
        ("1.5", "at '1.5'"),
        ("0-99999999", "at most 10000"),
    ],
)
def test_bad_seeds_are_named(text, says):
    with pytest.raises(UsageError) as caught:
        seeds.parse(text)
    assert says in str(caught.value)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20, unique=True))
def test_spell_and_parse_are_inverse(wanted):
    assert seeds.parse(seeds.spell(wanted)) == wanted

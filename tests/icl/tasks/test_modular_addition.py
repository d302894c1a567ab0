"""Sums modulo a prime: a partition of the table, with right answers, and bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.modular_addition import is_prime, table


@given(st.sampled_from([2, 3, 7, 31]), st.floats(0.2, 0.8), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_each_sum_stands_on_one_side(p, share, seed):
    sides = table(p, share, torch.Generator().manual_seed(seed))
    both = torch.cat([side.pairs for side in sides])
    a, b = both[:, :p].argmax(1), both[:, p:].argmax(1)
    assert (both.sum(1) == 2).all() and len(set((a * p + b).tolist())) == p * p
    assert torch.equal(torch.cat([side.answer for side in sides]), (a + b) % p)
    assert len(sides[0].answer) == round(share * p * p)


def test_primes():
    assert [p for p in range(40) if is_prime(p)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]


@pytest.mark.parametrize(("p", "share", "says"), [(9, 0.5, "9 is not prime"), (1, 0.5, "not prime"), (7, 1.0, "empty")])
def test_bad_tables_are_refused(p, share, says):
    with pytest.raises(ValueError, match=says):
        table(p, share, torch.Generator())

"""Recall prompts: keys differ, queries are stored keys, and answers are theirs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.recall import draw_recall


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 5), st.integers(0, 10_000))
def test_answers_are_the_values_of_the_keys_asked_for(n_pairs, n_queries, n_values, seed):
    prompts = draw_recall(4, n_pairs, n_queries, 12, n_values, torch.Generator().manual_seed(seed))
    rows = zip(prompts.keys, prompts.values, prompts.queries, prompts.answers)
    for keys, values, queries, answers in rows:
        stored = dict(zip(keys.tolist(), values.tolist()))
        assert len(stored) == n_pairs, "a key came twice"
        assert [stored[q] for q in queries.tolist()] == answers.tolist()
        assert set(keys.tolist()) <= set(range(12)) and set(values.tolist()) <= set(range(n_values))


def test_every_key_place_and_value_is_drawn_alike():
    prompts = draw_recall(4000, 4, 3, 8, 5, torch.Generator().manual_seed(0))
    for drawn, count in ((prompts.keys[:, 0], 8), (prompts.values[:, 1], 5), (prompts.queries[:, 2], 8)):
        share = torch.bincount(drawn, minlength=count) / len(drawn)
        assert (share - 1 / count).abs().max() < 0.03
    place = (prompts.queries[:, :1] == prompts.keys).float().mean(0)
    assert (place - 1 / 4).abs().max() < 0.03


@pytest.mark.parametrize(
    ("sizes", "word"),
    [
        ((1, 0, 1, 4, 2), "n_pairs = 0: a prompt needs at least 1"),
        ((1, 5, 1, 4, 2), "5 pairs need as many different keys, and there are 4"),
        ((1, 2, 0, 4, 2), "n_queries = 0"),
        ((1, 2, 1, 4, 0), "n_values = 0"),
        ((0, 2, 1, 4, 2), "batch = 0"),
    ],
)
def test_prompts_that_cannot_be_are_refused(sizes, word):
    with pytest.raises(ValueError, match=word):
        draw_recall(*sizes, torch.Generator())

"""The rule of the longest earlier match: against a plain search, and its mixture with a table."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory.copier import LONGEST, bigram_table, copier_loss, guesses, longest_match, trust

LISTS = st.lists(st.integers(0, 3), min_size=1, max_size=24)


def plainly(tokens: list[int]) -> list[tuple[int, int]]:
    """For each token the latest of its longest earlier matches, tried one by one."""
    found = []
    for q in range(len(tokens)):
        best = (0, 0)
        for j in range(q):
            agree = 0
            while agree <= j and tokens[j - agree] == tokens[q - agree]:
                agree += 1
            if agree and agree >= best[1]:
                best = (j, agree)
        found.append(best)
    return found


@settings(max_examples=200, deadline=None)
@given(LISTS)
def test_it_is_what_a_plain_search_finds(tokens):
    place, agree = longest_match(torch.tensor([tokens]))
    assert list(zip(place[0].tolist(), agree[0].tolist(), strict=True)) == plainly(tokens)


def test_by_hand():
    text = ["for", "name", "in", "names", ":", "show", ".", "for", "name", "in", "names"]
    ids = torch.tensor([[sorted(set(text)).index(word) for word in text]])
    found = guesses(ids)
    assert found.right[0].tolist() == [False] * 7 + [True, True, True]
    assert found.agree[0].tolist() == [0] * 7 + [1, 2, 3]


@given(LISTS.filter(lambda one: len(one) > 1))
def test_text_read_twice_is_known_from_its_second_word_on_if_all_words_differ(tokens):
    once = torch.arange(len(tokens))
    found = guesses(torch.cat([once, once])[None])
    assert found.right[0, len(tokens) :].all() and not found.right[0, : len(tokens)].any()


def test_matches_are_counted_up_to_the_longest():
    assert guesses(torch.zeros(1, 20, dtype=torch.long)).agree.max() == LONGEST


@settings(max_examples=30, deadline=None)
@given(st.lists(LISTS, min_size=1, max_size=4))
def test_a_table_is_made_of_chances(rows):
    if all(len(row) < 2 for row in rows):
        with pytest.raises(ValueError, match="no text to count bigrams in"):
            bigram_table([torch.tensor(row) for row in rows], 4)
        return
    table = bigram_table([torch.tensor(row) for row in rows], 4)
    assert (table > 0).all() and torch.allclose(table.sum(1), torch.ones(4).double())


def test_pairs_across_two_texts_are_not_counted():
    table = bigram_table([torch.tensor([0, 1]), torch.tensor([2, 3])], 4, unseen=1e-9)
    assert table[0, 1] > 0.999 and table[1, 2] < 0.5


def test_trust_is_the_share_that_loses_least():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(4, (64, 40), generator=generator)
    found, by_table = guesses(tokens), torch.full((64, 39), 0.25).double()
    shares = trust(found, by_table)
    assert shares[0] == 0 and (shares < 0.3).all()  # there is nothing to copy in noise
    best = copier_loss(found, by_table, shares[found.agree]).mean()
    for w in (0.2, 0.5):
        assert best <= copier_loss(found, by_table, torch.full_like(by_table, w)).mean()
    twice = tokens[:, :20].repeat(1, 2)
    assert trust(guesses(twice), by_table)[LONGEST] > 0.9


@pytest.mark.parametrize(
    ("tokens", "said"),
    [(torch.zeros(0, 4, dtype=torch.long), "the text is empty"), (torch.tensor([[0, -1]]), "there is no token -1")],
)
def test_windows_without_sense(tokens, said):
    with pytest.raises(ValueError, match=said):
        longest_match(tokens)

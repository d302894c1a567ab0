"""Words of real text: none is lost, none is unknown, windows stay within a file, and the device repeats."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks import words as of
from snippets.icl.tasks.real_text import Document
from snippets.icl.tasks.words import Windows, come_round_again, more_code, number, numbered, split, words

TEXTS = [Document("a", "the cat, the dog\n    the cat", False), Document("b", "a newt_2", True)]


@given(st.text(alphabet="ab Z09_.\n\té"))
def test_nothing_but_blanks_is_dropped(text):
    assert "".join(split(text)).replace(" ", "") == text.replace(" ", "").replace("\t", "")


def test_split_by_hand():
    assert split("x_12 = f(x)\n    yé") == ["x", "_", "12", "=", "f", "(", "x", ")", "\n    ", "y", "é"]


@given(st.text(min_size=1), st.integers(2, 50))
def test_a_word_always_looks_like_itself_and_keeps_out_of_the_common_ones(word, n_vocab):
    common = {w: i for i, w in enumerate(["the", "cat"][: n_vocab // 2])}
    one = number(word, common, n_vocab)
    assert one == number(word, common, n_vocab) < n_vocab
    assert one == common[word] if word in common else one >= len(common)


def test_common_words_are_those_of_the_training_text():
    found = numbered(TEXTS, 4)
    assert found.common == ["the", "cat"]
    assert found.trained[0].tolist()[:2] == [0, 1] and len(found.held_out) == 1
    assert int(found.held_out[0].min()) >= 2  # none of its words is common


def test_what_holds_no_text_is_said():
    with pytest.raises(ValueError, match="vocabulary of 1 is none"):
        numbered(TEXTS, 1)
    with pytest.raises(ValueError, match="no text to count words in"):
        numbered([TEXTS[1]], 8)
    with pytest.raises(ValueError, match="no corpus 'poems'"):
        words("poems", 8)


def test_the_code_is_there_and_split_by_file():
    found = more_code()
    kept = sum(len(one.text) for one in found if one.held_out) / sum(len(one.text) for one in found)
    assert len(found) == 312 and 0.05 < kept < 0.25
    assert not any("/tests/" in one.name for one in found)


def test_altered_code_is_an_error(monkeypatch):
    monkeypatch.setattr(of, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"the code differs .* run `make environment`"):
        more_code.__wrapped__()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 8), st.integers(0, 9))
def test_windows_never_cross_a_file(lengths, length, seed):
    rows = [100 * i + torch.arange(n) for i, n in enumerate(lengths)]
    generator = torch.Generator().manual_seed(seed)
    if max(lengths) < length:
        with pytest.raises(ValueError, match=f"a window of {length} words is longer than each"):
            Windows(rows, length)
        return
    windows = Windows(rows, length)
    assert len(windows.starts) == sum(max(0, n - length + 1) for n in lengths)
    drawn = windows.draw(20, generator)
    assert (drawn.diff(dim=1) == 1).all()  # each goes on within one row


def test_the_device_repeats_some_windows_and_spares_the_others():
    windows = torch.arange(4 * 129).view(4, 129)
    found = come_round_again(windows, 3, torch.Generator().manual_seed(0))
    assert (found[3] == windows[3]).all()
    for row, before in zip(found[:3], windows[:3], strict=True):
        length = len(row.unique())
        assert 21 <= length <= 64 and (row[:length] == before[:length]).all()
        assert (row[length:] == row[:-length]).all()
    assert (come_round_again(windows, 0, torch.Generator()) == windows).all()

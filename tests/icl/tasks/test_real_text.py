"""Real text: the same bytes everywhere, split by whole documents; and its tokens."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.book.measure import fingerprint
from snippets.icl.tasks import real_text
from snippets.icl.tasks.byte_pairs import cut, decode, encode, learn_pairs, n_bytes, windows
from snippets.icl.tasks.real_text import corpus, documents

TEXTS = ["the whale and the ship and the sea, the whale!\n", "call me é, — the other the\n"]
TOKENISER = learn_pairs(TEXTS, 270)


@pytest.mark.parametrize("which", ["novel", "speeches", "code"])
def test_corpora_are_there_and_split_by_document(which):
    found = corpus(which)
    assert len({document.name for document in found}) == len(found)
    kept = sum(len(document.text) for document in found if document.held_out)
    assert 0.05 < kept / sum(len(document.text) for document in found) < 0.35


def test_the_novel_is_the_novel():
    assert corpus("novel")[0].text.startswith("CHAPTER 1. Loomings.")
    assert [document.name for document in corpus("novel") if document.held_out][:2] == ["chapter 5", "chapter 15"]
    assert not any("test" in document.name for document in corpus("code"))


def test_a_corpus_that_is_missing_or_altered_is_one_line(tmp_path, monkeypatch):
    page = tmp_path / "page.txt"
    page.write_text("Call me Ishmael.")
    with pytest.raises(ValueError, match=r"the novel differs .* run `make environment`") as altered:
        documents([("page", page, False)], "the novel", "0" * 64)
    assert "\n" not in str(altered.value)
    with pytest.raises(ValueError, match=r"the novel is not there \(page\): run `make environment`"):
        documents([("page", tmp_path / "other.txt", False)], "the novel", "0" * 64)
    monkeypatch.setattr(real_text, "NPM", tmp_path)
    with pytest.raises(ValueError, match="not there"):
        real_text.novel()
    with pytest.raises(ValueError, match="differs"):
        real_text.speeches()
    monkeypatch.setattr(real_text.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="the code is not there: run `make environment`"):
        real_text.code()
    with pytest.raises(ValueError, match="no corpus 'poems': choose from novel"):
        corpus("poems")


def test_the_hash_knows_names_order_and_bytes(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"a"), two.write_bytes(b"b")

    def digest(*files):
        with pytest.raises(ValueError) as error:
            documents([(name, path, False) for name, path in files], "it", "none")
        return str(error.value).split("sha256 ")[1][:12]

    found = {digest(("x", one), ("y", two)), digest(("y", two), ("x", one)), digest(("x", two), ("y", one))}
    assert len(found) == 3


def test_text_and_tokeniser_are_causes_of_the_measurements():
    for cause in fingerprint.causes("mechanisms/next_token", "laptop").values():
        assert {"sympy", "tokenizers"} <= set(cause.pins)
        assert {"novel", "code", "documents"} <= set(cause.definitions)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_every_text_can_be_written(text):
    (ids,) = encode(TOKENISER, [text])
    assert decode(TOKENISER, ids.tolist()) == text
    assert int(n_bytes(TOKENISER)[ids].sum()) == len(text.encode())


def test_the_same_texts_give_the_same_tokens():
    again = learn_pairs(TEXTS, 270)
    assert again.to_str() == TOKENISER.to_str()
    assert again.get_vocab_size() == 270
    assert learn_pairs(TEXTS[:1], 270).to_str() != TOKENISER.to_str()


def test_the_commonest_pair_comes_first():
    first = learn_pairs(["ab ab ab ac"], 257)
    assert first.id_to_token(256) == "ab"


def test_what_cannot_be_tokens_is_refused():
    with pytest.raises(ValueError, match="255 tokens cannot hold the 256 bytes"):
        learn_pairs(TEXTS, 255)
    with pytest.raises(ValueError, match="no text"):
        learn_pairs([""], 270)
    for wrong in (270, -1):
        with pytest.raises(ValueError, match=f"no token {wrong}: ids go from 0 to 269"):
            decode(TOKENISER, [wrong])


def test_windows_are_stretches_of_the_row():
    row = torch.arange(50)
    found = windows(row, 7, 200, torch.Generator().manual_seed(0))
    assert (found.diff(dim=1) == 1).all()
    assert int(found.min()) == 0 and int(found.max()) == 49  # both ends can be drawn
    with pytest.raises(ValueError, match="51 tokens is longer than the text's 50"):
        windows(row, 51, 1, torch.Generator())


@given(st.integers(1, 9), st.integers(1, 9))
def test_cut_windows_do_not_overlap(n, length):
    found = cut(torch.arange(81), length, n)
    assert found.shape == (n, length)
    assert len(np.unique(found.numpy())) == n * length


def test_too_many_windows_are_refused():
    with pytest.raises(ValueError, match="3 windows of 4 tokens do not fit into the text's 11"):
        cut(torch.arange(11), 4, 3)

"""A cipher in context: by hand, and what is no such prompt."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.cipher import draw_cipher, encode


def test_the_example_of_the_chapter():
    code = torch.tensor([[4, 1, 3, 0, 2]])
    assert encode(code, torch.tensor([[2, 0, 1]])).tolist() == [[1, 4, 3]]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 9), length=st.integers(1, 9), seed=st.integers(0, 99))
def test_every_answer_can_be_decoded(n, length, seed):
    drawn = draw_cipher(4, n, length, torch.Generator().manual_seed(seed))
    assert (drawn.code.sort(1).values == torch.arange(n)).all()
    decoded = drawn.code.argsort(1).gather(1, drawn.answer).flip(1)
    assert torch.equal(decoded, drawn.text)


def test_codes_differ_from_prompt_to_prompt():
    drawn = draw_cipher(200, 6, 5, torch.Generator().manual_seed(0))
    assert len(drawn.code.unique(dim=0)) > 100
    assert drawn.code.double().mean(0).allclose(torch.full((6,), 2.5).double(), atol=0.5)


@pytest.mark.parametrize("sizes", [(0, 3, 3), (2, 0, 3), (2, 3, 0)])
def test_an_empty_prompt(sizes):
    with pytest.raises(ValueError, match="= 0: a prompt needs at least 1"):
        draw_cipher(*sizes, torch.Generator())


@pytest.mark.parametrize("symbol", [-1, 3])
def test_an_unknown_symbol(symbol):
    with pytest.raises(ValueError, match="none of 0 to 2"):
        encode(torch.tensor([[0, 1, 2]]), torch.tensor([[symbol]]))

"""The head of three numbers against its look written out, token by token."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.minimal_head import MinimalHeads, Start, look_back

numbers = st.floats(-6, 6)


def heads(*starts: Start) -> MinimalHeads:
    return MinimalHeads(starts, 5, 4, 8, torch.Generator().manual_seed(1))


def contents(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 3, 7, 5, generator=torch.Generator().manual_seed(seed))


@given(numbers, numbers, numbers, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_both_looks_are_those_of_the_docstring(beta1, alpha, beta2, seed):
    one, c = heads(Start(beta1, alpha)), contents(seed)
    one.numbers.data[0, 2] = beta2
    found = one(c)[1][0, 0]
    x, scores = c[0, 0], []
    for i in range(7):
        logits = [beta1 if j == i - 1 else 0.0 for j in range(i + 1)]
        shares = [math.exp(logit) for logit in logits]
        gathered = sum(share / sum(shares) * x[j] for j, share in enumerate(shares))
        scores.append(alpha * float(x[6] @ gathered) + (beta2 if i % 2 else 0.0))
    expected = torch.tensor(scores).softmax(0)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_without_beta2_nothing_pulls_on_it():
    pair, c = heads(Start(1.0, 1.0, direct=True), Start(1.0, 1.0, direct=False)), contents()
    pair(c)[0].square().sum().backward()
    assert pair.numbers.grad[0, 2] != 0 and pair.numbers.grad[1, 2] == 0


def test_at_zero_every_token_is_looked_at_alike():
    second = heads(Start())(contents())[1]
    torch.testing.assert_close(second, torch.full_like(second, 1 / 7))


def test_a_head_does_not_see_its_neighbours():
    """The same head alone and beside another: the same first answers."""
    alone, beside = heads(Start(1.0, 2.0)), heads(Start(1.0, 2.0), Start(-3.0, 0.0))
    torch.testing.assert_close(alone(contents())[0][0], beside(contents())[0][0])


def test_layer_one_adds_to_one_and_sees_nothing_later():
    first = look_back(torch.tensor([[[2.0]]]), 5)[0]
    torch.testing.assert_close(first.sum(1), torch.ones(5))
    assert first.triu(1).abs().max() == 0
    assert first[3, 2] == pytest.approx(math.exp(2) / (math.exp(2) + 3))


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None])
@pytest.mark.parametrize("which", ["beta1", "alpha"])
def test_a_start_that_is_no_number_is_named(which, value):
    # past the tests' own check of types, which a reader's program does not have
    start = SimpleNamespace(beta1=0.0, alpha=0.0)
    setattr(start, which, value)
    with pytest.raises(ValueError, match=f"{which} = .* is no number to start from"):
        Start.__post_init__(start)


def test_no_head_is_an_error():
    with pytest.raises(ValueError, match="at least one start"):
        heads()

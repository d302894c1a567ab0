"""A block and its context: the identity is exact for any weights, and smallest; what it cannot do is said."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from snippets.icl.networks.context_block import ContextBlock, one_change_for_all, rank_one_change
from snippets.icl.tasks.linear_regression import draw_prompts


def block_and_prompts(seed: int = 0, d: int = 3, n: int = 6):
    g = torch.Generator().manual_seed(seed)
    return ContextBlock(d, 8, 2, 12, g).double(), draw_prompts(7, n, d, g, dtype=torch.float64)


@settings(max_examples=25)
@given(some.integers(0, 999), some.integers(1, 4), some.integers(1, 8))
@torch.no_grad()
def test_the_identity_holds_for_any_weights(seed, d, n):
    block, prompts = block_and_prompts(seed, d, n)
    a, within = block.attended(prompts, 0), block.attended(prompts, n)
    change = rank_one_change(a, within, block.W)
    torch.testing.assert_close(block.mlp(a, change), block(prompts, n), rtol=0, atol=1e-10)
    torch.testing.assert_close(torch.linalg.svdvals(change)[:, 1:], torch.zeros(7, 7, dtype=torch.float64))


@torch.no_grad()
def test_no_smaller_change_does_it():
    block, prompts = block_and_prompts()
    a, within = block.attended(prompts, 0), block.attended(prompts, 6)
    change = rank_one_change(a, within, block.W)
    beside = torch.randn(7, 8, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    off = beside - a[:, :, None] * (a[:, None] @ beside) / a.square().sum(-1)[:, None, None]  # unseen by a
    torch.testing.assert_close(block.mlp(a, change + off), block(prompts, 6), rtol=0, atol=1e-9)
    assert ((change + off).flatten(1).norm(dim=1) > change.flatten(1).norm(dim=1)).all()


@torch.no_grad()
def test_attention_reads_the_examples_it_is_given_in_any_order():
    block, prompts = block_and_prompts()
    order = torch.tensor([2, 0, 1, 3, 4, 5, 6])
    turned = type(prompts)(prompts.x[:, order], prompts.y[:, order], prompts.w)
    torch.testing.assert_close(block.attended(turned, 3), block.attended(prompts, 3))
    assert (block.attended(turned, 2) - block.attended(prompts, 2)).abs().max() > 1e-3
    changed = type(prompts)(prompts.x, torch.cat([prompts.y[:, :-1], 99 * prompts.y[:, -1:]], 1), prompts.w)
    torch.testing.assert_close(block(changed, 6), block(prompts, 6))  # the answer is not in the prompt


def test_the_worked_example_of_the_page():
    a, within, W = torch.tensor([[1.0, 0]]), torch.tensor([[1.0, 2]]), torch.tensor([[1.0], [3]])
    change = rank_one_change(a, within, W)
    torch.testing.assert_close(change[0], torch.tensor([[6.0], [0]]))
    assert a[0] @ (W + change[0]) == within[0] @ W == 7


def test_one_change_serves_independent_queries():
    a = torch.eye(3, dtype=torch.float64)[:2]
    within = torch.tensor([[1.0, 2, 0], [2, 1, 1]], dtype=torch.float64)
    W = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    change = one_change_for_all(a, within, W)
    torch.testing.assert_close(a @ (W + change), within @ W)
    assert torch.linalg.matrix_rank(change) == 2


def test_bad_input():
    block, prompts = block_and_prompts()
    with pytest.raises(ValueError, match="no change of W"):
        rank_one_change(torch.zeros(2, 3), torch.ones(2, 3), torch.ones(3, 4))
    with pytest.raises(ValueError, match="9 examples to read of 6"):
        block.attended(prompts, 9)
    with pytest.raises(ValueError, match="the block d = 3"):
        block.attended(draw_prompts(2, 3, 2, torch.Generator(), dtype=torch.float64), 1)
    alone = type(prompts)(prompts.x[:, -1:], prompts.y[:, -1:], prompts.w)
    with pytest.raises(ValueError, match="n = 0 examples"):
        block.attended(alone, 0)
    with pytest.raises(ValueError, match="no multiple of 3 heads"):
        ContextBlock(3, 8, 3, 12, torch.Generator())

"""Sparse regression: its draws, and those who know more."""

import pytest
import torch

from snippets.icl.tasks.sparse_bases import Bases, draw_sparse, oracles
from snippets.icl.theory.oracles import ridge

TASK = Bases(6, 3, 0.1)


def drawn(n: int = 4, each: int = 400):
    basis = torch.arange(3).repeat_interleave(each)
    return basis, draw_sparse(TASK, basis, n, torch.Generator().manual_seed(0))


def test_weights_are_zero_outside_their_basis():
    basis, prompts = drawn()
    assert torch.equal(prompts.w != 0, TASK.masks[basis])
    noise = prompts.y - (prompts.x @ prompts.w[..., None])[..., 0]
    assert noise.std().item() == pytest.approx(0.1, rel=0.05)


def test_ridge_is_the_books_ridge_and_knowing_more_helps():
    basis, prompts = drawn()
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    found = oracles(TASK, basis, x, y, query)
    w = ridge(x.double(), y.double(), 0.1**2 * 3)
    torch.testing.assert_close(found["ridge"], (w * query).sum(1), atol=1e-8, rtol=1e-6)
    truth = (query * prompts.w).sum(1)
    error = {name: (answer - truth).square().mean().item() for name, answer in found.items()}
    assert error["told"] < error["bayes"] < error["ridge"]


def test_with_one_basis_all_three_agree():
    task = Bases(3, 1, 0.2)
    prompts = draw_sparse(task, torch.zeros(20).long(), 4, torch.Generator().manual_seed(1))
    found = oracles(task, torch.zeros(20).long(), prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1])
    torch.testing.assert_close(found["told"], found["ridge"])
    torch.testing.assert_close(found["told"], found["bayes"])


@pytest.mark.parametrize("bases", [Bases(4, 0), Bases(4, 3)])
def test_bases_that_do_not_fit_are_refused(bases):
    with pytest.raises(ValueError, match="do not share"):
        _ = bases.masks

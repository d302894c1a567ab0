"""The gradients by hand against autograd, and the curvatures of losses that are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.networks.heads_by_hand import Heads, curvatures, heads_of, on_average, on_batch
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import mean_loss


def layers(n_runs: int, d: int, n_heads: int, seed: int) -> OneLayer:
    return OneLayer(n_runs, d, torch.Generator().manual_seed(seed), n_heads, std=0.5).double()


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1000))
def test_the_gradient_is_that_of_autograd(n_runs: int, d: int, n_heads: int, seed: int):
    network = layers(n_runs, d, n_heads, seed)
    prompts = draw_prompts(7, 3, d, torch.Generator().manual_seed(seed), dtype=torch.float64)
    folded = fold(prompts.tokens())
    expected = (network(folded) - prompts.answer).square().mean(1) / 2
    wanted = torch.autograd.grad(expected.sum(), (network.w_V, network.W_K, network.W_Q))
    loss, found = on_batch(heads_of(network), folded, prompts.answer)
    torch.testing.assert_close(loss, expected.detach())
    for one, other in zip(found, wanted):
        torch.testing.assert_close(one, other)


def test_the_mean_loss_and_its_gradient():
    heads = heads_of(layers(2, 3, 1, 0))
    loss, gradient = on_average(heads, 1.0, 5)
    torch.testing.assert_close(loss, mean_loss(heads.v[:, 0], (heads.K.mT @ heads.Q)[:, 0], 1.0, 5))
    by, moved = 1e-6, heads.v.clone()
    moved[1, 0, 2] += by
    change = on_average(Heads(moved, heads.K, heads.Q), 1.0, 5)[0] - loss
    assert change[1].item() / by == pytest.approx(gradient.v[1, 0, 2].item(), rel=1e-3)
    assert change[0] == 0


def test_the_curvature_along_one_weight_lies_between_the_least_and_the_largest():
    heads = heads_of(layers(1, 2, 1, 3))
    bends = curvatures(heads, 1.0, 4)[0]
    assert len(bends) == 3 + 9 + 9 and (bends.diff() >= 0).all()

    def loss(by: float) -> float:
        moved = heads.v.clone()
        moved[0, 0, 0] += by
        return on_average(Heads(moved, heads.K, heads.Q), 1.0, 4)[0].item()

    along = (loss(1e-4) - 2 * loss(0) + loss(-1e-4)) / 1e-8
    assert bends[0] < along < bends[-1]
    assert bends[0] < 0 < bends[-1]


def test_only_copies():
    heads = heads_of(layers(3, 2, 1, 0))
    some = heads.only(torch.tensor([2]))
    some.v.zero_()
    assert len(some.K) == 1 and heads.v[2].abs().sum() > 0


def test_two_heads_have_no_mean():
    with pytest.raises(ValueError, match="2 heads: the mean over all prompts is known for one"):
        on_average(heads_of(layers(1, 2, 2, 0)), 1.0, 4)

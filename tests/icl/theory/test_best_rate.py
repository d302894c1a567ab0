"""The closed form against averages over drawn prompts, and where there is none."""

from itertools import pairwise

import pytest
import torch

from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import best_rate, least_loss, mean_loss, mean_squared_covariance, moments


def test_the_numbers_of_the_source():
    assert best_rate(1.0, 10, 10) == pytest.approx(6.0606, abs=1e-4)
    assert least_loss(1.0, 10, 10) == pytest.approx(0.2062, abs=1e-4)
    assert least_loss(2.0, 10, 10) == pytest.approx(0.8249, abs=1e-4)


@pytest.mark.parametrize(("width", "n", "d"), [(1.0, 10, 10), (3.0, 4, 2), (2.0, 1, 5)])
def test_the_mean_of_the_squared_covariance_is_s_times_the_identity(width, n, d):
    generator = torch.Generator().manual_seed(0)
    x = draw_prompts(40_000, n, d, generator, width=width, dtype=torch.float64).x[:, :-1]
    C = x.mT @ x / n
    s = mean_squared_covariance(width, n, d)
    torch.testing.assert_close((C @ C).mean(0) / s, torch.eye(d, dtype=torch.float64), atol=0.03, rtol=0)
    second, fourth = moments(width)
    assert x.square().mean().item() == pytest.approx(second, rel=0.02)
    assert x.pow(4).mean().item() == pytest.approx(fourth, rel=0.03)


def test_a_map_of_limited_rank_lies_between_none_and_the_best():
    losses = [least_loss(1.0, 10, 10, rank) for rank in range(11)]
    assert losses[0] == pytest.approx(10 / 24)
    assert losses[-1] == least_loss(1.0, 10, 10)
    steps = [a - b for a, b in pairwise(losses)]
    assert steps == pytest.approx([steps[0]] * 10)


def test_a_map_of_rank_one_has_that_loss_on_drawn_prompts():
    generator = torch.Generator().manual_seed(1)
    prompts = draw_prompts(40_000, 5, 4, generator, width=1.0)
    x, y = prompts.x[:, :-1], prompts.y[:, :-1]
    first = (y[..., None] * x).mean(1)[:, 0]  # the first entry of C w
    predicted = best_rate(1.0, 5, 4) * first * prompts.x[:, -1, 0]
    loss = (predicted - prompts.answer).square().mean().item() / 2
    assert loss == pytest.approx(least_loss(1.0, 5, 4, rank=1), rel=0.03)


def test_the_mean_loss_of_any_layer_is_met_on_drawn_prompts():
    generator = torch.Generator().manual_seed(2)
    prompts = draw_prompts(100_000, 6, 4, generator, width=2.0, dtype=torch.float64)
    network = OneLayer(4, 4, generator, std=0.7).double()
    with torch.no_grad():
        losses = (network(fold(prompts.tokens())) - prompts.answer).square() / 2
        exact = mean_loss(network.w_V[:, 0], network.W_KQ[:, 0], 2.0, 6)
    errors = losses.std(1) / losses.shape[1] ** 0.5
    assert ((losses.mean(1) - exact).abs() < 4.5 * errors).all()


@pytest.mark.parametrize(("width", "n", "d"), [(0.0, 5, 5), (-1.0, 5, 5), (1.0, 0, 5), (1.0, 5, 0)])
def test_no_such_prompts(width, n, d):
    for closed_form in (best_rate, least_loss):
        with pytest.raises(ValueError, match="the width must be above 0, n and d at least 1"):
            closed_form(width, n, d)


@pytest.mark.parametrize("rank", [-1, 6])
def test_no_such_rank(rank):
    with pytest.raises(ValueError, match="0 to 5"):
        least_loss(1.0, 5, 5, rank)

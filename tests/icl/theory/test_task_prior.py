"""The two exact predictors of a regression task: limits, identities, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory import task_prior

FOUR = torch.tensor([[-1.2], [-0.3], [0.5], [1.6]], dtype=torch.float64)


def prompts(seed: int, d: int = 2, n: int = 4, pool: torch.Tensor | None = None, noise: float = 0.5):
    p = task_prior.draw_from(pool, 6, n, d, noise, torch.Generator().manual_seed(seed))
    return p.x.double(), p.y.double()


def test_the_chapters_numbers():
    x = torch.tensor([[[1.0], [2.0], [1.0], [2.0]]], dtype=torch.float64)
    weights = task_prior.posterior(x, x[..., 0], FOUR, 0.5)[0]
    torch.testing.assert_close(weights[0], torch.full((4,), 0.25, dtype=torch.float64))
    means = (weights @ FOUR)[:, 0].tolist()
    assert means[1:3] == pytest.approx([0.951, 0.775], abs=1e-3) and means[4] == pytest.approx(0.610, abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(1, 4), n=st.integers(1, 5))
def test_weights_are_bayes_rule_and_no_later_example_matters(seed, d, n):
    pool = torch.randn(5, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x, y = prompts(seed, d, n)
    weights = task_prior.posterior(x, y, pool, 0.7)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(y[:, :1]).expand(-1, n + 2))
    k = n // 2 + 1  # by the law of normal densities, one by one
    density = torch.distributions.Normal((x @ pool.mT), 0.7).log_prob(y[..., None])[:, :k].sum(1)
    torch.testing.assert_close(weights[:, k], density.softmax(-1))
    changed = y.clone()
    changed[:, -1] += 5
    before = task_prior.from_memory(x, y, pool, 0.7)
    torch.testing.assert_close(before, task_prior.from_memory(x, changed, pool, 0.7))
    assert not torch.allclose(weights[:, -1], task_prior.posterior(x, changed, pool, 0.7)[:, -1])


def test_a_lonely_task_is_certain():
    x, y = prompts(0)
    pool = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    torch.testing.assert_close(task_prior.from_memory(x, y, pool, 0.1), x @ pool[0])


def test_a_large_pool_becomes_ridge():
    x, y = prompts(3)
    ridge = task_prior.from_any_task(x, y, 0.8)
    pools = [task_prior.draw_pool(M, 2, torch.Generator().manual_seed(1)).double() for M in (10, 100_000)]
    few, many = ((task_prior.from_memory(x, y, pool, 0.8) - ridge).abs().max() for pool in pools)
    assert many < 0.05 < few


def test_each_wins_in_its_own_world_and_the_distance_is_the_excess():
    g = torch.Generator().manual_seed(0)
    pool = task_prior.draw_pool(3, 2, g)
    for source, best in ((pool, 0), (None, 1)):
        p = task_prior.draw_from(source, 20_000, 3, 2, 0.5, g)
        m, r = task_prior.from_memory(p.x, p.y, pool, 0.5), task_prior.from_any_task(p.x, p.y, 0.5)
        errors = [(f - p.y).square().mean().item() for f in (m, r)]
        excess = errors[1 - best] - errors[best]
        assert excess == pytest.approx((m - r).square().mean().item(), rel=0.1)


def test_prompts_come_from_the_pool_and_only_from_it():
    pool = FOUR.float()
    p = task_prior.draw_from(pool, 200, 2, 1, 0.0, torch.Generator().manual_seed(0))
    assert set(p.w[:, 0].tolist()) == set(pool[:, 0].tolist())
    torch.testing.assert_close(p.y, p.x[..., 0] * p.w)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, y, g: task_prior.draw_pool(0, 2, g), "n_tasks = 0"),
        (lambda x, y, g: task_prior.draw_from(FOUR, 3, 2, 2, 0.5, g), "the pool's tasks have 1 numbers; d = 2"),
        (lambda x, y, g: task_prior.from_memory(x, y, FOUR, 0.5), "x has 2 coordinates and the pool's tasks have 1"),
        (lambda x, y, g: task_prior.from_memory(x, y, FOUR[:0], 0.5), "the pool is empty"),
        (lambda x, y, g: task_prior.from_memory(x, y, torch.zeros(1, 2), 0.0), "noise = 0.0"),
        (lambda x, y, g: task_prior.from_any_task(x, y, 0.0), "noise = 0.0"),
        (lambda x, y, g: task_prior.from_any_task(x[:, :0], y[:, :0], 0.5), "n = 0 examples"),
        (lambda x, y, g: task_prior.posterior(x, y[:, 1:], torch.zeros(1, 2), 0.5), "a y for each x|shape|typ"),
    ],
)
def test_what_has_no_posterior_is_named(call, words):
    x, y = prompts(0)
    with pytest.raises(Exception, match=words):
        call(x, y, torch.Generator())


def test_no_example_is_the_prior():
    x, y = prompts(0)
    pool = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(task_prior.from_memory(x, y, pool, 0.5)[:, 0], x[:, 0] @ pool.mean(0))
    assert (task_prior.from_any_task(x, y, 0.5)[:, 0] == 0).all()

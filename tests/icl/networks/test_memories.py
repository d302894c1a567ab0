"""The four memories, token by token, against what each must equal."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.networks import deltanet, linear_attention, mesa, titans_memory
from snippets.icl.theory import oracles

sizes = st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10_000))


def draw(n: int, d_k: int, d_v: int, seed: int):
    """Queries, unit keys, values and three rates in (0, 1), for 2 x 3 memories."""
    g = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(2, 3, n, d_k, generator=g, dtype=torch.float64) for _ in range(2))
    v = torch.randn(2, 3, n, d_v, generator=g, dtype=torch.float64)
    rates = torch.rand(3, 2, 3, n, generator=g, dtype=torch.float64)
    return q, k / k.norm(dim=-1, keepdim=True), v, rates


@given(sizes)
def test_linear_attention_in_parallel_is_linear_attention(size):
    q, k, v, _ = draw(*size)
    torch.testing.assert_close(linear_attention.parallel(q, k, v), linear_attention.recurrent(q, k, v))


@given(sizes)
def test_what_linear_attention_returns_is_the_value_and_the_cross_talk(size):
    _, k, v, _ = draw(*size)
    memory = k.mT @ v
    torch.testing.assert_close(k @ memory, v + linear_attention.cross_talk(k, v))


def test_orthogonal_keys_have_no_cross_talk():
    assert linear_attention.cross_talk(torch.eye(4), torch.randn(4, 3)).abs().max() == 0


@given(sizes)
def test_deltanet_in_parallel_is_deltanet(size):
    q, k, v, (beta, _, _) = draw(*size)
    torch.testing.assert_close(deltanet.parallel(q, k, v, beta), deltanet.recurrent(q, k, v, beta))


def test_deltanet_keeps_the_last_value_of_each_key_and_linear_attention_the_sum():
    keys, values = torch.eye(3)[[0, 1, 0]], torch.tensor([[1.0], [2.0], [5.0]])
    ask = torch.eye(3)
    k, v = torch.cat([keys, ask]), torch.cat([values, torch.zeros(3, 1)])
    beta = torch.tensor([1.0, 1, 1, 0, 0, 0])  # the last three are asked, not written
    assert deltanet.recurrent(k, k, v, beta)[3:, 0].tolist() == [5, 2, 0]
    assert (k[3:] @ (keys.T @ values))[:, 0].tolist() == [6, 2, 0]


@given(sizes)
def test_titans_in_parallel_is_titans(size):
    q, k, v, rates = draw(*size)
    torch.testing.assert_close(titans_memory.parallel(q, k, v, *rates), titans_memory.recurrent(q, k, v, *rates))


@given(sizes)
def test_titans_without_momentum_and_forgetting_is_deltanet(size):
    q, k, v, (theta, _, _) = draw(*size)
    zero = torch.zeros_like(theta)
    for form in (titans_memory.recurrent, titans_memory.parallel):
        torch.testing.assert_close(form(q, k, v, theta, zero, zero), deltanet.recurrent(q, k, v, theta))


def test_shares_by_hand():
    theta, eta, alpha = torch.tensor([0.5, 1.0]), torch.tensor([0.9, 0.2]), torch.tensor([0.9, 0.1])
    # the first surprise enters at once, shrinks to a fifth and enters again; a tenth of what was there is forgotten
    torch.testing.assert_close(
        titans_memory.shares(theta, eta, alpha), torch.tensor([[0.5, 0.0], [0.5 * (0.9 + 0.2), 1.0]])
    )


def test_gradients_of_the_parallel_forms_are_finite_where_a_rate_is_zero():
    q, k, v, rates = draw(5, 3, 2, 0)
    rates = rates.clone()
    rates[:, ..., 2] = 0
    rates.requires_grad_()
    titans_memory.parallel(q, k, v, *rates).square().sum().backward()
    assert rates.grad is not None and rates.grad.isfinite().all()


@given(sizes, st.floats(0.01, 10))
def test_the_mesa_layer_is_ridge_after_every_token(size, strength):
    q, k, v, _ = draw(*size)
    online = mesa.recurrent(q, k, v, strength)
    for t in range(1, k.shape[-2] + 1):
        for i in range(v.shape[-1]):
            w = oracles.ridge(k[:, 0, :t], v[:, 0, :t, i], strength)
            torch.testing.assert_close(online[:, 0, t - 1, i], (w * q[:, 0, t - 1]).sum(-1))


def test_the_mesa_layer_needs_a_penalty():
    q, k, v, _ = draw(2, 2, 2, 0)
    with pytest.raises(ValueError, match="strength 0"):
        mesa.recurrent(q, k, v, 0.0)

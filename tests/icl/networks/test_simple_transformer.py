"""Attention with any h against the formula with tokens as columns, and what each construction computes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.networks.simple_transformer import NONLINEARITIES, SimpleTransformer, attention, one_step
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles

N, D = 6, 3


@pytest.fixture
def Z() -> torch.Tensor:
    return draw_prompts(4, N, D, torch.Generator().manual_seed(0), dtype=torch.float64).tokens()


def random_matrices(seed: int, *shape: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in range(3)]


@pytest.mark.parametrize("h", NONLINEARITIES)
def test_attention_is_the_formula_with_tokens_as_columns(Z, h):
    """V Z M h((K Z)' (Q Z)), one prompt at a time, with M written out."""
    V, Q, K = random_matrices(1, D + 1, D + 1)
    M = torch.eye(N + 1, dtype=torch.float64)
    M[N, N] = 0
    for rows, ours in zip(Z, attention(Z, V, Q, K, NONLINEARITIES[h]), strict=True):
        columns = rows.mT
        scores = (K @ columns).mT @ (Q @ columns)  # (key, query)
        weights = torch.zeros(N + 1, N + 1, dtype=torch.float64)
        for query in range(N + 1):
            s = scores[:N, query]
            weights[:N, query] = {
                "linear": s / N,
                "relu": s.clamp(min=0) / N,
                "exp": s.exp() / N,
                "softmax": s.exp() / s.exp().sum(),
            }[h]
        torch.testing.assert_close(ours, (V @ columns @ M @ weights).mT)


def test_heads_and_layers_add_up(Z):
    network = SimpleTransformer(2, D, torch.Generator().manual_seed(0), "relu", n_heads=2, std=0.5).double()
    by_hand = Z
    for layer in range(2):
        by_hand = by_hand + sum(
            attention(by_hand, network.W_V[layer, i], network.W_Q[layer, i], network.W_K[layer, i], network.h)
            for i in (0, 1)
        )
    torch.testing.assert_close(network(Z), -by_hand[:, -1, -1])


def test_the_answer_is_not_read():
    """The query's y is hidden, so the prediction cannot depend on it."""
    prompts = draw_prompts(4, N, D, torch.Generator().manual_seed(0), dtype=torch.float64)
    network = SimpleTransformer(2, D, torch.Generator().manual_seed(0), std=0.5).double()
    before = network(prompts.tokens())
    prompts.y[:, -1] += 100
    torch.testing.assert_close(network(prompts.tokens()), before, rtol=0, atol=0)


@given(st.integers(1, 8), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10_000))
def test_layers_are_preconditioned_steps_for_any_matrices(n, d, n_layers, seed):
    prompts = draw_prompts(3, n, d, torch.Generator().manual_seed(seed), dtype=torch.float64)
    matrices = [0.3 * matrix for matrix in random_matrices(seed, d, d)] * 2
    network = SimpleTransformer(n_layers, d, torch.Generator()).double()
    for layer in range(n_layers):
        network.set_layer(layer, *one_step(matrices[layer]))
    path = oracles.descend(prompts.x[:, :-1], prompts.y[:, :-1], matrices[:n_layers])
    expected = (path[-1] * prompts.x[:, -1]).sum(-1)
    torch.testing.assert_close(network(prompts.tokens()), expected, atol=1e-10, rtol=1e-10)


def test_scale_may_move_between_values_and_queries(Z):
    """(gamma V, Q / gamma) is the same network where h is linear."""
    V, Q, K = random_matrices(2, D + 1, D + 1)
    linear = NONLINEARITIES["linear"]
    torch.testing.assert_close(attention(Z, 7 * V, Q / 7, K, linear), attention(Z, V, Q, K, linear))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, D), {"h": "tanh"}, "h = 'tanh' is none of linear, relu, exp, softmax"),
        ((0, D), {}, "0 layers of 1 heads: there must be 1 of each"),
        ((1, D), {"n_heads": 0}, "1 layers of 0 heads: there must be 1 of each"),
    ],
)
def test_what_cannot_be_built_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        SimpleTransformer(*arguments, torch.Generator(), **options)


def test_prompts_of_another_dimension_are_named():
    prompts = draw_prompts(2, N, D + 1, torch.Generator().manual_seed(0))
    network = SimpleTransformer(1, D, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="tokens have 5 entries; the network reads 4"):
        network(prompts.tokens())

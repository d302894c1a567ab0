"""Folded prompts give what tokens give, for any weights, and say where they do not fit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.folded import Folded, OneLayer, fold, layer, predict, sensitivity
from snippets.icl.networks.simple_transformer import SimpleTransformer
from snippets.icl.tasks.linear_regression import draw_prompts


def normal(*shape: int, generator: torch.Generator) -> torch.Tensor:
    return 0.3 * torch.randn(*shape, generator=generator, dtype=torch.float64)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 7), d=st.integers(1, 5), n_layers=st.integers(1, 3), seed=st.integers(0, 10**6))
def test_layers_of_any_weights_equal_the_simple_transformer(n, d, n_layers, seed):
    generator = torch.Generator().manual_seed(seed)
    prompts = draw_prompts(4, n, d, generator, dtype=torch.float64)
    network = SimpleTransformer(n_layers, d, generator).double()
    folded = fold(prompts.tokens())
    for index in range(n_layers):
        V, Q, K = (normal(d + 1, d + 1, generator=generator) for _ in range(3))
        network.set_layer(index, V, Q, K)
        folded = layer(folded, V, K.mT @ Q)
    torch.testing.assert_close(folded.prediction, network(prompts.tokens()), rtol=1e-9, atol=1e-9)


def test_many_runs_and_heads_at_once_equal_one_after_the_other():
    generator = torch.Generator().manual_seed(0)
    folded = fold(draw_prompts(6, 5, 3, generator, dtype=torch.float64).tokens())
    v, W = normal(4, 2, 4, generator=generator), normal(4, 2, 4, 4, generator=generator)
    together = predict(folded, v, W)
    assert together.shape == (4, 6)
    for run in range(4):
        alone = 0
        for head in range(2):
            V = torch.zeros(4, 4, dtype=torch.float64)
            V[-1] = v[run, head]
            alone = alone + layer(folded, V, W[run, head]).prediction
        torch.testing.assert_close(together[run], alone)


def test_layer_reads_many_runs_at_once():
    generator = torch.Generator().manual_seed(0)
    start = fold(draw_prompts(6, 5, 3, generator, dtype=torch.float64).tokens())
    V, W = normal(2, 4, 4, generator=generator), normal(2, 4, 4, generator=generator)
    together = layer(layer(start, V, W), V, W).prediction
    for run in range(2):
        alone = layer(layer(start, V[run], W[run]), V[run], W[run]).prediction
        torch.testing.assert_close(together[run], alone)


def test_damping_shrinks_what_is_added():
    generator = torch.Generator().manual_seed(0)
    start = fold(draw_prompts(6, 5, 3, generator, dtype=torch.float64).tokens())
    V, W = normal(4, 4, generator=generator), normal(4, 4, generator=generator)
    torch.testing.assert_close(
        layer(start, V, W, 0.25).z - start.z, 0.25 * (layer(start, V, W).z - start.z), rtol=1e-9, atol=1e-12
    )


def test_sensitivity_is_the_gradient_by_the_query():
    generator = torch.Generator().manual_seed(0)
    folded = fold(draw_prompts(6, 5, 3, generator, dtype=torch.float64).tokens())
    v, W = normal(2, 2, 4, generator=generator), normal(2, 2, 4, 4, generator=generator)
    z = folded.z.clone().requires_grad_()
    for run, predicted in enumerate(predict(Folded(folded.G, z), v, W)):
        (gradient,) = torch.autograd.grad(predicted.sum(), z, retain_graph=True)
        torch.testing.assert_close(sensitivity(folded, v, W)[run], gradient[:, :-1])


def test_a_network_predicts_with_its_own_weights():
    generator = torch.Generator().manual_seed(0)
    folded = fold(draw_prompts(6, 5, 3, generator).tokens())
    network = OneLayer(3, 3, generator, n_heads=2)
    torch.testing.assert_close(network(folded), predict(folded, network.w_V, network.W_K.mT @ network.W_Q))


def test_bad_input_is_named():
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="0 examples: there must be at least 1"):
        fold(torch.zeros(2, 1, 4))
    with pytest.raises(ValueError, match="there must be at least 1"):
        OneLayer(0, 3, generator)
    with pytest.raises(ValueError, match="there must be at least 1"):
        OneLayer(2, 3, generator, n_heads=0)

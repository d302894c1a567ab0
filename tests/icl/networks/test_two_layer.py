"""The network computes what it says, against the library's attention and a loop written out."""

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import TypeCheckError

from snippets.icl.networks.two_layer import TwoLayerNetwork

D, TOKENS, LABELS = 10, 7, 5


@pytest.fixture(params=[False, True], ids=["without biases", "with biases"])
def network(request) -> TwoLayerNetwork:
    return TwoLayerNetwork(D, 6, LABELS, 16, torch.Generator().manual_seed(0), request.param).double()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, TOKENS, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def layer(x, W_Q, W_K, W_V, mask=None):
    """One residual attention layer, by the library. Its scale is 1: the logits are not divided."""
    mask = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril() if mask is None else mask
    return x + F.scaled_dot_product_attention(x @ W_Q, x @ W_K, x @ W_V, attn_mask=mask, scale=1.0)


def by_the_library(network, x, mask=None):
    h = layer(x, network.W_Q[0], network.W_K[0], network.W_V[0], mask)
    z = layer(h, network.W_Q[1], network.W_K[1], network.W_V[1])[:, -1]
    biases = list(network.b_hidden) or [0, 0, 0]
    for W, b in zip(network.W_hidden, biases, strict=True):
        z = F.relu(z @ W + b)
    return z @ network.W_out


def test_it_equals_the_library(network, x):
    torch.testing.assert_close(network(x)[0], by_the_library(network, x), rtol=0, atol=1e-12)


def gradients(network, output) -> list[torch.Tensor]:
    return list(torch.autograd.grad(output.square().sum(), list(network.parameters())))


def test_gradients_equal_the_library(network, x):
    ours, library = gradients(network, network(x)[0]), gradients(network, by_the_library(network, x))
    for one, other in zip(ours, library, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_a_pattern_that_is_given_takes_the_place_of_its_own(network, x):
    logits, own, _ = network(x)
    again, given, _ = network(x, own)
    torch.testing.assert_close(again, logits)
    assert given is own
    changed = own.clone()
    changed[:, -1] /= 2  # and the rest is not scaled up
    h = x + changed @ (x @ network.W_V[0])
    z = layer(h, network.W_Q[1], network.W_K[1], network.W_V[1])[:, -1]
    biases = list(network.b_hidden) or [0, 0, 0]
    for W, b in zip(network.W_hidden, biases, strict=True):
        z = F.relu(z @ W + b)
    torch.testing.assert_close(network(x, changed)[0], z @ network.W_out, rtol=0, atol=1e-12)
    assert not torch.allclose(network(x, changed)[0], logits)


def test_a_bias_far_below_zero_silences_the_network(x):
    """One number for all units of the last hidden layer: no output, and no gradient by which to come back."""
    network = TwoLayerNetwork(D, 6, LABELS, 16, torch.Generator().manual_seed(0), biases=True).double()
    with torch.no_grad():
        network.b_hidden[-1].fill_(-100)
    logits = network(x)[0]
    assert not logits.any()
    loss = F.cross_entropy(logits, torch.zeros(3, dtype=torch.long))
    assert all(not gradient.any() for gradient in torch.autograd.grad(loss, list(network.parameters())))


def test_attention_is_causal_and_sums_to_one(network, x):
    _, first, second = network(x)
    torch.testing.assert_close(first.sum(-1), torch.ones(3, TOKENS, dtype=torch.float64))
    torch.testing.assert_close(second.sum(-1), torch.ones(3, dtype=torch.float64))
    assert (first.triu(1) == 0).all()


def test_the_last_token_decides_nothing_for_those_before(network, x):
    changed = x.clone()
    changed[:, -1] += 1
    torch.testing.assert_close(network(x)[1][:, :-1], network(changed)[1][:, :-1])


def test_initial_spread_is_the_stated_one():
    network = TwoLayerNetwork(200, 50, 32, 300, torch.Generator().manual_seed(0), biases=True)
    for W in (network.W_Q, network.W_K, network.W_V):
        assert W.std().item() == pytest.approx(50**-0.5, rel=0.02)
    assert network.W_hidden[0].std().item() == pytest.approx((2 / 300) ** 0.5, rel=0.02)
    assert network.W_out.std().item() == pytest.approx(300**-0.5, rel=0.05)
    assert [b.shape for b in network.b_hidden] == [(1,)] * 3
    assert len(TwoLayerNetwork(8, 5, 4, 8, torch.Generator()).b_hidden) == 0


def test_shapes_are_checked_at_run_time(network):
    with pytest.raises(TypeCheckError):
        network(torch.zeros(D, dtype=torch.float64))
    with pytest.raises(TypeCheckError):
        network(torch.zeros(2, TOKENS, D, dtype=torch.float64), torch.zeros(2, TOKENS, TOKENS + 1, dtype=torch.float64))

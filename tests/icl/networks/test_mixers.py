"""Attention, convolution, memory and LSTM as layers, against the same written out for one token."""

import pytest
import torch
import torch.nn.functional as F

from snippets.icl.networks import deltanet
from snippets.icl.networks.attention_layer import AttentionLayer, causal, prefix
from snippets.icl.networks.convolution import DilatedConvolution
from snippets.icl.networks.lstm_layer import LSTMLayer
from snippets.icl.networks.memory_layer import RATES, MemoryLayer


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


X = torch.randn(2, 6, 8, generator=generator(1))


def test_masks_by_hand():
    assert causal(3, 2).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert prefix(4, 2).int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


@pytest.mark.parametrize(("mask", "seen"), [("causal", [0, 1, 2]), ("prefix", [0, 1, 2, 3]), (None, list(range(6)))])
def test_what_the_third_token_reads(mask, seen):
    layer = AttentionLayer(8, 2, generator(), mask)
    W_K, W_V = layer.W_KV.chunk(2, 1)
    heads = []
    for columns in (slice(0, 4), slice(4, 8)):
        q, k, v = X[0, 2] @ layer.W_Q[:, columns], X[0, seen] @ W_K[:, columns], X[0, seen] @ W_V[:, columns]
        heads.append((k @ q / 2).softmax(0) @ v)
    torch.testing.assert_close(layer(X, 4)[0, 2], torch.cat(heads) @ layer.W_O)


def test_the_convolution_written_out():
    layer = DilatedConvolution(8, generator(), dilations=(1, 2))
    assert layer.reach == 3
    h = [row for row in X[0]]
    for W, r in zip(layer.W, (1, 2)):
        past = [h[t - r] if t >= r else torch.zeros(8) for t in range(6)]
        h = [a + F.gelu(torch.cat([a, b]) @ W) for a, b in zip(h, past)]
    torch.testing.assert_close(layer(X, 4)[0], torch.stack(h) - X[0])


def test_the_convolution_hears_as_far_as_it_reaches_and_no_farther():
    layer = DilatedConvolution(8, generator(), dilations=(1, 2))
    for back, heard in ((3, True), (4, False)):
        changed = X.clone()
        changed[:, 5 - back] += 1
        assert (not torch.equal(layer(changed, 4)[:, 5], layer(X, 4)[:, 5])) == heard


def test_the_memory_layer_stores_unit_keys_at_the_rates_it_starts_with():
    layer = MemoryLayer("delta", 8, 1, generator())
    q, k, v = (X @ layer.W_QKV).chunk(3, -1)
    beta = torch.full(X.shape[:2], 0.5)
    expected = deltanet.recurrent(q, F.normalize(k, dim=-1), v, beta) @ layer.W_O
    torch.testing.assert_close(layer(X, 4), expected)


@pytest.mark.parametrize("rule", RATES)
def test_heads_of_a_memory_do_not_mix(rule):
    layer = MemoryLayer(rule, 8, 2, generator())
    with torch.no_grad():
        layer.W_O.copy_(torch.eye(8))
    before = layer(X, 4)
    with torch.no_grad():
        layer.W_QKV[:, 16:20] += 1  # the first head's values
    after = layer(X, 4)
    assert torch.equal(before[..., 4:], after[..., 4:]) and not torch.equal(before[..., :4], after[..., :4])


def test_the_lstm_starts_from_the_generator_alone_and_remembers():
    one, two, other = LSTMLayer(8, generator()), LSTMLayer(8, generator()), LSTMLayer(8, generator(1))
    assert torch.equal(one(X, 4), two(X, 4)) and not torch.equal(one(X, 4), other(X, 4))
    biases = dict(one.lstm.named_parameters())
    assert biases["bias_ih_l0"][8:16].tolist() == [1] * 8

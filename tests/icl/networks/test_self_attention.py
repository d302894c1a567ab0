"""Attention against loops over numbers, against torch, and what masks and heads must do."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.positional_encodings import ALiBi, Learned, Nowhere, Rotary
from snippets.icl.networks.self_attention import (
    SelfAttention,
    attention,
    causal_mask,
    centred,
    layer_norm,
    softmax,
    spread,
)

few = settings(max_examples=25)
seeds = st.integers(0, 10**6)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def layer(d_model: int = 8, n_heads: int = 2, seed: int = 0) -> SelfAttention:
    return SelfAttention(d_model, n_heads, torch.Generator().manual_seed(seed)).double().requires_grad_(False)


def test_softmax():
    assert softmax(torch.tensor([0.0, math.log(3)])).tolist() == pytest.approx([0.25, 0.75])
    assert softmax(torch.tensor([1000.0, 1000.0])).tolist() == [0.5, 0.5]  # no overflow
    assert softmax(torch.tensor([0.0, -torch.inf])).tolist() == [1, 0]
    x = random(5, 7)
    assert torch.allclose(softmax(x), x.softmax(-1))
    assert torch.allclose(softmax(x + 3), softmax(x))


def test_attention_is_the_sum_it_says():
    q, k, v = random(3, 2), random(4, 2, seed=1), random(4, 5, seed=2)
    read, pattern = attention(q, k, v)
    for i in range(3):
        powers = [math.exp(sum(q[i, c] * k[j, c] for c in range(2)) / math.sqrt(2)) for j in range(4)]
        for j in range(4):
            assert pattern[i, j] == pytest.approx(powers[j] / sum(powers))
        for c in range(5):
            assert read[i, c] == pytest.approx(sum(pattern[i, j] * v[j, c] for j in range(4)).item())


@given(seeds, st.integers(1, 9), st.sampled_from([1, 3, 8]))
@few
def test_attention_is_the_librarys(seed, n, d):
    q, k, v = random(3, 2, n, d, seed=seed)
    for added, causal in ((0.0, False), (causal_mask(n).double(), True)):
        theirs = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        assert torch.allclose(attention(q, k, v, added)[0], theirs, atol=1e-12)


@given(seeds, st.integers(0, 6))
@few
def test_a_later_token_moves_nothing_before_it(seed, changed):
    x = random(1, 7, 8, seed=seed)
    other = x.clone()
    other[0, changed:] = random(7 - changed, 8, seed=seed + 1)
    before, after = layer()(x, Nowhere())[0], layer()(other, Nowhere())[0]
    assert torch.equal(before[:, :, :changed], after[:, :, :changed])
    assert not torch.equal(before[:, :, changed:], after[:, :, changed:])


def test_a_shorter_prompt_gives_the_same_outputs():
    x = random(2, 7, 8)
    for positions in (Nowhere(), Rotary(), ALiBi(2)):
        whole, part = layer()(x, positions)[0], layer()(x[:, :4], positions)[0]
        assert torch.allclose(whole[:, :, :4], part, atol=1e-12)


def test_heads_are_independent():
    """Silence one head's W_O: the others write as before."""
    both, one = layer(), layer()
    one.W_O.data[0] = 0
    x = random(2, 5, 8)
    assert torch.equal(both(x, Nowhere())[0][:, 1], one(x, Nowhere())[0][:, 1])
    assert (one(x, Nowhere())[0][:, 0] == 0).all()


def test_the_number_of_heads_does_not_change_the_number_of_weights():
    assert {sum(p.numel() for p in layer(24, n).parameters()) for n in (1, 2, 6, 24)} == {4 * 24**2}


def test_alibi_reaches_the_scores():
    x = torch.zeros(1, 6, 8, dtype=torch.float64)  # all scores 0 but for the bias
    _, pattern = layer()(x, ALiBi(2))
    slopes = ALiBi(2).slopes
    for head in range(2):
        ratio = pattern[0, head, 5, 1:] / pattern[0, head, 5, :-1]
        assert torch.allclose(ratio, slopes[head].double().exp().expand(5))


def test_layer_norm_is_torchs_and_splits():
    x = 3 + 2 * random(4, 5, 16)
    assert torch.allclose(layer_norm(x), F.layer_norm(x, (16,)), atol=1e-12)
    a, b = random(2, 4, 16)
    parts = [centred(part) / spread(a + b) for part in (a, b)]
    assert torch.allclose(sum(parts), layer_norm(a + b), atol=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="d_model = 10 is not divisible by n_heads = 4"):
        layer(10, 4)
    with pytest.raises(ValueError, match="the prompt is empty"):
        layer()(torch.zeros(1, 0, 8, dtype=torch.float64), Nowhere())
    with pytest.raises(ValueError, match="7 tokens is longer than the 6 positions"):
        positions = Learned(6, 8, torch.Generator())
        layer()(positions.add(random(1, 7, 8)), positions)

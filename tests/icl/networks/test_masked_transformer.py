"""The masked transformer against the library's attention, what its mask hides, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.networks.parts import rms_norm

by_hypothesis = settings(max_examples=15, deadline=None)


def made(n_layers: int = 2, n_heads: int = 2, seed: int = 0) -> MaskedTransformer:
    generator = torch.Generator().manual_seed(seed)
    return MaskedTransformer(5, 3, 12, n_layers, n_heads, generator).requires_grad_(False)


def some_tokens(n: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(2, n, 5, generator=torch.Generator().manual_seed(seed))


def some_mask(n: int, seed: int) -> torch.Tensor:
    mask = torch.rand(n, n, generator=torch.Generator().manual_seed(seed)) < 0.5
    return mask | torch.eye(n, dtype=torch.bool)


@given(st.integers(1, 2), st.sampled_from([1, 2, 3]), st.integers(1, 7), st.integers(0, 10**6))
@by_hypothesis
def test_attention_is_the_librarys(n_layers, n_heads, n, seed):
    network, x, mask = made(n_layers, n_heads, seed), some_tokens(n, seed), some_mask(n, seed)
    out = x @ network.W_in
    for layer in range(n_layers):
        parts = (rms_norm(out) @ network.W_QKV[layer]).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (n_heads, -1)).transpose(1, 2) for part in parts)
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out = out + read.transpose(1, 2).flatten(2) @ network.W_O[layer]
        out = out + (rms_norm(out) @ network.W_up[layer]).relu() @ network.W_down[layer]
    assert torch.allclose(network(x, mask), rms_norm(out) @ network.W_out, atol=1e-5)


@given(st.integers(0, 10**6), st.permutations(range(5)))
@by_hypothesis
def test_it_knows_no_positions(seed, order):
    network, x, mask = made(seed=seed), some_tokens(5, seed), some_mask(5, seed)
    shuffled = network(x[:, order], mask[order][:, order])
    assert torch.allclose(shuffled, network(x, mask)[:, order], atol=1e-5)


def test_what_may_not_be_read_makes_no_difference():
    network, x = made(), some_tokens(6)
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    changed = x.clone()
    changed[:, 4] += 1
    before, after = network(x, causal), network(changed, causal)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_clear_errors():
    network, one = made(), torch.ones(1, 1, dtype=torch.bool)
    with pytest.raises(ValueError, match="d_model = 12 is not divisible by n_heads = 5"):
        MaskedTransformer(5, 3, 12, 1, 5, torch.Generator())
    with pytest.raises(ValueError, match="no tokens to read"):
        network(torch.zeros(2, 0, 5), torch.ones(0, 0, dtype=torch.bool))
    with pytest.raises(ValueError, match="tokens have 4 entries; the network reads 5"):
        network(torch.zeros(2, 1, 4), one)
    with pytest.raises(ValueError, match="may read nothing"):
        network(some_tokens(1), ~one)

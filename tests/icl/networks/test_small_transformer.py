"""The small transformer against the library's attention and a computation token by token, and what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.parts import rms_norm
from snippets.icl.networks.small_transformer import SmallTransformer, smear

by_hypothesis = settings(max_examples=15, deadline=None)


def made(n_layers: int = 2, n_heads: int = 2, smeared: bool = False, seed: int = 0) -> SmallTransformer:
    """A network whose distances and gates are not at zero, where they start."""
    g = torch.Generator().manual_seed(seed)
    network = SmallTransformer(n_layers, 13, 10, 12, n_heads, g, smeared)
    for numbers in [*network.by_distance] + ([network.gate] if smeared else []):
        torch.nn.init.normal_(numbers, generator=g)
    return network.requires_grad_(False)


def some_tokens(batch: int = 2, length: int = 10, seed: int = 1) -> torch.Tensor:
    return torch.randint(13, (batch, length), generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 2), st.sampled_from([1, 2, 3]), st.integers(1, 10), st.integers(0, 10**6))
@by_hypothesis
def test_attention_is_the_librarys_with_a_bias_mask(n_layers, n_heads, length, seed):
    network, tokens = made(n_layers, n_heads, seed=seed), some_tokens(length=length, seed=seed)
    x, d_head = network.W_E[tokens], 12 // n_heads
    i = torch.arange(length)
    for layer in range(n_layers):
        bias = network.by_distance[layer][:, (i[:, None] - i).clamp(min=0)]
        bias = bias.masked_fill(i[:, None] < i, -math.inf)
        parts = (rms_norm(x) @ network.W_QKV[layer]).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (n_heads, d_head)).transpose(1, 2) for part in parts)
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + read.transpose(1, 2).flatten(2) @ network.W_O[layer]
    assert torch.allclose(network(tokens)[0], rms_norm(x) @ network.W_U, atol=1e-5)


@pytest.mark.parametrize("smeared", [False, True])
def test_forward_is_the_sum_of_what_heads_write_token_by_token(smeared):
    network, tokens = made(n_layers=1, smeared=smeared), some_tokens(batch=1)
    logits, patterns = network(tokens)
    x = network.W_E[tokens[0]]
    normed = x / x.square().mean(-1, keepdim=True).sqrt()
    out = x.clone()
    for index in range(2):
        head = network.head(0, index)
        for q in range(10):
            scores = []
            for j in range(q + 1):
                key = normed[j] @ head.W_K
                if smeared and j > 0:
                    own = 1 / (1 + math.exp(-float(network.gate[index])))
                    key = own * key + (1 - own) * (normed[j - 1] @ head.W_K)
                scores.append(float(normed[q] @ head.W_Q @ key) / math.sqrt(6) + float(head.by_distance[q - j]))
            weights = torch.tensor(scores).softmax(0)
            assert torch.allclose(patterns[0][0, index, q, : q + 1], weights, atol=1e-5)
            out[q] += sum(w * normed[j] @ head.W_V @ head.W_O for j, w in enumerate(weights))
    expected = out / out.square().mean(-1, keepdim=True).sqrt() @ network.W_U
    assert torch.allclose(logits[0], expected, atol=1e-4)


def test_patterns_are_causal_and_add_to_one():
    for pattern in made()(some_tokens())[1]:
        assert torch.allclose(pattern.sum(-1), torch.ones(2, 2, 10))
        assert pattern.triu(1).abs().max() == 0


def test_later_tokens_do_not_change_earlier_logits():
    network, tokens = made(smeared=True), some_tokens()
    changed = tokens.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 13
    before, after = network(tokens)[0], network(changed)[0]
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-6)
    assert not torch.allclose(before[:, 7:], after[:, 7:], atol=1e-3)


def test_smear_mixes_in_the_key_before_and_leaves_the_first():
    key = torch.randn(2, 2, 5, 3)
    half = smear(key, torch.zeros(2))
    assert torch.equal(half[:, :, 0], key[:, :, 0])
    assert torch.allclose(half[:, :, 1:], (key[:, :, 1:] + key[:, :, :-1]) / 2)
    own_only, before_only = smear(key, torch.full((2,), 40.0)), smear(key, torch.full((2,), -40.0))
    assert torch.allclose(own_only, key)
    assert torch.allclose(before_only[:, :, 1:], key[:, :, :-1])


def test_its_own_patterns_change_nothing_and_given_ones_are_used():
    network, tokens = made(), some_tokens()
    logits, patterns = network(tokens)
    assert torch.allclose(network(tokens, patterns=patterns)[0], logits, atol=1e-6)
    self_only = [torch.eye(10).expand(2, 2, 10, 10)] * 2
    alone, seen = network(tokens, patterns=self_only)
    assert torch.equal(seen[0], self_only[0])
    one_by_one = network(tokens.reshape(-1, 1))[0].reshape(logits.shape)  # each token a sequence of its own
    assert torch.allclose(alone, one_by_one, atol=1e-5)


def test_switched_off_heads_write_nothing():
    network, tokens = made(), some_tokens()
    everything = [(layer, head) for layer in range(2) for head in range(2)]
    assert torch.allclose(network(tokens, off=everything)[0], rms_norm(network.W_E[tokens]) @ network.W_U, atol=1e-6)


def test_gradients_reach_every_parameter():
    for smeared in (False, True):
        network = made(smeared=smeared).requires_grad_(True)
        F.cross_entropy(network(some_tokens())[0].flatten(0, 1), some_tokens(seed=2).flatten()).backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_same_generator_gives_the_same_network():
    assert torch.equal(made(seed=3)(some_tokens())[0], made(seed=3)(some_tokens())[0])


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (torch.full((1, 4), 13), "token ids run from 13 to 13; the vocabulary is 0 to 12"),
        (torch.full((1, 4), -1), "token ids run from -1"),
        (torch.zeros(1, 11, dtype=torch.long), "11 tokens is longer than the network's 10 positions"),
        (torch.zeros(1, 0, dtype=torch.long), "no tokens"),
    ],
)
def test_what_it_cannot_read(tokens, says):
    with pytest.raises(ValueError, match=says):
        made()(tokens)


@pytest.mark.parametrize("head", [(2, 0), (0, 2), (-1, 0), (0, -1)])
def test_a_head_that_does_not_exist(head):
    network = made()
    says = f"there is no head {head[1]} in layer {head[0]}: the network has 2 layers of 2 heads"
    with pytest.raises(ValueError, match=says):
        network.head(*head)
    with pytest.raises(ValueError, match=says):
        network(some_tokens(), off=[head])


def test_patterns_for_too_few_layers_and_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="1 patterns for 2 layers"):
        made()(some_tokens(), patterns=made()(some_tokens())[1][:1])
    with pytest.raises(ValueError, match="n_heads = 5 does not divide"):
        made(n_heads=5)

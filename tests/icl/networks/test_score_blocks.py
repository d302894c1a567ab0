"""Scores taken apart: the blocks add up to the network's own scores, and shares to 1."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks.score_blocks import given as parts_of
from snippets.icl.networks.score_blocks import layer_1, layer_2, shares, with_only
from snippets.icl.networks.two_layer import TwoLayerNetwork

SLOTS, D = 5, 11


def made(seed: int):
    generator = torch.Generator().manual_seed(seed)
    network = TwoLayerNetwork(D, D - SLOTS, 4, 8, generator)
    return network, torch.randn(3, 5, D, generator=generator)


@given(st.integers(0, 100))
@settings(max_examples=8, deadline=None)
def test_the_blocks_add_up_to_the_networks_attention(seed):
    network, x = made(seed)
    logits, first, second = network(x)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    one = layer_1(network, x, SLOTS).sum((0, 1)).masked_fill(later, -torch.inf)
    torch.testing.assert_close(one.softmax(-1), first, atol=1e-5, rtol=1e-4)
    two = layer_2(network, x, SLOTS, first).sum((0, 1))[:, 0]
    torch.testing.assert_close(two.softmax(-1), second, atol=1e-5, rtol=1e-4)
    every = torch.ones(2, 2, dtype=torch.bool), torch.ones(3, 3, dtype=torch.bool)
    torch.testing.assert_close(with_only(network, x, SLOTS, *every), logits, atol=1e-4, rtol=1e-4)


def test_shares_add_up_to_one_and_one_that_works_against_the_rest_is_below_zero():
    parts = torch.zeros(1, 2, 1, 1, 3)
    parts[0, 0, 0, 0] = torch.tensor([0.0, 1, 2])
    parts[0, 1, 0, 0] = torch.tensor([0.0, -0.5, -1])
    found = shares(parts, torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(found, torch.tensor([[2.0, -1.0]]))


def test_keys_that_a_query_does_not_see_count_for_nothing():
    parts = torch.zeros(1, 2, 1, 1, 3)
    parts[0, 0, 0, 0] = torch.tensor([0.0, 1, 7])
    parts[0, 1, 0, 0] = torch.tensor([0.0, 1, -99])
    found = shares(parts, torch.tensor([[True, True, False]]))
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5]]))


@pytest.mark.parametrize("n_slots", [0, D])
def test_a_token_without_positions_or_content_is_refused(n_slots):
    with pytest.raises(ValueError, match=f"n_slots = {n_slots}"):
        parts_of(torch.zeros(1, 5, D), n_slots)

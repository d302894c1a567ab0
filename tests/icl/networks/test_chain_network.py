"""The network of chains with an MLP: without the MLP it is the older one; it looks at no later token."""

import pytest
import torch

from snippets.icl.networks.chain_network import ChainNetwork
from snippets.icl.networks.markov_network import MarkovNetwork, Training


def made(hidden: int = 6, seed: int = 0) -> ChainNetwork:
    return ChainNetwork(3, 8, (2, 1), hidden, 9, torch.Generator().manual_seed(seed))


def test_with_silent_mlps_it_is_the_markov_network():
    network, plain = made(), MarkovNetwork(3, 8, (2, 1), 9, torch.Generator().manual_seed(0))
    tokens = torch.randint(3, (4, 9), generator=torch.Generator().manual_seed(1))
    assert not torch.allclose(network(tokens)[0], plain(tokens)[0])
    with torch.no_grad():
        for down in network.W_down:
            down.zero_()
    torch.testing.assert_close(network(tokens)[0], plain(tokens)[0])


def test_it_sees_the_past_and_not_the_future():
    network = made()
    tokens = torch.randint(3, (4, 9), generator=torch.Generator().manual_seed(1))
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 3
    one, two = network(tokens)[0], network(changed)[0]
    torch.testing.assert_close(one[:, :5], two[:, :5])
    assert not torch.allclose(one[:, 8], two[:, 8])


def test_every_weight_learns():
    network = made()
    before = [p.detach().clone() for p in network.parameters()]
    Training(network, 0.01, 2.0, warm_up=1).step(torch.randint(3, (8, 10)))
    assert all(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_bad_sizes_and_tokens_are_named():
    with pytest.raises(ValueError, match="hidden = 0"):
        made(hidden=0)
    with pytest.raises(ValueError, match="longer than the 9 positions"):
        made()(torch.zeros(1, 10, dtype=torch.long))

"""The network for real text: causal, its written-out patterns are those it uses, and where it begins."""

import pytest
import torch
import torch.nn.functional as F

from snippets.icl.networks.parts import rms_norm
from snippets.icl.networks.text_transformer import TextTransformer, losses


def made(n_layers: int = 2, look_back: float = 0.0) -> TextTransformer:
    return TextTransformer(n_layers, 20, 12, 8, 2, torch.Generator().manual_seed(0), look_back)


TOKENS = torch.randint(20, (3, 12), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_no_later_token_matters(n_layers):
    network, other = made(n_layers), TOKENS.clone()
    other[:, 7:] = (other[:, 7:] + 1) % 20
    assert torch.allclose(network(TOKENS)[:, :7], network(other)[:, :7], atol=1e-5)
    assert not torch.allclose(network(TOKENS)[:, 7:], network(other)[:, 7:], atol=1e-3)


@torch.no_grad()
def test_patterns_written_out_give_the_same_logits():
    network = made(look_back=2.0)
    x = network.W_E[TOKENS]
    for layer, pattern in enumerate(network.patterns(TOKENS)):
        assert torch.allclose(pattern.sum(-1), torch.ones(3, 2, 12), atol=1e-5)
        read = pattern @ network.project(layer, x)[2]
        x = x + read.transpose(1, 2).flatten(2) @ network.W_O[layer]
    assert torch.allclose(rms_norm(x) @ network.W_U, network(TOKENS), atol=1e-4)


def test_the_second_layer_knows_no_distance():
    """Where layer 1 writes nothing, the order of earlier tokens is lost on the last."""
    network = made()
    with torch.no_grad():
        network.W_O[0].zero_()
        network.by_distance[:, 1] = 9.0
    turned = TOKENS.clone()
    turned[:, :11] = turned[:, :11].flip(1)
    assert torch.allclose(network(TOKENS)[:, -1], network(turned)[:, -1], atol=1e-5)


def test_a_look_back_begins_at_the_token_before():
    far, near = made().patterns(TOKENS)[0], made(look_back=9.0).patterns(TOKENS)[0]
    assert near[:, 0].diagonal(-1, 1, 2).mean() > 0.9 > far[:, 0].diagonal(-1, 1, 2).mean()
    assert torch.equal(near[:, 1], far[:, 1])  # the other head begins as before


def test_losses_are_those_of_the_next_token():
    network = made()
    by_hand = -F.log_softmax(network(TOKENS[:, :-1]), -1)[1, 4, TOKENS[1, 5]]
    assert losses(network, TOKENS)[1, 4].item() == pytest.approx(by_hand.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (torch.zeros(1, 0, dtype=torch.long), "there are no tokens to read"),
        (torch.zeros(1, 13, dtype=torch.long), "a sequence of 13 tokens is longer than the network's 12"),
        (torch.tensor([[3, 20]]), "token ids run from 3 to 20; the vocabulary is 0 to 19"),
        (torch.tensor([[-1]]), "token ids run from -1"),
    ],
)
def test_what_it_cannot_read(tokens, said):
    for read in (made(), made().patterns):
        with pytest.raises(ValueError, match=said):
            read(tokens)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="n_heads = 3 does not divide d_model = 8"):
        TextTransformer(1, 20, 12, 8, 3, torch.Generator())

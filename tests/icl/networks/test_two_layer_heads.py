"""The network against itself written out slowly, one query at a time."""

import pytest
import torch

from snippets.icl.networks.two_layer_heads import TwoLayerHeads


def network(n_heads: int = 2, first_scale: float = 1.0) -> TwoLayerHeads:
    return TwoLayerHeads(12, 5, n_heads, first_scale, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_heads", [1, 2, 3])
def test_it_computes_what_it_says(n_heads):
    net = network(n_heads)
    x = torch.randn(3, 7, 12, generator=torch.Generator().manual_seed(1))
    logits, first, second = net(x)
    h = x.clone()
    for b in range(3):
        for q in range(7):
            past = x[b, : q + 1]
            out = []
            for head in range(n_heads):
                scores = (past @ net.W_K[0, head]) @ (x[b, q] @ net.W_Q[0, head])
                a = scores.softmax(0)
                torch.testing.assert_close(first[head, b, q, : q + 1], a)
                assert (first[head, b, q, q + 1 :] == 0).all(), "no token sees the future"
                out.append(a @ (past @ net.W_V[0, head]))
            h[b, q] += torch.cat(out)
        out = []
        for head in range(n_heads):
            a = ((h[b] @ net.W_K[1, head]) @ (h[b, -1] @ net.W_Q[1, head])).softmax(0)
            torch.testing.assert_close(second[head, b], a)
            out.append(a @ (h[b] @ net.W_V[1, head]))
        z = h[b, -1] + torch.cat(out)
        for W, bias in zip(net.W_hidden, net.b_hidden):
            z = (z @ W + bias).relu()
        torch.testing.assert_close(logits[b], z @ net.W_out)


def test_the_first_layers_scale_touches_its_queries_and_keys_alone():
    usual, small = network(), network(first_scale=0.5)
    torch.testing.assert_close(small.W_Q[0], usual.W_Q[0] * 0.5)
    torch.testing.assert_close(small.W_K[0], usual.W_K[0] * 0.5)
    torch.testing.assert_close(small.W_Q[1], usual.W_Q[1])
    torch.testing.assert_close(small.W_V, usual.W_V)


@pytest.mark.parametrize("n_heads", [0, 5])
def test_heads_that_do_not_divide_the_width_are_refused(n_heads):
    with pytest.raises(ValueError, match=f"n_heads = {n_heads} must divide d_model = 12"):
        network(n_heads)

"""Attention with a kernel as h: built layers are steps, and what is refused."""

import numpy as np
import pytest
import torch

from snippets.icl.networks import simple_transformer
from snippets.icl.networks.kernel_attention import ATTENTION, KernelAttention, construction
from snippets.icl.tasks.function_prompts import draw_functions
from snippets.icl.theory import function_steps, kernels


def prompts(n: int = 6, d: int = 3):
    drawn = draw_functions(20, n, d, "exp", torch.Generator().manual_seed(0))
    return drawn.x.double(), drawn.y.double()


@pytest.mark.parametrize("h", list(kernels.KERNELS))
def test_the_construction_takes_the_steps(h):
    x, y = prompts()
    path = function_steps.descend(kernels.named(h)(x, x), y[:, :-1], [0.4, 0.3, 0.9])
    for L in (1, 2, 3):
        found = construction(h, [0.4, 0.3, 0.9][:L], 3)(x, y)
        np.testing.assert_allclose(found.detach(), path[L][:, -1], atol=1e-12)
    assert (construction(h, [0.4, 0.3, 0.8], 3)(x, y) - path[3][:, -1]).abs().max() > 1e-3


def test_the_answer_is_not_read():
    x, y = prompts()
    network = KernelAttention(2, 3, "softmax", torch.Generator().manual_seed(0)).double()
    other = y.clone()
    other[:, -1] = 100
    torch.testing.assert_close(network(x, y), network(x, other))


@pytest.mark.parametrize("h", ["linear", "exp", "softmax"])
def test_with_inner_products_it_is_the_parts_transformer(h):
    x, y = prompts()
    network = KernelAttention(2, 3, h, torch.Generator().manual_seed(1), std=0.3).double()
    other = simple_transformer.SimpleTransformer(2, 3, torch.Generator(), h).double()
    with torch.no_grad():
        for layer in range(2):
            W_V = torch.zeros(4, 4, dtype=torch.float64)
            W_V[:3, :3], W_V[3, 3] = network.P[layer], -network.log_r[layer].exp()
            W_Q, W_K = torch.zeros_like(W_V), torch.zeros_like(W_V)
            W_Q[:3, :3], W_K[:3, :3] = network.B[layer], network.C[layer]
            other.set_layer(layer, W_V, W_Q, W_K)
    hidden = torch.cat([y[:, :-1], torch.zeros_like(y[:, -1:])], 1)
    torch.testing.assert_close(network(x, y), other(torch.cat([x, hidden[..., None]], -1)))


def test_softmax_weights_add_up_and_others_are_over_n():
    x, _ = prompts()
    torch.testing.assert_close(ATTENTION["softmax"](x, x).sum(-1), torch.ones(20, 7).double())
    torch.testing.assert_close(7 * ATTENTION["rbf"](x, x), kernels.rbf(x, x))


@pytest.mark.parametrize("h", list(ATTENTION))
def test_gradients_are_finite_where_points_coincide(h):
    network = KernelAttention(2, 3, h, torch.Generator().manual_seed(0), std=0.0)
    x = torch.ones(2, 4, 3) / 3**0.5
    network(x, torch.ones(2, 4)).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: KernelAttention(0, 3, "exp", torch.Generator()), "0 layers"),
        (lambda: KernelAttention(1, 3, "cubic", torch.Generator()), "h = 'cubic' is none of"),
        (lambda: construction("exp", [1.0], 3)(torch.zeros(1, 3, 4), torch.zeros(1, 3)), "4 entries"),
        (lambda: construction("exp", [1.0], 3)(torch.zeros(1, 3, 3), torch.zeros(1, 2)), "a y for each x"),
        (lambda: construction("exp", [1.0], 3)(torch.zeros(1, 1, 3), torch.zeros(1, 1)), "n = 0 examples"),
        (lambda: construction("exp", [-1.0], 3), "step of -1"),
        (lambda: construction("exp", [], 3), "0 layers"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()

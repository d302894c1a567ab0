"""State space, gated convolution, mesa-layer, summary tokens: against sums written out, and what must stay hidden."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.networks import linear_attention, mesa, selective_ssm
from snippets.icl.networks.gated_convolution import GatedConvolution, convolve
from snippets.icl.networks.mesa_layer import MesaLayer, parallel
from snippets.icl.networks.more_blocks import LAYERS, build_blocks
from snippets.icl.networks.same_block import Frame, count_parameters
from snippets.icl.networks.selective_ssm import SelectiveSSM
from snippets.icl.networks.summary_tokens import Summarised, SummaryAttention, summary_mask


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 99))
def test_three_scans_are_one(n, seed):
    keep, write = normal(n, 2, 3, seed=seed).sigmoid(), normal(n, 2, 3, seed=seed + 100)
    naive = selective_ssm.recurrent(keep, write)
    h = torch.zeros(2, 3).double()
    for t in range(n):
        h = keep[t] * h + write[t]
    torch.testing.assert_close(naive[-1], h, atol=1e-10, rtol=0)
    torch.testing.assert_close(selective_ssm.doubling(keep, write), naive, atol=1e-10, rtol=0)
    torch.testing.assert_close(selective_ssm.Scan.apply(keep, write), naive, atol=1e-10, rtol=0)


def test_the_scans_gradient():
    keep, write = normal(5, 2).sigmoid().requires_grad_(), normal(5, 2, seed=2).requires_grad_()
    with torch.enable_grad():
        assert torch.autograd.gradcheck(selective_ssm.Scan.apply, (keep, write))


def test_the_state_space_written_out_for_the_last_token():
    layer = SelectiveSSM(6, 3, generator()).double()
    x = normal(1, 4, 6)
    u, gate = (x @ layer.W_in).chunk(2, -1)
    B, C = (x @ layer.W_BC).chunk(2, -1)
    step = F.softplus(x @ layer.W_down @ layer.W_up + layer.b_step)
    h = torch.zeros(6, 3).double()
    for t in range(4):
        for i in range(6):
            for j in range(3):
                h[i, j] = h[i, j] * (-step[0, t, i] * layer.log_decay.exp()[i, j]).exp()
                h[i, j] += step[0, t, i] * B[0, t, j] * u[0, t, i]
    y = (h @ C[0, 3] + layer.D * u[0, 3]) * F.silu(gate[0, 3])
    torch.testing.assert_close(layer(x, 2)[0, 3], y @ layer.W_O)


@pytest.mark.parametrize(("steps", "fastest"), [((0.1, 1.0), 0.1), ((0.001, 0.1), 4.0)])
def test_the_first_steps_and_decays_lie_where_they_should(steps, fastest):
    layer = SelectiveSSM(64, 4, generator(), steps, fastest)
    first = F.softplus(layer.b_step)
    assert steps[0] * 0.99 <= first.min() and first.max() <= steps[1] * 1.01
    assert first.max() / first.min() > 0.8 * steps[1] / steps[0]
    torch.testing.assert_close(layer.log_decay[0].exp(), torch.arange(1.0, 5) * fastest / 4)


def test_a_long_step_forgets_and_a_short_one_passes_by():
    one, A = torch.ones(1, 1, 1), torch.full((1, 1), -2.0)
    for step, kept in ((1.0, 0.135), (0.02, 0.961)):
        keep, write = selective_ssm.discretised(torch.full((1, 1, 1), step), A, one, one)
        assert keep.item() == pytest.approx(kept, abs=1e-3) and write.item() == pytest.approx(step)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 20), longer=st.integers(0, 5), seed=st.integers(0, 99))
def test_the_long_convolution_is_the_sum(n, longer, seed):
    x, h = normal(2, n, 3, seed=seed), normal(n + longer, 3, seed=seed + 100)
    expected = torch.stack([sum(h[t - s] * x[:, s] for s in range(t + 1)) for t in range(n)], 1)
    torch.testing.assert_close(convolve(x, h), expected, atol=1e-10, rtol=0)


def test_the_gated_convolution_written_out():
    layer, x = GatedConvolution(4, 9, generator()).double(), normal(1, 6, 4)
    q, k, v = (x @ layer.W_QKV).chunk(3, -1)
    heard = sum(layer.h[5 - s] * k[0, s] * v[0, s] for s in range(6))
    torch.testing.assert_close(layer(x, 3)[0, 5], (q[0, 5] * heard) @ layer.W_O)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_mesa_layer_is_the_online_fit(n, seed):
    q, k, v = (normal(2, n, 5, seed=seed + i) for i in (0, 100, 200))
    torch.testing.assert_close(parallel(q, k, v), mesa.recurrent(q, k, v, strength=1.0), atol=1e-8, rtol=0)


def test_with_tiny_keys_the_mesa_layer_is_linear_attention():
    q, k, v = (normal(1, 6, 3, seed=i) for i in (0, 1, 2))
    torch.testing.assert_close(parallel(q, 1e-4 * k, v) * 1e4, linear_attention.parallel(q, k, v), rtol=1e-5, atol=1e-6)


def test_a_heavier_token_counts_more_in_the_fit():
    layer = MesaLayer(4, 1, generator()).double()
    x = normal(1, 3, 4)
    q, k, v = (x @ layer.W_QKV).chunk(3, -1)
    k, w = F.normalize(k, dim=-1), F.softplus(x @ layer.W_weight + layer.b_weight)
    A = torch.eye(4).double() + (w * k).mT @ k
    fitted = torch.linalg.solve(A, (w * k).mT @ v)
    torch.testing.assert_close(layer(x, 3)[0, 2], (q[0, 2] @ fitted[0]) @ layer.W_O)


def test_who_sees_whom_with_summaries():
    mask = summary_mask(n_pairs=2, n_summaries=2, n_queries=2).int().tolist()
    assert mask == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 0, 1],
    ]


LAYER_NAMES = [one for one in LAYERS if one != "summary"]


@pytest.mark.parametrize("which", list(LAYERS))
@pytest.mark.parametrize("t", [1, 5, 9])
def test_no_later_token_leaks(which, t):
    layer = LAYERS[which](8, 2, generator()).double()
    x = normal(2, 10, 8)
    if which == "summary":
        layer.n_summaries = 2
    other = torch.cat([x[:, :t], x[:, t:] + 1], 1)
    torch.testing.assert_close(layer(x, 7)[:, :t], layer(other, 7)[:, :t], atol=1e-10, rtol=0)
    assert not torch.allclose(layer(x, 7)[:, t:], layer(other, 7)[:, t:])


def summarised(m: int = 2, n_blocks: int = 2) -> Summarised:
    stack = build_blocks(Frame("summary", 8, 2, n_blocks, 24 * 8**2), generator())
    return Summarised(stack, m, 8, generator(1))


def test_pairs_reach_a_query_through_the_summaries_alone():
    network, pairs, queries = summarised(), normal(1, 4, 8).float(), normal(1, 3, 8, seed=2).float()
    before = network(pairs, queries)
    changed = network(pairs + 1, queries)
    assert not torch.allclose(before, changed)
    with torch.no_grad():  # summaries that write nothing: no value, and no way around them
        for mixer in network.stack.mixers:
            mixer.W_KV[:, 8:] = 0
    torch.testing.assert_close(network(pairs, queries), network(pairs + 1, queries))


def test_other_queries_do_not_matter():
    network, pairs, queries = summarised(), normal(1, 4, 8).float(), normal(1, 3, 8, seed=2).float()
    torch.testing.assert_close(network(pairs, queries)[:, 2:], network(pairs, queries[:, 2:]))


@pytest.mark.parametrize("which", [*LAYER_NAMES, "state-space + attention"])
def test_blocks_have_the_size_asked_for(which):
    network = build_blocks(Frame(which), generator())
    assert count_parameters(network) == pytest.approx(24 * 32**2, rel=0.005)


def test_a_hybrid_has_a_layer_of_each_kind():
    first, second = build_blocks(Frame("state-space + attention"), generator()).mixers
    assert isinstance(first, SelectiveSSM) and hasattr(second, "W_KV")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: SelectiveSSM(8, 0, generator()), "at least one number"),
        (lambda: GatedConvolution(8, 0, generator()), "at least one place"),
        (lambda: GatedConvolution(8, 4, generator())(torch.zeros(1, 5, 8), 3), "longer than the filter of 4"),
        (lambda: MesaLayer(8, 3, generator()), "n_heads = 3 does not divide d_model = 8"),
        (lambda: SummaryAttention(8, 3, generator()), "n_heads = 3 does not divide d_model = 8"),
        (lambda: summarised(m=0), "a memory of 0 tokens keeps nothing"),
        (lambda: Summarised(build_blocks(Frame("mesa"), generator()), 2, 32, generator()), "of the kind 'summary'"),
        (lambda: build_blocks(Frame("hyena"), generator()), "no layer 'hyena': choose from attention"),
        (lambda: build_blocks(Frame("mesa + attention", n_blocks=3), generator()), "names 2 layers for 3 blocks"),
        (lambda: build_blocks(Frame("mesa", n_parameters=100), generator()), "leave none for the MLPs"),
    ],
)
def test_what_cannot_be_is_said(bad, words):
    with pytest.raises(ValueError, match=words):
        bad()

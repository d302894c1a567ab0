"""Goals of each layer's own, and the derivative through a training: right where the answer is known."""

import dataclasses

import numpy as np
import pytest
import torch

from snippets.meta_learning import forward_forward as ff
from snippets.meta_learning.figures import forward_forward as figures

SMALL = ff.Config(d=2, width=3, n_train=5, n_valid=10, lengths=(0, 2, 10))


def drawn(seed: int = 0) -> tuple[torch.Tensor, ff.Data]:
    g = torch.Generator().manual_seed(seed)
    w = torch.randn((2 + 2) * 3 + 9, generator=g, dtype=torch.float64)
    return w, ff.new_data(6, torch.tensor([1.0, 2.0]).double(), g)


def test_false_data_have_the_other_label():
    _, data = drawn()
    assert torch.equal(data.real[:, :2], data.false[:, :2])
    assert torch.equal(data.real[:, 2:] + data.false[:, 2:], torch.ones(6, 2).double())
    right = (data.real[:, :2] @ torch.tensor([1.0, 2.0]).double() > 0).long()
    assert torch.equal(data.real[:, 2:].argmax(1), right)


def test_a_layer_reads_directions_alone():
    x, W = torch.randn(4, 4).double(), torch.randn(4, 3).double()
    torch.testing.assert_close(ff.up(x, W), ff.up(7 * x, W))


def test_no_goal_reaches_back_to_the_layer_below():
    w, data = drawn()
    threshold = torch.tensor(1.0).double()
    W1, W2 = ff.layers(w, SMALL)
    whole = torch.func.grad(lambda w: ff.goal(ff.layers(w, SMALL)[0], data.real, data.false, threshold))(w)
    own = ff.local(w, data, threshold, SMALL)
    torch.testing.assert_close(own[: W1.numel()], whole[: W1.numel()])  # layer 1: as if there were no layer 2
    W1, W2 = (W.detach().clone() for W in ff.layers(w, SMALL))
    W2.requires_grad_()
    ff.goal(W2, ff.up(data.real, W1), ff.up(data.false, W1), threshold).backward()
    torch.testing.assert_close(own[W1.numel() :], W2.grad.flatten())


def test_both_ways_find_a_derivative_that_is_known():
    h = torch.tensor([0.3, 2.0]).double()  # w -> w - h0 (w - h1): after n steps h1 + (1 - h0)^n (1 - h1)
    step = lambda w, h: w - h[0] * (w - h[1])  # noqa: E731
    start = lambda h, _: torch.ones(1).double() + 0 * h[:1]  # noqa: E731
    outer = lambda w: w.sum()  # noqa: E731
    known = torch.tensor([-5 * 0.7**4 * (1 - 2.0), 1 - 0.7**5]).double()
    torch.testing.assert_close(ff.forward(step, start, outer, h, 5)[1], known)
    torch.testing.assert_close(ff.backward(step, start, outer, h, 5), known)


def test_differences():
    h = torch.tensor([1.0, 2.0]).double()
    found = ff.by_differences(lambda h: h[0] ** 2 * h[1], h)
    assert found.tolist() == pytest.approx([4.0, 1.0])


def test_each_claim_can_hold_and_can_fail():
    good = {"T": np.array([0, 10]), "cosine": np.array([0.4, 0.5]), "first_order": np.array([1.0, 0.98])}
    good |= {"settings": np.array([-0.3, 0.0]), "same": 1e-15, "differences": 1e-9}
    bad = good | {"cosine": np.array([0.2, 0.95]), "first_order": np.array([1.0, 0.2])}
    bad |= {"settings": np.array([0.0001, -0.5]), "same": 0.1, "differences": 0.1}
    for claim in ff.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_run_is_finite_repeats_and_draws():
    one, two, other = (ff.run(SMALL, seed) for seed in (5, 5, 6))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
        assert np.isfinite(one[name]).all()
    assert one["first_order"][0] == pytest.approx(1)  # no step: the outer slope is the hypergradient
    assert one["loss"][0] != other["loss"][0]
    assert set(figures.draw([one, other])) == {"cosine"} and dataclasses.is_dataclass(SMALL)

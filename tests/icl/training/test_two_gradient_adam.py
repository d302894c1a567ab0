"""Adam with a direction and a scale: as usual where they are one, and what each of them does."""

import pytest
import torch

from snippets.icl.networks.heads_by_hand import Heads
from snippets.icl.training.two_gradient_adam import TwoGradientAdam


def heads(seed: int, n_runs: int = 2) -> Heads:
    g = torch.Generator().manual_seed(seed)
    return Heads(*(torch.randn(n_runs, 1, *size, generator=g) for size in ((3,), (3, 3), (3, 3))))


def test_with_one_gradient_it_is_adam():
    ours, theirs = heads(0), heads(0)
    adam = TwoGradientAdam.new(ours, 0.01)
    torchs = torch.optim.Adam(list(theirs), 0.01, betas=(0.9, 0.98))
    for step in range(20):
        gradient = heads(step + 1)
        adam.step(ours, gradient, gradient)
        for weights, g in zip(theirs, gradient):
            weights.grad = g
        torchs.step()
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other)


def test_the_scale_is_a_brake_and_no_push():
    still, slow, fast = heads(0), heads(0), heads(0)
    nothing = Heads(*map(torch.zeros_like, still))
    direction, large = heads(1), Heads(*(100 * g for g in heads(1)))
    TwoGradientAdam.new(still, 0.01).step(still, nothing, large)
    TwoGradientAdam.new(slow, 0.01).step(slow, direction, large)
    TwoGradientAdam.new(fast, 0.01).step(fast, direction, direction)
    for before, at_rest, braked, free in zip(heads(0), still, slow, fast):
        torch.testing.assert_close(at_rest, before)
        torch.testing.assert_close(100 * (braked - before), free - before, rtol=1e-2, atol=1e-4)


def test_some_go_on_as_they_would_with_the_others():
    all_of, gradient = heads(0, 3), heads(1, 3)
    adam = TwoGradientAdam.new(all_of, 0.1)
    adam.step(all_of, gradient, gradient)
    which = torch.tensor([0, 2])
    some, again = all_of.only(which), adam.only(which)
    again.step(some, gradient.only(which), gradient.only(which))
    adam.step(all_of, gradient, gradient)
    for one, other in zip(some, all_of):
        torch.testing.assert_close(one, other[which])


def test_a_rate_of_nothing():
    with pytest.raises(ValueError, match="a rate of 0: choose one above 0"):
        TwoGradientAdam.new(heads(0), 0.0)

"""Waiting on a plateau: who has arrived, who goes on, and descent that arrives."""

import numpy as np
import torch

from snippets.icl.networks.folded import OneLayer
from snippets.icl.networks.heads_by_hand import Heads, curvatures, heads_of, on_average
from snippets.icl.theory.best_rate import best_rate, least_loss
from snippets.icl.training.waiting import Config, Waiting, batches, descend, limit_of, no_noise, wait_long

SMALL = Config(d=2, n=6, n_runs=3, batch=8, large_batch=8, n_steps=150, stuck_at=50, n_other_steps=50)


def constructed(d: int, n: int) -> Heads:
    """The step of the best size, as one layer."""
    v, K, Q = torch.zeros(1, 1, d + 1), torch.zeros(1, 1, d + 1, d + 1), torch.zeros(1, 1, d + 1, d + 1)
    v[..., d] = -1
    K[..., range(d), range(d)] = 1.0
    Q[..., range(d), range(d)] = best_rate(1.0, n, d)
    return Heads(v, K, Q)


def new(seed: int = 0) -> Waiting:
    network = OneLayer(SMALL.n_runs, SMALL.d, torch.Generator().manual_seed(seed))
    return Waiting.new(network, SMALL)


def test_who_has_arrived_is_noted_once_and_at_the_end_of_a_window():
    waiting, limit = new(), limit_of(SMALL)
    losses = iter(
        [torch.tensor([2 * limit, limit / 2, 2 * limit])] * 25 + [torch.tensor([limit / 2, limit * 9, limit * 2])] * 25
    )
    nothing = Heads(*map(torch.zeros_like, waiting.heads))
    waiting.go_on(lambda heads: (next(losses), nothing, nothing), SMALL, iter(range(50)), start=100)
    np.testing.assert_array_equal(waiting.arrived, [150, 125, np.inf])
    left = waiting.stuck()
    assert len(left.arrived) == 1 and np.isinf(left.arrived).all()
    torch.testing.assert_close(left.heads.v[0], waiting.heads.v[2])


def test_the_constructed_step_is_below_the_limit_and_no_map_is_not():
    loss = on_average(constructed(4, 6), 1.0, 6)[0].item()
    assert abs(loss - least_loss(1.0, 6, 4)) < 1e-6
    config = Config(d=4, n=6)
    assert loss < limit_of(config) < least_loss(1.0, 6, 4, rank=0)


def test_descent_from_near_the_step_arrives_and_from_nothing_does_not():
    config = Config(d=4, n=6)
    good = constructed(4, 6)
    near = Heads(0.3 * good.v, good.K, good.Q)
    nothing = Heads(*(0 * weights for weights in good))
    both = Heads(*(torch.cat([a, b]) for a, b in zip(near, nothing)))
    assert (on_average(both, 1.0, 6)[0] > limit_of(config)).all()
    largest = curvatures(both, 1.0, 6)[:, -1].clamp(min=1.0)
    arrived = descend(both, largest, config, iter(range(300)))
    assert arrived[0] < 300 and np.isinf(arrived[1])


def test_a_long_wait_goes_on_in_pieces_with_the_same_batches():
    """What is left of a wait in pieces is what an unbroken one would give."""
    one, other = new(1), new(1)
    for waiting in (one, other):
        waiting.go_on(batches(SMALL, 8, torch.Generator().manual_seed(2)), SMALL, iter(range(50)))
    arrived = wait_long(one, SMALL, torch.Generator().manual_seed(3), iter(range(100)))
    other.go_on(batches(SMALL, 8, torch.Generator().manual_seed(3)), SMALL, iter(range(100)), 50)
    np.testing.assert_array_equal(arrived, other.arrived)


def test_a_long_wait_is_over_when_all_have_arrived():
    waiting = new()
    waiting.arrived[:] = 25.0
    arrived = wait_long(waiting, SMALL, torch.Generator(), iter(range(100)))
    np.testing.assert_array_equal(arrived, [25.0] * 3)


def test_without_noise_nothing_is_drawn():
    heads = heads_of(OneLayer(1, 2, torch.Generator().manual_seed(0), std=0.5))
    one, two = (no_noise(SMALL)(heads) for _ in range(2))
    torch.testing.assert_close(one[1].K, two[1].K)
    assert one[1] is one[2]

"""One round of mixing: counts, the plane, and what it is like."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.graph_walk import grid, ring, steps_between, walk
from snippets.icl.theory.neighbour_mixing import likeness, mixing, plane, share_in_plane, shares_before


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_shares_are_counted_by_hand():
    P = shares_before(torch.tensor([[0, 1, 0, 2, 0]]), 4)[0]
    expected = [[0, 0.5, 0.5, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert P.tolist() == expected


def test_a_long_walk_has_the_shares_of_the_graph():
    board = grid(3)
    P = shares_before(walk(board, 1, 40_000, stream()), 9)[0]
    # backwards in time a walk on such a graph looks like itself
    torch.testing.assert_close(P, board / board.sum(1, keepdim=True), atol=0.03, rtol=0)


@given(st.integers(0, 20))
def test_the_plane_keeps_the_most_spread(seed):
    H = torch.randn(7, 5, generator=stream(seed), dtype=torch.float64)
    points = plane(H)
    spread = np.linalg.eigvalsh(np.cov(H.numpy().T, bias=True) * 7)[::-1]
    np.testing.assert_allclose(points.square().sum(0), spread[:2], rtol=1e-9)
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-12)


def test_a_ring_becomes_a_circle():
    for n in (5, 8, 16):
        points = plane(mixing(ring(n) / 2) @ torch.eye(n, dtype=torch.float64))
        radius = math.sqrt(2 / n) * (1 + math.cos(2 * math.pi / n))
        np.testing.assert_allclose(points.norm(dim=1), radius, atol=1e-12)


def test_likeness_is_one_on_a_line_and_blind_to_turning_and_size():
    line = torch.tensor([[0.0, 0], [1, 0], [2, 0], [3, 0]], dtype=torch.float64)
    steps = (torch.arange(4)[:, None] - torch.arange(4)).abs()
    turn = torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64)
    assert likeness(line, steps) == pytest.approx(1)
    assert likeness(5 * line @ turn + 2, steps) == pytest.approx(1)
    assert likeness(line[[0, 2, 1, 3]], steps) < 0.9


def test_likeness_is_pearsons():
    points = torch.randn(16, 2, generator=stream(), dtype=torch.float64)
    steps, (i, j) = steps_between(grid(4)), np.triu_indices(16, 1)
    apart = np.linalg.norm(points.numpy()[i] - points.numpy()[j], axis=1)
    assert likeness(points, steps) == pytest.approx(np.corrcoef(apart, steps.numpy()[i, j])[0, 1])


def test_planes_that_are_the_same_and_at_right_angles():
    patterns = torch.linalg.qr(torch.randn(8, 5, generator=stream(), dtype=torch.float64))[0]
    patterns = torch.linalg.qr(patterns - patterns.mean(0))[0]
    a, b = patterns[:, :2], patterns[:, 2:4]
    turned = a @ torch.tensor([[2.0, 1], [0, 3]], dtype=torch.float64)
    assert share_in_plane(a, turned) == pytest.approx(1)
    assert share_in_plane(a, b) == pytest.approx(0, abs=1e-12)


def test_a_walk_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="no steps"):
        shares_before(torch.tensor([[3]]), 4)

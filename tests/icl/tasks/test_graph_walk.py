"""Graphs and walks on them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.graph_walk import grid, ring, steps_between, walk


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(2, 6))
def test_on_a_board_steps_are_rows_and_columns_apart(side):
    board = grid(side)
    place = torch.arange(side**2)
    row, column = place // side, place % side
    apart = (row[:, None] - row).abs() + (column[:, None] - column).abs()
    assert torch.equal(steps_between(board), apart)
    assert torch.equal(board, (apart == 1).double())


@given(st.integers(3, 12))
def test_on_a_ring_one_goes_the_shorter_way(n):
    place = torch.arange(n)
    apart = (place[:, None] - place).abs()
    assert torch.equal(steps_between(ring(n)), torch.minimum(apart, n - apart))


@given(st.integers(0, 20))
def test_a_walk_goes_from_neighbour_to_neighbour(seed):
    board = grid(3)
    path = walk(board, 5, 30, stream(seed))
    assert path.shape == (5, 31)
    assert (board[path[:, :-1], path[:, 1:]] == 1).all()


def test_all_neighbours_are_alike_likely():
    board = grid(3)
    path = walk(board, 400, 60, stream(1))
    middle = path[:, :-1] == 4
    after = path[:, 1:][middle].bincount(minlength=9) / middle.sum()
    torch.testing.assert_close(after, board[4].float() / 4, atol=0.03, rtol=0)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: walk(grid(4), 2, 0, stream()), "walk of 0 steps"),
        (lambda: grid(1), "side = 1"),
        (lambda: ring(2), "n = 2"),
        (lambda: steps_between(torch.zeros(3, 3, dtype=torch.float64)), "no way joins"),
    ],
)
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()

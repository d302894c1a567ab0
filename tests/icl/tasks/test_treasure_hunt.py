"""Treasure hunts: chains as they should be, and prompts that ask for the right words."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.treasure_hunt import (
    DOT,
    MODES,
    N_KINDS,
    NOTE,
    NOTHING,
    WRITTEN,
    Hunts,
    as_vectors,
    draw,
    may_read,
    prompts,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(2, 4), st.integers(12, 20), st.integers(0, 10**6))
def test_notes_form_the_hunts_that_were_asked_for(hops, n_hunts, n_notes, seed):
    if n_notes - hops - 1 < n_hunts - 1:
        return
    task = Hunts(24, n_notes, n_hunts)
    drawn = draw(task, 4, hops, generator(seed))
    for place, points_to, path in zip(drawn.place.tolist(), drawn.points_to.tolist(), drawn.path.tolist(), strict=True):
        notes = dict(zip(place, points_to, strict=True))
        assert len(notes) == n_notes and set(place) <= set(range(24))
        assert points_to.count(task.dig) == n_hunts
        for here, there in itertools.pairwise(path):
            assert notes[here] == there
        assert notes[path[-1]] == task.dig and len(path) == hops + 1
        reached = [p for p in points_to if p != task.dig]
        assert len(set(reached)) == len(reached), "no two notes name the same place"


def test_the_other_hunts_vary_in_length():
    drawn = draw(Hunts(24, 12, 3), 64, 3, generator())
    assert len({tuple(row) for row in (drawn.points_to == 24).int().tolist()}) > 4


def test_what_each_way_of_asking_wants():
    task = Hunts(24, 12, 3, n_dots=6)
    drawn = draw(task, 5, 3, generator())
    at_once, dots, steps = (prompts(task, drawn, mode) for mode in MODES)
    assert at_once.wanted.shape[1] == 13 and (at_once.wanted[:, :-1] == NOTHING).all()
    assert torch.equal(at_once.wanted[:, -1], drawn.path[:, -1])
    assert dots.kind[0].tolist() == [NOTE] * 12 + [1] + [DOT] * 6
    assert torch.equal(dots.wanted[:, -1], drawn.path[:, -1]) and (dots.place[:, 13:] == NOTHING).all()
    assert steps.kind[0].tolist() == [NOTE] * 12 + [2] + [WRITTEN] * 3
    assert torch.equal(steps.place[:, 12:], drawn.path)
    assert torch.equal(steps.wanted[:, 12:15], drawn.path[:, 1:]) and (steps.wanted[:, 15] == task.dig).all()


def test_vectors_are_three_one_hots():
    task = Hunts(24, 12, 3)
    x = as_vectors(task, prompts(task, draw(task, 2, 2, generator()), "dots"))
    place, points_to, kind = x.split((24, 25, N_KINDS), -1)
    assert (kind.sum(-1) == 1).all()
    assert (place.sum(-1)[:, :13] == 1).all() and (place[:, 13:] == 0).all()
    assert (points_to.sum(-1)[:, :12] == 1).all() and (points_to[:, 12:] == 0).all()


def test_notes_read_notes_and_answers_read_what_came_before():
    seen = may_read(Hunts(24, 12, 3), 15)
    assert seen[:12, :12].all() and not seen[:12, 12:].any()
    assert seen[12:, :12].all() and seen[12:, 12:].tolist() == torch.ones(3, 3).tril().bool().tolist()


@pytest.mark.parametrize(
    ("task", "hops", "says"),
    [
        (Hunts(), 0, "at least 1"),
        (Hunts(8, 12), 2, "12 notes do not fit 8 places"),
        (Hunts(24, 12, 3), 10, "12 notes are too few for 10 hops"),
        (Hunts(24, 12, 1), 2, "too few"),
    ],
)
def test_hunts_that_cannot_be_laid(task, hops, says):
    with pytest.raises(ValueError, match=says):
        draw(task, 2, hops, generator())

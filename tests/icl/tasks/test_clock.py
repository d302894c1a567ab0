"""The clock's tasks and prompts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks import clock


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_task_turns_the_clock_around():
    maps = clock.maps_of(list(clock.TASKS))
    assert (maps.sort(1).values == torch.arange(clock.HOURS)).all()
    assert len(maps.unique(dim=0)) == len(maps)  # no task is there twice


@pytest.mark.parametrize(
    "task, hour, answer",
    [("next", 11, 0), ("previous", 0, 11), ("mirror", 7, 5), ("times five", 7, 11), ("opposite", 9, 3)],
)
def test_tasks_by_example(task, hour, answer):
    assert clock.maps_of([task])[0, hour] == answer


@given(st.integers(0, 99), st.integers(1, 6))
def test_a_prompt_says_what_the_task_does(seed, n):
    maps = clock.random_maps(4, stream(seed))
    hours = clock.other_hours(4, n + 1, stream(seed + 1))
    tokens, answers = clock.written(maps, hours)
    assert tokens.shape == (4, 3 * n + 2)
    assert (tokens[:, 1::3] == clock.ARROW).all()
    assert (tokens[:, 0::3] == hours).all()
    for row in range(4):
        for place in range(n):
            assert tokens[row, 3 * place + 2] == maps[row, hours[row, place]] == answers[row, place]
        assert hours[row].unique().numel() == n + 1
    assert (maps.sort(1).values == torch.arange(clock.HOURS)).all()


def test_few_hours_return():
    hours = clock.few_hours(50, 6, 3, stream())
    assert max(len(row.unique()) for row in hours) <= 3


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: clock.maps_of([]), "pool of 0 tasks"),
        (lambda: clock.maps_of(["later"]), "no task 'later'"),
        (lambda: clock.few_hours(2, 3, 0, stream()), "few = 0"),
        (lambda: clock.few_hours(2, 3, 13, stream()), "few = 13"),
        (lambda: clock.other_hours(2, 13, stream()), "n = 13"),
    ],
)
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()

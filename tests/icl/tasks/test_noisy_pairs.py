"""Pairs whose names are fixed: what stands in each kind of prompt, the best readers, and bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks import noisy_pairs
from snippets.icl.tasks.noisy_pairs import Task, World, best_by_item, best_by_name

tasks = st.builds(Task, n_pairs=st.integers(2, 5), n_classes=st.integers(6, 12), d_item=st.integers(1, 8))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(tasks, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_what_stands_in_the_prompts(task, seed):
    world = World(task, generator(seed))
    for kind in noisy_pairs.KINDS:
        p = world.draw(kind, 20, generator(seed + 1))
        shown = p.names.sort(1).values
        assert (shown[:, 1:] > shown[:, :-1]).all()  # all names differ
        there = (p.names == p.answer[:, None]).any(1)
        assert there.all() if kind != "absent" else not there.any()
        if kind == "swapped":
            assert (p.answer != p.usual).all() and (p.names == p.usual[:, None]).any(1).all()
        if kind == "train":
            assert (p.answer == p.usual).all()


def test_without_noise_every_item_is_its_class():
    world = World(Task(noise=0.0), generator())
    p = world.draw("train", 50, generator(1))
    torch.testing.assert_close(p.items, world.means[p.names])
    torch.testing.assert_close(p.query, world.means[p.answer])
    p = world.draw("named", 50, generator(1))
    off = (p.items - p.query[:, None]).norm(dim=-1)
    assert (off > 0.01).all()  # the query's class is not there


def test_a_copy_is_an_item_of_the_context():
    p = World(Task(same_item=True), generator()).draw("swapped", 50, generator(1))
    same = (p.items == p.query[:, None]).all(-1)
    assert (same.sum(1) == 1).all()
    torch.testing.assert_close(p.names[same], p.answer)


def test_the_best_readers_are_better_than_lesser_ones():
    task = Task()
    world = World(task, generator())
    p = world.draw("train", 4000, generator(1))
    by_item = (best_by_item(task, p) == p.answer).float().mean()
    by_name = (best_by_name(world.means, p) == p.answer).float().mean()
    nearest = (p.query[:, None] - p.items).square().sum(-1).argmin(1, keepdim=True)
    assert by_name > by_item > (p.names.gather(1, nearest)[:, 0] == p.answer).float().mean() > 0.5


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"n_pairs": 1}, "two pairs"),
        ({"d_item": 0}, "one dimension"),
        ({"n_pairs": 8, "n_classes": 8}, "more classes than pairs"),
        ({"noise": -1.0}, "noise = -1.0"),
        ({"noise": float("nan")}, "noise = nan"),
    ],
)
def test_bad_tasks_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Task(**wrong)


def test_a_kind_that_does_not_exist():
    with pytest.raises(ValueError, match="choose one of train, novel"):
        World(Task(), generator()).draw("old", 2, generator())

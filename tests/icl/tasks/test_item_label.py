"""The sequences are what they say they are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.item_label import Task, World, label_to_item


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def world(seed: int = 0, **changes) -> World:
    return World(Task(**changes), stream(seed))


@st.composite
def tasks(draw) -> Task:
    """Any task that the constructor accepts."""
    n_labels = draw(st.integers(2, 12))
    copies = draw(st.integers(1, 3))
    n_pairs = copies * draw(st.integers(1, n_labels))
    return Task(
        n_pairs=n_pairs,
        n_labels=n_labels,
        n_classes=n_labels * draw(st.integers(1, 4)),
        d_item=draw(st.integers(1, 8)),
        n_slots=2 * n_pairs + 1 + draw(st.integers(0, 5)),
        copies=copies,
        noise=draw(st.sampled_from([0.0, 0.1, 1.0])),
        novel_share=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )


@settings(max_examples=60)
@given(tasks(), st.sampled_from(["train", "known", "novel", "rotated"]), st.integers(0, 100))
def test_the_answer_is_the_label_shown_with_the_target_class(task, kind, seed):
    batch = getattr(World(task, stream(seed)), kind)(7, stream(seed + 1))
    assert batch.tokens.shape == (7, task.n_tokens, task.d_model)
    shown = batch.answer_shown.bool()
    assert (shown.sum(1) == task.copies).all()
    assert (batch.context_labels[shown] == batch.answer.repeat_interleave(task.copies)).all()
    for row in batch.context_labels:  # every label of a context stands there `copies` times
        assert (row.unique(return_counts=True)[1] == task.copies).all()


@settings(max_examples=40)
@given(tasks(), st.integers(0, 100))
def test_each_token_stands_behind_its_position(task, seed):
    batch = World(task, stream(seed)).train(5, stream(seed + 1))
    position = batch.tokens[..., : task.n_slots]
    assert (position.sum(-1) == 1).all()
    steps = position.argmax(-1).diff(dim=1)
    assert (steps == 1).all(), "positions of a context follow each other"


def test_items_without_noise_are_the_class_means_and_labels_their_vectors():
    w = world(noise=0.0)
    batch = w.known(20, stream(1))
    items = batch.tokens[:, 0::2, w.task.n_slots :]
    nearest = torch.cdist(items, w.means.expand(20, -1, -1)).argmin(-1)
    assert torch.equal(nearest[:, :-1] % w.task.n_labels, batch.context_labels)
    assert torch.equal(nearest[:, -1] % w.task.n_labels, batch.answer)
    assert torch.equal(batch.tokens[:, 1::2, w.task.n_slots :], w.label_vectors[batch.context_labels])


def test_rotated_labels_are_one_further_on():
    w = world(noise=0.0)
    batch = w.rotated(20, stream(1))
    target = batch.tokens[:, -1, w.task.n_slots :]
    remembered = torch.cdist(target, w.means).argmin(-1) % w.task.n_labels
    assert torch.equal(batch.answer, (remembered + 1) % w.task.n_labels)


def test_new_classes_differ_from_the_known_ones_and_from_sequence_to_sequence():
    w = world(noise=0.0)
    items = w.novel(50, stream(1)).tokens[:, :-1:2, w.task.n_slots :].flatten(0, 1)
    assert torch.cdist(items, w.means).min() > 1e-3
    assert torch.cdist(items, items).fill_diagonal_(1).min() > 1e-3


def test_from_memory_never_shows_the_target_class():
    w = world(noise=0.0)
    batch = w.from_memory(2000, stream(1))
    items = batch.tokens[:, 0::2, w.task.n_slots :]
    classes = torch.cdist(items, w.means.expand(2000, -1, -1)).argmin(-1)
    assert not (classes[:, :-1] == classes[:, -1:]).any()
    assert not batch.answer_shown.any()
    assert torch.equal(classes[:, -1] % w.task.n_labels, batch.answer)
    assert torch.equal(classes[:, :-1] % w.task.n_labels, batch.context_labels)
    assert len(classes.unique()) == w.task.n_classes, "every class can be shown and asked for"


def test_from_memory_a_copier_is_right_less_often_than_a_guess():
    """Another class has the target's label in 7 of 255 cases, under one in L = 32: chance is no lower bound to beat."""
    batch = world().from_memory(20_000, stream(1))
    copied = (batch.context_labels[:, 0] == batch.answer).float().mean().item()
    assert copied == pytest.approx(7 / 255, abs=0.005)


def test_the_share_of_novel_sequences_is_kept():
    w = world(novel_share=0.8, noise=0.0)
    target = w.train(2000, stream(1)).tokens[:, -1, w.task.n_slots :]
    novel = torch.cdist(target, w.means).min(-1).values > 1e-3
    assert novel.float().mean().item() == pytest.approx(0.8, abs=0.04)


def test_items_have_unit_length_on_average():
    w = world(noise=0.5, n_classes=32 * 64)
    items = w.known(500, stream(1)).tokens[:, 0::2, w.task.n_slots :]
    assert items.square().sum(-1).mean().item() == pytest.approx(1, abs=0.05)


def test_sequences_depend_on_the_generator_that_they_are_drawn_from():
    one, two = (world().train(4, stream(1)).tokens for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, world().train(4, stream(2)).tokens)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_classes": 100}, "n_labels = 32 must divide n_classes = 100"),
        ({"n_classes": 16}, "n_labels = 32 must divide n_classes = 16"),  # more labels than classes
        ({"n_labels": 7}, "n_labels = 7 must divide n_classes = 256"),
        ({"copies": 0}, "n_pairs = 8 and copies = 0 must be at least 1"),
        ({"copies": -1}, "copies = -1 must be at least 1"),
        ({"n_pairs": 0}, "n_pairs = 0 and copies = 1 must be at least 1"),
        ({"copies": 3}, "copies = 3 must divide n_pairs = 8"),
        ({"n_labels": 4}, "n_labels = 4 is too few: a context shows 8 different ones"),
        ({"n_slots": 16}, "n_slots = 16 is too few for 17 tokens"),
    ],
)
def test_impossible_tasks_are_named(changes, says):
    with pytest.raises(ValueError, match=says):
        Task(**changes)


def test_edges_lead_from_labels_to_their_items():
    assert label_to_item(5).nonzero().tolist() == [[1, 0], [3, 2]]

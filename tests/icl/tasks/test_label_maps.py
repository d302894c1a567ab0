"""Sequences with several label maps are what they say, and posteriors agree with counting."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.label_maps import (
    Task,
    World,
    answer_odds,
    from_bags,
    from_labels,
    from_pairs,
    from_query,
    induction_head,
)


def world(seed: int = 0, **changes) -> World:
    return World(Task(**changes), torch.Generator().manual_seed(seed))


@st.composite
def tasks(draw) -> Task:
    """Any task that the constructor accepts."""
    n_labels = draw(st.integers(2, 6))
    maps = draw(st.sampled_from(["random", "cyclic"]))
    n_classes = n_labels * draw(st.integers(1, 3))
    shown = draw(st.booleans())
    n_pairs = draw(st.integers(1, n_classes - (not shown)))
    return Task(
        n_tasks=draw(st.integers(1, n_labels)),
        n_pairs=n_pairs,
        n_classes=n_classes,
        n_labels=n_labels,
        d_item=draw(st.integers(1, 8)),
        n_slots=2 * n_pairs + 1 + draw(st.integers(0, 3)),
        maps=maps,
        query_shown=shown,
        noise=0.0,
    )


@settings(max_examples=60)
@given(tasks(), st.integers(0, 100))
def test_context_and_answer_come_from_one_map(task, seed):
    w = World(task, torch.Generator().manual_seed(seed))
    batch = w.draw(7)
    assert batch.tokens.shape == (7, task.n_tokens, task.d_model)
    for row in range(7):
        classes = batch.classes[row]
        assert len(classes.unique()) == task.n_pairs, "the classes of a context differ"
        fits = (w.maps[:, classes] == batch.context_labels[row]).all(1) & (
            w.maps[:, batch.query[row]] == batch.answer[row]
        )
        assert fits.any()
    if not task.query_shown:
        assert not batch.shown.any()


@settings(max_examples=40)
@given(tasks(), st.integers(0, 100))
def test_tokens_hold_a_position_an_item_or_a_label(task, seed):
    w = World(task, torch.Generator().manual_seed(seed))
    batch = w.draw(5, moved=True)
    places = batch.tokens[..., : task.n_slots]
    assert (places.sum(-1) == 1).all() and (places.argmax(-1).diff(dim=1) == 1).all()
    items, labels = batch.tokens[:, 0::2, task.n_slots :], batch.tokens[:, 1::2, task.n_slots :]
    classes = torch.cat([batch.classes, batch.query[:, None]], 1)
    torch.testing.assert_close(items, w.means[classes])
    torch.testing.assert_close(labels, w.label_vectors[batch.context_labels])
    moved = batch.moved[:, 1::2, task.n_slots :]
    torch.testing.assert_close(moved, labels.roll(1, 1))
    torch.testing.assert_close(batch.moved[:, 0::2], batch.tokens[:, 0::2])


def test_the_query_is_any_class_alike():
    batch = world(n_classes=8, n_labels=4).draw(20_000)
    assert batch.shown.float().mean() == pytest.approx(4 / 8, abs=0.015)
    share = torch.bincount(batch.query, minlength=8) / 20_000
    assert (share - 1 / 8).abs().max() < 0.012


@settings(max_examples=25)
@given(st.booleans(), st.integers(0, 50))
def test_posterior_from_labels_is_a_count_of_contexts(shown, seed):
    """Against every ordered choice of different classes, for a world small enough to list them."""
    w = world(seed, n_tasks=3, n_pairs=3, n_classes=6, n_labels=3, d_item=1, query_shown=shown)
    batch = w.draw(4)
    odds = from_labels(w, batch)
    for row in range(4):
        classes = [k for k in range(6) if shown or k != batch.query[row]]
        ways = torch.zeros(3)
        for chosen in permutations(classes, 3):
            ways += (w.maps[:, list(chosen)] == batch.context_labels[row]).all(1).float()
        torch.testing.assert_close(odds[row], ways / ways.sum())


def test_two_bags_rule_out_what_no_order_of_the_labels_fits():
    """Against every order, on worlds small enough that bags and pairs often differ."""
    differ = 0
    for seed in range(30):
        w = world(seed, n_tasks=4, n_pairs=3, n_classes=5, n_labels=2, d_item=1)
        batch = w.draw(5)
        bags, pairs = from_bags(w, batch), from_pairs(w, batch)
        for row in range(5):
            given = w.maps[:, batch.classes[row]].tolist()
            orders = {order for order in permutations(batch.context_labels[row].tolist())}
            fits = torch.tensor([float(tuple(labels) in orders) for labels in given])
            torch.testing.assert_close(bags[row], fits / fits.sum())
            assert (bags[row][pairs[row] > 0] > 0).all(), "what fits the pairs fits the bags"
        differ += int(not torch.equal(bags, pairs))
    assert differ > 10


def test_another_stream_draws_other_sequences_of_the_same_world():
    w = world(1)
    other = w.drawing_from(torch.Generator().manual_seed(9))
    assert other.maps is w.maps and other.generator is not w.generator
    assert not torch.equal(w.draw(5).tokens, other.draw(5).tokens)


def test_more_of_the_context_tells_more():
    w = world(1)
    batch = w.draw(3000)
    best = [
        answer_odds(w, batch, posterior(w, batch)).amax(1).mean().item()
        for posterior in (from_query, from_labels, from_bags, from_pairs)
    ]
    assert 1 / 3 < best[0] < 0.45 < 0.65 < best[1] < 0.9 < 0.99 < best[2] <= best[3] <= 1
    for posterior in (from_query, from_labels, from_bags, from_pairs):  # the odds mean what they say
        odds = answer_odds(w, batch, posterior(w, batch))
        torch.testing.assert_close(odds.sum(1), torch.ones(3000))
        right = (odds.argmax(1) == batch.answer).float().mean().item()
        assert right == pytest.approx(odds.amax(1).mean().item(), abs=0.04)


def test_an_induction_head_copies_where_it_can_and_recalls_where_it_cannot():
    w = world(2, noise=0.1)
    batch = w.draw(4000)
    odds = induction_head(w, batch)
    torch.testing.assert_close(odds.sum(1), torch.ones(4000))
    right = (odds.argmax(1) == batch.answer).float()
    recalled = answer_odds(w, batch, from_query(w, batch)).amax(1).mean().item()
    assert right[batch.shown].mean() > 0.97
    assert right[~batch.shown].mean().item() == pytest.approx(recalled, abs=0.04)


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"n_tasks": 0}, "at least one map"),
        ({"maps": "shuffled"}, "choose 'random' or 'cyclic'"),
        ({"n_classes": 3}, "n_classes = 3 is too few: a sequence needs 4"),
        ({"n_classes": 4, "query_shown": False}, "a sequence needs 5"),
        ({"n_slots": 8}, "n_slots = 8 is too few for 9 tokens"),
        ({"maps": "cyclic", "n_labels": 5}, "n_labels = 5 must divide n_classes = 64"),
        ({"maps": "cyclic", "n_labels": 128}, "n_labels = 128 is more than n_classes = 64"),
        ({"maps": "cyclic", "n_labels": 2}, "n_tasks = 3 is more than n_labels = 2"),
    ],
)
def test_impossible_tasks_are_refused(changes, says):
    with pytest.raises(ValueError, match=says) as error:
        Task(**changes)
    assert "\n" not in str(error.value)

"""The formula, the count and the readouts, each against something that does not use it."""

from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks.label_maps import World
from snippets.meta_learning import labels_alone


@pytest.mark.parametrize("K, accuracy", [(8, 0.786), (16, 0.633), (32, 0.565)])
def test_the_formula_gives_the_published_numbers(K, accuracy):
    assert round(labels_alone.theory(K, 4), 3) == accuracy


@given(st.integers(2, 9), st.integers(1, 4))
def test_the_count_agrees_with_the_formula(K, N):
    if N < K:
        p = 1 - comb(K - 2, N) / comb(K - 1, N)  # the wrong answer is among N of K - 1
        assert labels_alone.theory(K, N) == pytest.approx((1 + p) / 2)
        assert labels_alone.count(K, N, labels_alone.best_guess) == pytest.approx((1 + p) / 2)


def test_one_query_stands_for_all():
    """The contexts of every query, against the count, which takes those of one."""
    world, chances = World(labels_alone.two_maps(7, 3), torch.Generator()), []
    for task in range(2):
        for query in range(7):
            others = torch.tensor([k for k in range(7) if k != query])
            classes = torch.combinations(others, 3)
            batch = labels_alone.contexts(world, classes, world.maps[task][classes], query, task)
            odds = labels_alone.best_guess(world, batch)
            chances.append(labels_alone.expected_accuracy(odds, batch.answer))
    assert labels_alone.count(7, 3, labels_alone.best_guess) == pytest.approx(np.mean(chances))


def test_three_maps_score_what_the_exercise_says():
    """Each of the two wrong answers is shown or not: the guess is one of those left."""
    K, N, T = 16, 4, 3
    left = sum(comb(T - 1, j) * comb(K - T, N - j) / comb(K - 1, N) / (T - j) for j in range(T))
    task = labels_alone.Task(
        n_tasks=3, n_pairs=4, n_classes=16, n_labels=16, d_item=1, maps="cyclic", query_shown=False
    )
    world = World(task, torch.Generator().manual_seed(0))
    batch = world.draw(40_000)
    odds = labels_alone.answer_odds(world, batch, labels_alone.from_labels(world, batch))
    assert odds.amax(1).mean().item() == pytest.approx(left, abs=0.006)


def test_ties_are_broken_at_random():
    score = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])
    answer = torch.tensor([0, 1, 2])
    assert labels_alone.expected_accuracy(score, answer) == pytest.approx((0.5 + 1 + 0) / 3)


def test_the_hand_made_readout_rules_out_what_is_shown():
    world = World(labels_alone.two_maps(8, 4), torch.Generator().manual_seed(0))
    batch = world.draw(500)
    score = labels_alone.by_hand(world, batch)
    shown = torch.zeros(500, 8, dtype=torch.bool).scatter_(1, batch.context_labels, True)
    candidates = (world.maps[:, batch.query].T[:, :, None] == torch.arange(8)).any(1)
    assert (score.argmax(1) < 8).all()
    torch.testing.assert_close(score > 0, candidates & ~shown)


def test_each_claim_can_fail_and_can_hold():
    good = {
        "theory": np.array([0.8, 0.6]),
        "count": np.array([0.8, 0.6]),
        "by_hand": np.array([0.8, 0.6]),
        "trained": np.array([0.79, 0.6]),
        "shown_lowers": np.array([5.0, 6.0]),
    }
    bad = good | {
        "count": np.array([0.8, 0.61]),
        "by_hand": np.array([0.8, 0.5]),
        "trained": np.array([0.5, 0.5]),
        "shown_lowers": np.array([5.0, 0.1]),
    }
    for claim in labels_alone.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    config = labels_alone.Config(n_classes=(6, 8), n_test=500, batch=8, n_steps=3)
    one, two, other = (labels_alone.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["trained"], other["trained"])

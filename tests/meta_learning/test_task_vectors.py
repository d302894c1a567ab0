"""The exam, a short run, and claims that can fail."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.tasks import clock
from snippets.icl.training.clock_training import ClockTraining, Exam, best_without_examples, new_network
from snippets.meta_learning import task_vectors

SHORT = ClockTraining(n_steps=2, evaluate_every=1, n_test=48, n_each=12)


@pytest.fixture(scope="module")
def exam() -> Exam:
    return Exam(SHORT, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def measured() -> dict:
    return dict(task_vectors.run(SHORT, 5))


def test_the_exam_asks_what_it_says(exam):
    for asked in (exam.few_shot, exam.zero_shot, exam.shown, exam.dummy, exam.for_vectors):
        assert torch.equal(asked.answer, exam.maps[asked.task, asked.hour])
        assert torch.equal(asked.tokens[:, -2], asked.hour)
    hours = exam.few_shot.tokens[:, 0::3]
    assert (hours[:, :-1] != hours[:, -1:]).all()  # the query is not among the examples
    assert (exam.shown.tokens[:, 0:-2:3] == exam.shown.hour[:, None]).any(1).all()
    assert (exam.dummy.hour == 0).all() and (exam.dummy.tokens[:, 0:-2:3] != 0).all()
    assert (exam.other != exam.few_shot.task).all()


def test_shuffled_answers_are_the_same_answers(exam):
    asked = exam.shuffled
    hours, answers = asked.tokens[:, 0:-2:3], asked.tokens[:, 2::3]
    right = exam.maps[asked.task[:, None], hours]
    assert torch.equal(answers.sort(1).values, right.sort(1).values)
    assert (answers != right).float().mean() > 0.5


def test_the_best_guess_without_examples():
    maps = torch.tensor([[0, 1, 2], [0, 2, 1], [1, 1, 0]])
    assert best_without_examples(maps) == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)


def test_an_untrained_network_passes_no_claim_about_vectors(measured):
    by_id = {claim.id: claim for claim in task_vectors.CLAIMS}
    for name in ("few-shot", "added", "added-better", "mean-of-two", "decodable", "order"):
        assert not by_id[name].holds(by_id[name].value(measured)), name


def test_each_other_claim_can_fail(measured):
    bad = measured | {
        "zero_shot": np.array([0.5]), "added_mean": np.ones(4), "replaced": np.ones(4), "added_own": np.ones(4),
        "added_other": np.zeros(4), "added_random": np.ones(4), "sum_is_composed": 0.5,
        "of_heads": np.linspace(0.1, 1, 12),
        "without_effects_new": np.ones(5), "without_any_new": np.ones(5), "without_matches_new": np.full(5, 1.2),
        "decodable": np.ones((3, 4)), "few_shot": np.array([0.1, 0.9, 0.2]),
    }  # fmt: skip
    bad["decodable"][:, 2], bad["step"] = [0.1, 0.1, 0.7], np.array([0, 500, 1000])
    for claim in task_vectors.CLAIMS:
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats(measured):
    again = task_vectors.run(SHORT, 5)
    for name, value in measured.items():
        assert np.isfinite(value).all(), name
        np.testing.assert_array_equal(value, again[name])
    assert measured["effects"].shape == (3, 3, 4) and measured["added"].shape == (4,)


def test_an_empty_pool_is_refused():
    with pytest.raises(ValueError, match="pool of 0 tasks"):
        Exam(replace(SHORT, tasks=()), torch.Generator())


def test_the_network_has_room_for_the_examples():
    network = new_network(SHORT, torch.Generator())
    tokens = torch.zeros(1, 3 * SHORT.n + 2).long()
    assert network(tokens).logits.shape == (1, 3 * SHORT.n + 2, clock.N_TOKENS)
    with pytest.raises(ValueError, match="longer than"):
        network(torch.zeros(1, 3 * SHORT.n + 3).long())

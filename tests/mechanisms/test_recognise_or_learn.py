"""Recognise or learn: the exact predictors, the probes, claims, and a short run."""

import numpy as np
import pytest
import torch

from snippets.icl.tasks.symbols import Prompt, new_tasks
from snippets.mechanisms import recognise_or_learn as experiment
from snippets.mechanisms.recognise_or_learn import Config, World, after, learner, recogniser

SMALL = Config(
    n_tasks=3, n_items=6, n_labels=5, shots=(0, 2, 4), probe=3, n_queries=2, d_model=8, batch=4, n_steps=2, n_test=16
)


def made(**changes) -> World:
    config = Config(**{**vars(SMALL), **changes})
    return World(config, torch.Generator().manual_seed(3), torch.Generator().manual_seed(4))


def test_the_recogniser_counts_the_tasks_that_agree():
    tasks = torch.tensor([[0, 1, 2], [0, 2, 2], [1, 1, 0]])
    one_pair = Prompt(torch.tensor([[0]]), torch.tensor([[0]]), torch.tensor([[1, 2]]))
    votes = recogniser(tasks, one_pair, n_labels=3)[0]
    assert votes.tolist() == [[0, 0.5, 0.5], [0, 0, 1]]
    none = torch.zeros(1, 0, dtype=torch.long)
    all_three = recogniser(tasks, Prompt(none, none, torch.tensor([[0]])), 3)[0, 0]
    assert all_three.tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    nobody = recogniser(tasks, Prompt(torch.tensor([[0]]), torch.tensor([[2]]), torch.tensor([[1]])), 3)
    assert (nobody == 0).all()


def test_the_recogniser_is_right_as_often_as_derived():
    """Exercise 3: one pair, T = 4 tasks, L = 32 labels, another item."""
    g, right, n = torch.Generator().manual_seed(0), 0.0, 2000
    for _ in range(n):
        tasks = new_tasks(4, 2, 32, g)
        prompt = Prompt(torch.tensor([[0]]), tasks[:1, :1], torch.tensor([[1]]))
        votes = recogniser(tasks, prompt, 32)[0, 0]
        best = votes == votes.max()  # a tie is broken by chance
        right += float(best[tasks[0, 1]]) / float(best.sum()) / n
    none, one = (31 / 32) ** 3, 3 / 32 * (31 / 32) ** 2
    assert right == pytest.approx(none + one * (1 / 32 + 31 / 64) + (1 - none - one) * 0.4, abs=0.015)


def test_the_learner_by_hand():
    assert learner(np.array([0, 8, 16]), 16, 32).tolist() == pytest.approx([1 / 32, 0.5 + 0.5 / 32, 1])


def test_prompts_are_of_known_tasks_or_of_new_ones():
    world = made()
    known = {tuple(task) for task in world.tasks.tolist()}
    assert {tuple(task) for task in world.known(50).tolist()} == known
    assert not {tuple(task) for task in made(n_tasks=0).known(50).tolist()} <= known
    prompt, answer = world.any_item(world.known(7), 2)
    assert prompt.items.shape == (7, 2) and answer.shape == (7, 2)


@pytest.mark.parametrize("shown", [False, True])
def test_probes_show_the_query_or_hide_it(shown):
    world = made()
    prompt, _ = world.probe(world.new(20), shown)
    assert ((prompt.items == prompt.queries).any(1) == shown).all()


def test_a_lie_is_about_the_query_alone():
    world = made()
    prompt, answer = world.probe(world.known(20), shown=True)
    lie, says = world.lie(prompt, answer)
    changed = lie.labels != prompt.labels
    assert torch.equal(changed, prompt.items == prompt.queries)
    assert (says != answer).all() and torch.equal(lie.labels[changed], says[:, 0])


SHOTS = np.array([0, 1, 2, 4, 8, 12])
LINE = learner(SHOTS, 16, 32)
GOOD = {
    "t4": {
        "known_hidden": 1.0,
        "new_shown": 0.05,
        "lie_task": 0.97,
        "known": np.array([0.3, 0.8, 0.95, 1.0, 1.0, 1.0]),
        "shots": SHOTS,
    },
    "t16": {"known_hidden": 0.9, "new_shown": 0.25},
    "t64": {"new_shown": 0.98, "known_hidden": 0.06, "lie_prompt": 0.97},
    "new": {"new_shown": 1.0, "new": LINE, "shots": SHOTS},
}
BAD = {
    "t4": {**GOOD["t4"], "known_hidden": 0.5, "new_shown": 0.5, "lie_task": 0.5, "known": LINE},
    "t16": {"known_hidden": 0.3, "new_shown": 0.05},
    "t64": {"new_shown": 0.5, "known_hidden": 0.4, "lie_prompt": 0.5},
    "new": {"new_shown": 0.5, "new": np.full(6, 0.5), "shots": SHOTS},
}


def test_derived_numbers():
    assert after(GOOD["t4"], "known", 2) == 0.95
    assert experiment.from_the_line(GOOD["new"], experiment.PRESETS["laptop"]["new"]) == 0


def test_each_claim_can_fail_and_can_hold():
    for claim in experiment.CLAIMS:
        assert claim.holds(claim.value(GOOD)), claim.id
        assert not claim.holds(claim.value(BAD)), claim.id


@pytest.mark.parametrize("n_tasks", [0, 3])
def test_a_short_run_is_finite_and_repeats(n_tasks):
    config = Config(**{**vars(SMALL), "n_tasks": n_tasks})
    one, two = (experiment.run(config, 5) for _ in range(2))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["known"].shape == one["exact"].shape == (3,)

"""First passages: what counts as over, what never comes, and the power of a wait."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.training.first_passage import cell, exponent, first_passage, wait_of


def test_it_is_the_first_look_at_the_level_or_over():
    step, accuracy = np.array([0, 20, 40, 60]), np.array([0.1, 0.5, 0.2, 0.9])
    assert first_passage(step, accuracy) == 20
    assert first_passage(step, accuracy, 0.6) == 60
    assert first_passage(step, accuracy, 0.95) == math.inf


@given(st.floats(-3, 3), st.floats(0.01, 100), st.lists(st.integers(1, 500), min_size=2, max_size=6, unique=True))
def test_the_exponent_is_that_of_a_power(power, factor, sizes):
    n = np.array(sizes, float)
    assert exponent(n, factor * n**power) == pytest.approx(power, abs=1e-6)


def test_a_run_that_never_got_there_is_not_left_out():
    assert exponent(np.array([4, 8, 12]), np.array([500, math.inf, 900])) == math.inf


@pytest.mark.parametrize("sizes, waits", [([4], [500]), ([4, 8], [500])])
def test_a_slope_needs_two_points(sizes, waits):
    with pytest.raises(ValueError, match="give two or more, as many of both"):
        exponent(np.array(sizes), np.array(waits))


def test_a_cell_has_four_labels_for_each_pair_and_new_classes_alone():
    config = cell(6, 8, 100, 0.25, width=16, d_item=8)
    assert (config.task.n_pairs, config.task.n_labels, config.task.d_item, config.task.novel_share) == (6, 24, 8, 1)
    assert (config.batch, config.n_steps, config.learning_rate, config.width) == (8, 100, 0.25, 16)


@pytest.mark.parametrize(
    "given, said",
    [
        ({"n_pairs": 0}, "n_pairs = 0: a prompt shows 1 pair or more"),
        ({"batch": 0}, "batch = 0: a step needs 1 prompt or more"),
        ({"n_steps": 0}, "n_steps = 0"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0: give both above 0"),
        ({"width": 0}, "width = 0"),
        ({"d_item": -1}, "d_item = -1: give 1 or more of both"),
    ],
)
def test_what_is_no_cell_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        cell(**({"n_pairs": 4, "batch": 8, "n_steps": 10} | given))


def test_a_short_run_waits_for_good_and_repeats():
    config = replace(cell(2, 4, 40, width=8, d_item=4), n_test=16)
    one, two = wait_of(config, 1000), wait_of(config, 1000)
    assert one["wait"] == math.inf == one["prompts"] and list(one["step"]) == [0, 20, 40]
    np.testing.assert_array_equal(one["accuracy"], two["accuracy"])


def test_a_run_that_can_read_has_a_wait_and_prompts(monkeypatch):
    step = torch.arange(0, 12_001, 20, dtype=torch.float64)
    long = {"step": step, "accuracy": step / 12_000}
    monkeypatch.setattr("snippets.icl.training.first_passage.train_to_the_jump", lambda config, seed: long)
    found = wait_of(cell(4, 32, 100), 0)
    assert (found["wait"], found["prompts"]) == (6000, 32 * 6000)
    assert len(found["step"]) == len(found["accuracy"]) == 200 and found["step"][-1] == 12_000

"""Next token: differences, moments, intervals and claims' numbers by hand; a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.mechanisms import next_token, scaling
from snippets.mechanisms.next_token import blocks, differences, moments, outside, resampled


def test_blocks_average_a_stretch():
    found = blocks(torch.arange(64.0).view(2, 32))
    assert found.tolist() == [[7.5, 23.5], [39.5, 55.5]]


def test_differences_of_a_parabola():
    assert differences(np.array([0.0, 1.0, 4.0, 9.0])).tolist() == [0, 1, 4, 9, 1, 3, 5, 2, 2]


def test_moments_by_hand():
    curves = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 2.0], [4.0, 4.0]])
    mean, variance, skewness = moments(curves)
    assert mean.tolist() == [1, 2]
    assert variance.tolist() == pytest.approx([3, 1.5])
    assert skewness[0] == pytest.approx((3 * -1 + 27) / 4 / 3**1.5)


def test_intervals_hold_no_difference_and_find_one():
    draw = np.random.default_rng(0)
    given = draw.normal(size=(200, 7))
    same = resampled(given, draw.normal(size=(200, 7)), 300, draw)
    assert (same["low"] <= same["high"]).all()
    assert outside(same, slice(None)) <= 6  # of 32; 1.6 expected
    tilted = resampled(given, 0.3 * draw.normal(size=(200, 7)) + np.arange(7), 300, draw)
    assert outside(tilted, slice(7, 13)) == 6  # every first difference
    assert outside(tilted, slice(13, 18)) <= 2  # a straight line has no second ones
    assert outside(tilted, slice(18, 25)) == 7  # and less variance


def test_the_slices_name_what_they_say():
    n = next_token.N_BLOCKS
    change = np.concatenate([np.zeros(n), np.ones(2 * n - 3), np.zeros(n), 2 * np.ones(n)])
    assert change[next_token.SHAPES].tolist() == [1] * 11
    assert change[next_token.SKEWS].tolist() == [2] * 7


def test_share_of_the_gain():
    m = {"near": np.array([4.0, 3.5, 3.2, 3.1]), "far": np.array([3.3, 3.0])}
    assert next_token.already(m, 2) == pytest.approx(0.5)
    assert next_token.already(m, 4) == pytest.approx(0.9)


def test_a_short_run_is_complete():
    config = replace(
        next_token.PRESETS["laptop"]["novel"], d_model=8, n_heads=1, n_layers=1, n_steps=3, n_targets=64,
        n_watch=4, n_prompts=8, n_resamples=20,
    )  # fmt: skip
    m = next_token.run(config, 7)
    assert m["near"].shape == (16,) and m["far"].shape == (8,)
    assert m["given"].shape == m["own"].shape == (7,)
    assert all(np.isfinite(value).all() for value in m.values())
    assert m["score"] == pytest.approx(m["far"][-1] - m["near"][12], abs=1e-5)


def test_a_sweep_of_lines():
    sizes = {"d8": 1e4, "d16": 2e4, "d32": 6e4, "d64": 2e5, "d128": 5e5}
    m = {cell: {"n_parameters": n, "loss": 9 * n**-0.1, "score": -0.01 * n / 5e5} for cell, n in sizes.items()}
    assert scaling.exponent(m) == pytest.approx(0.1)
    assert scaling.curvature(m) == pytest.approx(0, abs=1e-9)
    assert scaling.least_drop(m) > 0
    m["d128"]["loss"] = m["d64"]["loss"] + 0.1
    assert scaling.least_drop(m) == pytest.approx(-0.1)
    assert scaling.curvature(m) < -0.01

"""Constructed layers against their flow: short runs, and claims that wrong layers fail."""

import numpy as np
import torch

from snippets.algorithms import euler
from snippets.algorithms.figures import euler as figures
from snippets.icl.tasks.linear_regression import draw_prompts

SMALL = euler.Config(d=2, n=4, n_prompts=6)


def test_runs_repeat_and_are_drawn():
    one, two, other = euler.run(SMALL, 0), euler.run(SMALL, 0), euler.run(SMALL, 1)
    np.testing.assert_array_equal(one["off"], two["off"])
    assert not np.array_equal(one["off"], other["off"])
    assert one["three_ways"] < 1e-9 and one["unlike_descent"] < 1e-10
    assert set(figures.draw([one, other])) == {"off"}


def test_more_layers_come_nearer_by_the_order_that_is_claimed():
    m = {"off": 3.0 / np.array(euler.LAYERS) ** 2}
    assert abs(euler.order(m) - 2) < 1e-9  # an order of 2 would fail the claim
    assert euler.at({"off": np.arange(11.0)}, 128) == 7


def test_the_answers_are_those_of_so_long_a_time_whatever_the_layers():
    prompts = draw_prompts(5, 8, 2, torch.Generator().manual_seed(0), dtype=torch.float64)
    end, correction, _ = euler.flowing(prompts, 1.0)
    off = euler.answers(prompts, 400, 1.0)[-1] - end
    torch.testing.assert_close(400 * off, correction, rtol=0.1, atol=0.02)

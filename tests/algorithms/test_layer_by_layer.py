"""Stacks taken apart: measures on built stacks whose answers are known, and short runs."""

import numpy as np
import pytest
import torch

from snippets.algorithms import layer_by_layer as lbl
from snippets.algorithms.figures import layer_by_layer as figures
from snippets.icl.networks.simple_transformer import one_step
from snippets.icl.tasks.linear_regression import draw_prompts

SMALL = lbl.Config(lam=(1.0, 0.5), n=6, n_layers=4, batch=8, n_steps=3, n_test=200, more_loops=9)


def built(*sizes: float, d: int = 3) -> list:
    layers = []
    for size in sizes:
        V, Q, K = one_step(torch.eye(d, dtype=torch.float64), size)
        layers.append((V, K.mT @ Q))
    return layers


@pytest.fixture
def test_prompts():
    return draw_prompts(2000, 30, 3, torch.Generator().manual_seed(0), dtype=torch.float64)


def test_steps_of_descent_agree_with_what_is_left(test_prompts):
    found = lbl.boosting(built(0.3, 0.3, 0.3), test_prompts)
    assert (found["agrees"] > 0.8).all() and (found["should"] > 1.5).all()
    too_long = lbl.boosting(built(2.5), test_prompts)
    assert too_long["should"][0] < 0.5
    against = lbl.boosting(built(-0.3), test_prompts)
    assert against["agrees"][0] < -0.8


def test_what_is_left_begins_at_all_of_it_and_falls(test_prompts):
    left = lbl.left_by(built(0.5, 0.5, 0.5), test_prompts)
    assert left[0] == pytest.approx(1) and (np.diff(left) < 0).all()


def test_a_walk_that_leaves_the_numbers_is_infinitely_wrong(test_prompts):
    layers = [(1e60 * V, W) for V, W in built(1.0, 1.0, 1.0, 1.0)]
    found = lbl.halved(layers, test_prompts)
    assert np.isinf(lbl.left_by(layers, test_prompts)[-1])
    assert np.isinf(found["fine_off"]).all() and np.isinf(found["fine_left"]).all()
    assert np.isinf(lbl.reordered(layers, test_prompts)["swapped"]).all()


def test_swaps_of_steps_change_nothing_at_the_end(test_prompts):
    layers = built(0.2, 0.5, 0.9, 0.3)
    found = lbl.reordered(layers, test_prompts)
    np.testing.assert_allclose(found["swapped"], lbl.left_by(layers, test_prompts)[-1])
    assert len(found["swapped"]) == 6 and len(found["repeated"]) == 4


def test_built_steps_come_to_their_flow_to_first_order(test_prompts):
    found = lbl.halved(built(0.2, 0.2), test_prompts)
    m = {f"looped_{key}": value for key, value in found.items()}
    assert 0.9 < lbl.fine_order(m, "looped") < 1.1
    assert lbl.finer(m, "looped", -1) == pytest.approx(found["fine_left"][-1] / found["fine_left"][0])


def test_the_wildest_prompts_are_left_out_by_their_inputs():
    g = torch.Generator().manual_seed(0)
    prompts = draw_prompts(400, 6, 2, g, dtype=torch.float64)
    kept, spectra = lbl.tame(prompts, torch.eye(2, dtype=torch.float64))
    assert len(kept.x) == len(spectra) == 396
    changed = type(prompts)(prompts.x, 100 * prompts.y, prompts.w)
    assert torch.equal(lbl.tame(changed, torch.eye(2, dtype=torch.float64))[0].x, kept.x)


def test_short_runs_repeat_and_are_drawn():
    one, two, other = lbl.run(SMALL, 0), lbl.run(SMALL, 0), lbl.run(SMALL, 1)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["looped_left"], other["looped_left"])
    assert one["unlooped_sum_off"] < 1e-10 and one["unlooped_order_off"] < 1e-10
    assert set(figures.draw([one, other])) == {"left", "halved", "order"}

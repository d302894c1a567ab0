"""Nine blocks: runs repeat, and each claim holds for a head by hand and fails for its opposite."""

import numpy as np
import pytest

from snippets.abrupt_learning import nine_blocks as chapter
from snippets.icl.training.to_the_jump import Training, new_classes

TINY = Training(new_classes(2, 4, 8), width=8, batch=4, n_test=16, n_steps=50, evaluate_every=25)


def test_a_run_repeats_and_its_shares_add_up_to_one():
    m, again, other = chapter.run(TINY, 1000), chapter.run(TINY, 1000), chapter.run(TINY, 1001)
    for name, values in m.items():
        assert not np.isnan(values).any(), name
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(m["layer_2"], other["layer_2"])
    for layer in ("layer_1", "layer_2"):
        assert m[layer].sum((1, 2)) == pytest.approx(1, abs=1e-4)


def test_with_all_blocks_the_network_is_as_right_as_ever():
    m = chapter.run(TINY, 1000)
    assert m["kept"][0] == pytest.approx(m["accuracy"][-1])


def test_every_claim_holds_for_the_head_by_hand_and_fails_otherwise():
    one, two = np.zeros((6, 2, 2)), np.zeros((6, 3, 3))
    one[:, 0, 0], two[:4, 0, 0], two[4:, 1, 2] = 1, 1, 1
    accuracy = np.array([0.05, 0.1, 0.1, 0.1, 0.9, 1.0])
    good = {"layer_1": one, "layer_2": two, "accuracy": accuracy, "kept": np.array([1, 1, 1, 1, 0.1, 0.1])}
    turned = two.transpose(0, 2, 1)[::-1]
    worse = {
        "layer-1": {"layer_1": 1 - one},
        "layer-2": {"layer_2": turned},
        "others": {"layer_2": turned},
        "one-in-each": {"kept": np.array([1, 1, 1, 0.5, 0.1, 0.1])},
        "without-first": {"kept": np.ones(6)},
        "without-second": {"kept": np.ones(6)},
        "before": {"layer_2": np.repeat(two[-1:], 6, 0)},
        "before-match": {"layer_2": np.repeat(two[-1:], 6, 0)},
    }
    assert set(worse) == {claim.id for claim in chapter.CLAIMS}
    for claim in chapter.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(good | worse[claim.id])), claim.id

"""Its measures on made-up curves with known answers, and a short run."""

import numpy as np
import pytest

from snippets.icl.networks.context_classifier import Shape
from snippets.icl.training.meta_training import Training
from snippets.meta_learning import general_purpose as gp

KS = np.array([1, 4, 8, 16, 256, np.inf])


def curve(start: float, end: float) -> np.ndarray:
    return np.array([start] + [end] * 7)


@pytest.fixture
def good() -> dict:
    """Memorises, recognises from 4 tasks on, learns from 16 on."""
    learned = [0.2, 0.2, 0.2, 0.6, 0.8, 0.8]
    return {
        "n_tasks": KS,
        "late": 4,
        "seen": np.stack([curve(0.95, 0.95), *(curve(0.3, 0.8) for _ in KS[1:])]),
        "unseen": np.stack([curve(0.2, end) for end in learned]),
        "elsewhere": np.stack([np.full(4, end) for end in learned]),
        "neighbour": curve(0, 0.81),
        "neighbour_elsewhere": np.full(4, 0.82),
        "chance": 0.2,
    }


@pytest.fixture
def bad(good) -> dict:
    flat = np.full((6, 8), 0.35)
    flat[2:, 4:] = 0.39
    return good | {
        "seen": flat + np.linspace(0, 0.1, 8),
        "unseen": flat,
        "elsewhere": np.full((6, 4), 0.3),
        "neighbour_elsewhere": np.full(4, 0.2),
    }


def test_derived_numbers(good, bad):
    assert gp.first(good, "seen", 1) == pytest.approx(0.95)
    assert gp.gain(good, "seen", 1) == pytest.approx(0)
    assert gp.gain(good, "seen", 8) == pytest.approx(0.5)
    assert gp.threshold(good) == 16 and gp.threshold(bad) == np.inf
    assert gp.behind_neighbour(good) == pytest.approx(0.01)
    assert gp.elsewhere(good, "iris") == pytest.approx(0.8)
    assert gp.threshold(good | {"chance": 0.35}) == 256


def test_each_claim_can_hold_and_can_fail(good, bad):
    for claim in gp.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_threshold_that_is_too_low_or_too_high_fails(good):
    claim = next(c for c in gp.CLAIMS if c.id == "threshold")
    assert not claim.holds(8) and not claim.holds(np.inf) and claim.holds(256)


SMALL = gp.Config(
    n_tasks=(1, 3, None),
    shape=Shape(d_model=8),
    training=Training(length=6, batch=4, n_steps=3, start_steps=1),
    n_test=8,
)


def test_a_short_run_is_finite_apart_from_the_endless_pool_and_repeats():
    one, two, other = (gp.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["n_tasks"].tolist() == [1, 3, np.inf]
    assert one["seen"].shape == one["unseen"].shape == (3, 6)
    assert one["elsewhere"].shape == (3, 4)
    assert one["chance_elsewhere"] == pytest.approx([1 / 5, 1 / 3, 1 / 2, 1 / 3])
    for name in one:
        assert not np.isnan(one[name]).any(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["unseen"], other["unseen"])


def test_more_labels_than_the_network_has_are_refused():
    with pytest.raises(ValueError, match="5 classes do not fit 4 labels"):
        gp.run(gp.Config(training=Training(n_labels=4)), 5)

"""Two starts at one decay: the head that is kept is the one that came, and each claim can fail."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import two_starts as chapter
from snippets.icl.training import held_back
from snippets.icl.training.to_the_jump import Training, new_classes

TINY = chapter.Config(
    Training(new_classes(2, 4, 8), width=8, batch=4, n_test=16),
    n_steps=20,
    n_more=20,
    look_every=10,
    has_it=0.0,  # whatever there is counts as a head
)


@pytest.fixture(scope="module")
def measured() -> dict:
    return dict(chapter.run(TINY, 1000))


def test_a_run_repeats_and_has_no_nan(measured):
    again, other = chapter.run(TINY, 1000), chapter.run(TINY, 1001)
    for name, values in measured.items():
        assert not np.isnan(values).any(), name
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(measured["fresh_attention"], other["fresh_attention"])


def test_the_second_half_starts_from_the_weights_that_had_the_head(measured):
    """All its copies begin alike, as the copy with the least decay was when it came."""
    begin = measured["head_attention"][0]
    assert np.ptp(begin) < 1e-6
    came = int(measured["came"]) // TINY.look_every
    assert begin[0] == pytest.approx(measured["fresh_attention"][came, 0], abs=1e-6)


def test_where_no_head_came_the_second_half_is_the_start_and_claims_do_not_apply():
    m = chapter.run(replace(TINY, has_it=1.0), 1000)
    assert m["came"] == np.inf and not chapter.came(m)
    assert (m["head_attention"] == m["fresh_attention"][0]).all()


def test_each_copy_has_weights_of_its_own():
    weights = held_back.repeated({"w": torch.ones(2)}, 3)
    assert weights["w"].shape == (3, 2) and weights["w"].requires_grad


def test_every_claim_holds_for_two_states_and_fails_for_one():
    head = np.tile([0.9, 0.8, 0.75, 0.7, 0.6, 0.11], (6, 1))
    fresh = np.tile([0.9, 0.25, 0.22, 0.15, 0.111, 0.111], (6, 1))
    good = {"came": 900.0, "head_attention": head, "fresh_attention": fresh, "head_accuracy": np.full((6, 6), 0.97)}
    fading = np.tile(np.linspace(0.9, 0.1, 6), (6, 1))
    worse = {
        "came": {"came": np.inf},
        "keeps": {"head_attention": fresh},
        "right": {"head_accuracy": np.full((6, 6), 0.25)},
        "stays": {"fresh_attention": head},
        "leap": {"head_attention": fading},
        "dead": {"fresh_attention": head},
    }
    assert set(worse) == {claim.id for claim in chapter.CLAIMS}
    for claim in chapter.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(good | worse[claim.id])), claim.id

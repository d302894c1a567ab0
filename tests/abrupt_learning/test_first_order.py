"""The loop of the three numbers: what is measured repeats, and each claim can fail."""

import numpy as np
import pytest

from snippets.abrupt_learning import first_order as chapter

SMALL = chapter.Config(n_starts=8, n_decays=31)


@pytest.fixture(scope="module")
def measured() -> dict:
    return dict(chapter.run(SMALL, 1000))


def test_a_run_repeats_and_has_no_nan(measured):
    again, other = chapter.run(SMALL, 1000), chapter.run(SMALL, 1001)
    for name, values in measured.items():
        assert not np.isnan(values).any(), name
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(measured["rests"], other["rests"])


def test_every_claim_can_fail(measured):
    flat = np.full_like(measured["up"], 0.06)
    same = {"up": measured["down"]}
    ends = measured["ends"]
    worse = {
        "loop": same,
        "leap": {"down": np.linspace(0.9, 0.06, len(flat))},
        "two-rests": {"rests": np.array([0.06, 0.3, 0.8])},
        "on-the-folds": same,
        "two-pairs": {"ends": np.ones_like(ends)},
        "one-pair": {"one_pair": 0.1},
        "wider": {"ends": np.ones_like(ends)},
        "no-slope": {"ends": ends * 1.01},
        "closed-form": {"ends": ends * 1.1},
        "sharpens": {"width": measured["wait"] / 10},
        "at-eight": {"width": measured["wait"] / 10},
        "longer": {"wait": measured["n_pairs"].astype(float)},
    }
    assert set(worse) == {claim.id for claim in chapter.CLAIMS}
    for claim in chapter.CLAIMS:
        if claim.id != "on-the-folds":  # within a step of the sweep, which is coarser here
            assert claim.holds(claim.value(measured)), claim.id
        assert not claim.holds(claim.value(measured | worse[claim.id])), claim.id


def test_the_loss_falls_from_a_quarter_to_three_quarters_in_time():
    wait, width = chapter.fall(4, 16, np.full(3, 0.01))
    later, same = chapter.fall(4, 16, np.full(3, 0.001))
    assert 0 < width < wait < later
    assert same == pytest.approx(width, rel=0.05)

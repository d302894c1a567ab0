"""The map: a small run, the exact part, claims that can fail."""

import numpy as np
import pytest
import torch

from snippets.icl.tasks.graph_walk import ring
from snippets.icl.theory.neighbour_mixing import mixing, plane
from snippets.meta_learning import map_in_context

SMALL = map_in_context.Config(n_draws=3, n_known=20, lengths=(4, 8, 16), dimensions=(4, 32))


def test_a_small_run_is_finite_and_repeats():
    one, two, other = (map_in_context.run(SMALL, seed) for seed in (3, 3, 4))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["likeness"], other["likeness"])
    assert one["likeness"].shape == (2, 3) and one["planes"].shape == (3, 16, 2)


@pytest.mark.parametrize("side", [3, 4, 5])
def test_the_closed_forms_hold_on_other_boards(side):
    found = map_in_context.exact(side)
    assert found["circle_error"] < 1e-12 and found["colours_error"] < 1e-12
    assert found["outside_plane"] < 0.03 and found["best"] < found["drawn"] < 1


def test_on_a_ring_of_15_forgetful_words_two_apart_lie_side_by_side():
    """Exercise 4: the circle stays, its order does not."""
    points = plane(mixing(ring(15) / 2, keeps=False))
    torch.testing.assert_close(points.norm(dim=1), points.norm(dim=1)[:1].expand(15))
    away = (points - points[0]).norm(dim=1)
    assert set(away.argsort()[1:3].tolist()) == {2, 13}


def test_a_word_is_known_when_it_stood_there_before():
    path = torch.tensor([[0, 1, 0, 2], [0, 1, 2, 3]])
    assert [map_in_context.share_known(path, n) for n in (1, 2, 3)] == [0, 0.5, 0]


def test_each_claim_can_fail():
    lengths = map_in_context.Config().lengths
    nothing = np.full((5, len(lengths)), 0.7)
    bad = {
        "lengths": np.array(lengths), "likeness": nothing, "known": np.zeros(8), "outside_plane": 0.5,
        "circle_error": 1.0, "colours_error": 1.0,
        **{name: np.full(5, 0.7) for name in ("before", "elsewhere", "shuffled", "forgetful")},
    }  # fmt: skip
    for claim in map_in_context.CLAIMS:
        if claim.id != "map" and claim.id != "solved-before-map":
            assert not claim.holds(claim.value(bad)), claim.id

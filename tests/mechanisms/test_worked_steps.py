"""Worked steps: the measures on networks whose answers are known, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.networks.masked_transformer import MaskedTransformer
from snippets.icl.tasks.treasure_hunt import NOTHING, WRITTEN, Hunts, draw, prompts
from snippets.mechanisms import worked_steps

TASK = Hunts(24, 12, 3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Follower(MaskedTransformer):
    """Names what the note at the last place says: right in steps, and wrong at once."""

    def __init__(self):
        super().__init__(55, 25, 4, 1, 1, generator())

    def forward(self, tokens, may_read):
        x = tokens
        place, points_to = x[..., :24], x[..., 24:49]
        here = place[:, -1:]  # (batch, 1, place)
        note = here @ place[:, : TASK.n_notes].mT @ points_to[:, : TASK.n_notes]
        return note.expand(-1, x.shape[1], -1)


@pytest.mark.parametrize("hops", [1, 4, 8])
def test_a_network_that_follows_notes_is_right_in_steps(hops):
    drawn = draw(TASK, 20, hops, generator())
    assert worked_steps.share_right(Follower(), TASK, drawn, "steps") == 1
    assert worked_steps.share_right(Follower(), TASK, drawn, "at once") == (1 if hops == 1 else 0)
    found, words = worked_steps.written(Follower(), TASK, worked_steps.unwritten(TASK, drawn), hops + 1)
    assert torch.equal(found, drawn.path[:, -1]) and (words == hops + 1).all()
    found, _ = worked_steps.written(Follower(), TASK, worked_steps.unwritten(TASK, drawn), hops)
    assert (found == NOTHING).all(), "it did not get so far"


def test_a_follower_is_misled():
    drawn = draw(TASK, 20, 4, generator())
    assert worked_steps.misled(Follower(), TASK, drawn) == (1, 0)


def test_padding_asks_for_nothing():
    several = [prompts(TASK, draw(TASK, 2, hops, generator()), "steps") for hops in (1, 4)]
    p = worked_steps.padded(several)
    assert p.place.shape == (4, 17) and (p.wanted[:2, 14:] == NOTHING).all() and (p.kind[:2, 14:] == WRITTEN).all()
    assert torch.equal(p.wanted[2:], several[1].wanted)


def test_padding_changes_no_loss():
    network = MaskedTransformer(55, 25, 16, 2, 2, generator(1))
    short = prompts(TASK, draw(TASK, 3, 1, generator()), "steps")
    long = worked_steps.padded([short, prompts(TASK, draw(TASK, 3, 4, generator()), "steps")])
    half = replace(long, **{n: getattr(long, n)[:3] for n in ("place", "points_to", "kind", "wanted")})
    one, other = (worked_steps.loss_of(network, TASK, p) for p in (short, half))
    torch.testing.assert_close(one, other)


def test_each_claim_can_hold_and_can_fail():
    x = np.array((1, 2, 3, 4, 5, 6, 8))
    more = np.array((1, 2, 4, 8, 12, 16, 20))

    def cell(value: float) -> dict:
        flat = np.full(7, value)
        return {"hops": x, "right": flat, "more_hops": more, "right_more": flat, "misled": value, "unmoved": 1 - value}

    good = {"steps": cell(1.0), "dots": cell(0.33), "at-once": cell(0.33)}
    bad = {"steps": cell(0.4), "dots": cell(0.9), "at-once": cell(0.9)}
    for claim in worked_steps.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


@pytest.mark.parametrize("mode", ["at once", "dots", "steps"])
def test_a_short_run_is_finite_and_repeats(mode):
    config = worked_steps.Config(mode, n_steps=2, n_test=4, batch=8, test_hops=(1, 3), more_hops=(2,))
    one, two, other = (worked_steps.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert other["n_parameters"] == one["n_parameters"]


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="d_model"):
        worked_steps.run(worked_steps.Config("steps", n_heads=3), 0)

"""The wind tunnel: bits of answers that are known, and a short run of each reader."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.algorithms import wind_tunnel as wt
from snippets.icl.tasks.bijections import Codes, draw

CELLS = wt.PRESETS["laptop"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Oracle(torch.nn.Module):
    """Reads the pairs out of the tokens and answers by the posterior, mixed with an even guess."""

    def __init__(self, even: float = 0.0) -> None:
        super().__init__()
        self.even = even

    def forward(self, tokens):
        shown, x = tokens[..., 6:12], tokens[..., 12:].argmax(2)
        y = torch.cat([shown[:, 1:].argmax(2), torch.zeros_like(x[:, :1])], 1)  # the last is never shown
        p = Codes(x, y, 6).posterior()
        known = Codes(x, y, 6).asked_before()[:, -1]
        same = (x[:, :-1] == x[:, -1:]).double().argmax(1)
        p[known, -1] = torch.nn.functional.one_hot(y[known, same[known]], 6).double()
        return ((1 - self.even) * p + self.even / 6 + 1e-12).log()


@pytest.mark.parametrize("again", [True, False])
def test_the_oracle_is_no_bits_away(again):
    codes = draw(50, 6, 6, generator(), again)
    assert wt.bits(Oracle(), codes).abs().max() < 1e-9
    assert wt.bits(Oracle(0.5), codes)[:, 1:].mean() > 0.1
    assert wt.spread(Oracle(), codes, 4, generator()) < 1e-9


def test_an_even_answer_is_as_far_as_the_posterior_is_sure():
    codes = draw(200, 6, 6, generator())
    exact = codes.posterior()
    entropy = -torch.xlogy(exact, exact).sum(2) / np.log(2)
    torch.testing.assert_close(wt.bits(Oracle(1.0), codes), np.log2(6) - entropy, atol=1e-6, rtol=0)


def test_the_spread_sees_an_answer_that_goes_by_order():
    class Last(torch.nn.Module):
        def forward(self, tokens):
            return 4.0 * tokens[..., 6:12]  # names the digit it saw last

    assert wt.spread(Last(), draw(100, 6, 6, generator()), 8, generator()) > 0.3


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_short_run_is_finite_and_repeats(cell):
    config = replace(CELLS[cell], n_steps=4, evaluate_every=2, n_test=20, batch=4)
    one, two = (wt.run(config, 5) for _ in range(2))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])


def made_up() -> dict:
    near = {"bits": 0.01, "known": 0.001, "new": 0.02, "order": 0.002}
    return {
        "transformer": near,
        "lstm": {"bits": 0.1, "known": 0.1, "new": 0.1, "order": 0.1},
        "mlp": {"bits": 0.3, "known": 0.5, "new": 0.05, "order": 0.3},
        "transformer-once": near,
        "mlp-once": near,
    }


def test_each_claim_can_hold_and_can_fail():
    good = made_up()
    bad = {
        **{cell: {"bits": 0.2, "known": 0.04, "new": 0.3, "order": 0.1} for cell in good},
        "transformer-once": {"bits": 0.01},
    }
    for claim in wt.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id

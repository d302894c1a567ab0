"""The prior-fitted network: its measures on laws whose answer is known, and a short run."""

import numpy as np
import pytest
import torch

from snippets.algorithms import prior_fitted as pf
from snippets.icl.networks.masked_transformer import MaskedTransformer

CONFIG = pf.Config(n_steps=4, evaluate_every=2, n_test=20, batch=4, sizes=(0, 1, 10, 40))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(loud: float = 1.0) -> MaskedTransformer:
    made = MaskedTransformer(2 * CONFIG.n_waves + 4, 2, 16, 1, 2, generator())
    made.W_out.data.mul_(loud)
    return made.requires_grad_(False)


def test_the_distance_is_what_the_loss_has_too_much():
    mean, sd = torch.tensor([0.3, -1.0]).double(), torch.tensor([0.5, 1.2]).double()
    by_mean, by_sd = torch.tensor([0.0, 0.5]).double(), torch.tensor([0.7, 0.9]).double()
    y = mean + sd * torch.randn(400_000, 2, generator=generator()).double()
    too_much = (pf.surprise(by_mean, by_sd, y) - pf.surprise(mean, sd, y)).mean(0)
    torch.testing.assert_close(pf.distance(mean, sd, by_mean, by_sd), too_much, atol=0.01, rtol=0)
    assert not pf.distance(mean, sd, mean, sd).any()


def test_queries_do_not_see_each_other_and_order_does_not_matter():
    p, loud = pf.draw(CONFIG, 4, 5, generator()), network(5.0)
    mean, sd = pf.predict(loud, CONFIG, p.x, p.y, p.query)
    one, _ = pf.predict(loud, CONFIG, p.x, p.y, p.query[:, 3:4])
    turned, _ = pf.predict(loud, CONFIG, p.x.flip(1), p.y.flip(1), p.query)
    torch.testing.assert_close(mean[:, 3:4], one, atol=1e-5, rtol=0)
    torch.testing.assert_close(mean, turned, atol=1e-5, rtol=0)
    other, _ = pf.predict(loud, CONFIG, p.x, p.y + 1, p.query)
    assert (mean - other).abs().max() > 0.01 and (sd > 0).all()


def test_the_posterior_is_coherent_and_a_neighbour_is_not():
    """Exercise 3: the nearest point's y, with a fixed width."""
    p = pf.draw(CONFIG, 200, 2, generator())

    def nearest(x, y, query):
        at = (x[:, None] - query[..., None]).abs().argmin(2)
        return y.gather(1, at), torch.ones_like(query)

    exact = pf.chain(lambda x, y, q: pf.exact(CONFIG, pf.Prompts(x, y, q, q)), p)
    assert exact.abs().max() < 1e-6
    assert pf.chain(nearest, p).abs().mean() > 0.05
    prior = pf.chain(lambda x, y, q: (torch.zeros_like(q), torch.ones_like(q)), p)
    assert prior.abs().max() < 1e-6, "ignoring the prompt passes"


def test_no_points_and_shapes_that_do_not_fit():
    p = pf.draw(CONFIG, 4, 0, generator())
    mean, sd = pf.exact(CONFIG, p)
    assert not mean.any() and torch.allclose(sd, torch.tensor(1.04).double().sqrt())
    assert pf.predict(network(), CONFIG, p.x, p.y, p.query)[0].shape == (4, CONFIG.n_queries)
    with pytest.raises(ValueError, match="give a y for each x"):
        pf.predict(network(), CONFIG, torch.zeros(4, 3), torch.zeros(4, 2), p.query)


def made_up() -> dict:
    return {
        "points": np.array([0, 1, 10, 40]),
        "distance": np.array([0.001, 0.01, 0.04, 0.06]),
        "loss": np.array([1.44, 1.15, 0.23, 0.0]),
        "exact_loss": np.array([1.44, 1.14, 0.19, 0.0]),
        "below_network": pf.LEVELS + 0.002,
        "moved_by_order": 1e-6,
        "incoherent": 0.15,
        "incoherent_exact": 1e-8,
    }


def test_each_claim_can_hold_and_can_fail():
    good = made_up()
    bad = good | {
        "distance": np.array([0.3, 0.3, 0.3, 0.3]),
        "loss": np.array([1.44, 1.4, 1.0, 1.0]),
        "below_network": np.clip(1.2 * pf.LEVELS - 0.1, 0.05, 0.95),
        "moved_by_order": 0.01,
        "incoherent": 0.001,
        "incoherent_exact": 0.01,
    }
    for claim in pf.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (pf.run(CONFIG, seed) for seed in (5, 5, 6))
    assert one["picture"].shape == one["picture_exact"].shape == (3, 2, 81)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["distance"], other["distance"])
    np.testing.assert_allclose(one["below_posterior"], pf.LEVELS, atol=0.06)

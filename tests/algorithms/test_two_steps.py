"""Two layers: built GD++ is read back, rates are fitted, short runs."""

import numpy as np
import pytest
import torch

from snippets.algorithms import two_steps
from snippets.algorithms.figures import two_steps as figures
from snippets.icl.networks.folded import fold, layer
from snippets.icl.tasks.linear_regression import draw_prompts

SMALL = two_steps.Config(d=3, n=4, n_runs=2, batch=8, n_steps=4, evaluate_every=2, n_curve=5, n_fit=50, n_test=20)


def built(eta: float, gamma: float, beta: float = 1.0, d: int = 3) -> two_steps.Looped:
    """The looped network that is GD++, with its weights scaled by beta."""
    network = two_steps.Looped(1, 2, d, torch.Generator().manual_seed(0), 0.02)
    x_part = torch.diag(torch.tensor([1.0] * d + [0.0]))
    with torch.no_grad():
        network.W_K.copy_(torch.eye(d + 1))
        network.W_Q.copy_(beta * x_part)
        network.W_V.copy_(-gamma / beta * x_part)
        network.W_V[0, d, d] = -eta / beta
    return network


def test_the_looped_network_can_be_gd_plus_plus():
    prompts = draw_prompts(20, 6, 3, torch.Generator().manual_seed(0), width=1.0)
    expected = two_steps.algorithm(prompts, torch.tensor([[3.0, 0.7]] * 2))
    for beta in (1.0, 4.0):
        torch.testing.assert_close(built(3.0, 0.7, beta)(fold(prompts.tokens()))[0], expected)


def test_rates_are_read_back_whatever_the_scale():
    for beta in (1.0, 4.0):
        network = built(3.0, 0.7, beta)
        eta, gamma, off = two_steps.read_rates(network.W_V[0].detach(), (network.W_K.mT @ network.W_Q)[0].detach())
        assert (eta, gamma, off) == pytest.approx((3.0, 0.7, 0.0), abs=1e-6)
    V = network.W_V[0].detach().clone()
    V[0, 1] = 1.0
    assert two_steps.read_rates(V, (network.W_K.mT @ network.W_Q)[0].detach())[2] > 0.3


def test_fitted_rates_are_no_worse_than_others():
    prompts = draw_prompts(2000, 10, 5, torch.Generator().manual_seed(0), width=1.0)
    losses = {}
    for bend in (False, True):
        for shared in (False, True):
            rates = two_steps.fit_rates(prompts, 2, bend=bend, shared=shared)
            assert rates.shape == (2, 2)
            losses[bend, shared] = two_steps.loss_of(two_steps.algorithm(prompts, rates), prompts.answer).item()
            if shared:
                assert torch.equal(rates[0], rates[1])
            if not bend:
                assert (rates[:, 1] == 0).all()
            for factor in (0.95, 1.05):
                near = two_steps.loss_of(two_steps.algorithm(prompts, factor * rates), prompts.answer).item()
                assert near > losses[bend, shared]
    # Equal steps are a saddle of free ones: a fit that starts equal would stay there.
    assert losses[False, False] < 0.97 * losses[False, True]
    assert losses[True, True] < losses[False, True] and losses[True, False] <= losses[True, True] + 1e-6


def test_three_loops_are_three_layers_that_form_every_matrix():
    network = two_steps.Looped(2, 3, 3, torch.Generator().manual_seed(0), 0.4).double()
    prompts = fold(draw_prompts(6, 5, 3, torch.Generator().manual_seed(1), dtype=torch.float64).tokens())
    predicted = network(prompts)
    for _ in range(3):
        prompts = layer(prompts, network.W_V, network.W_K.mT @ network.W_Q)
    torch.testing.assert_close(predicted, prompts.prediction)


def test_no_network_is_named():
    with pytest.raises(ValueError, match="there must be at least 1"):
        two_steps.Looped(1, 0, 3, torch.Generator(), 0.02)


def test_each_claim_can_fail_and_can_hold():
    good = {
        "end_loss": np.array([0.112] * 6 + [0.33] * 2),
        "typical_loss": 0.112,
        "loss_descent": 0.14,
        "loss_bent": 0.11,
        "off": 0.04,
        "gamma": 1.6,
        "fitted_gamma": 1.77,
        "eta": 12.3,
        "fitted_eta": 13.5,
    }
    bad = good | {"typical_loss": 0.135, "end_loss": np.full(8, 0.33), "off": 0.5, "gamma": 0.1, "eta": 5.0}
    for claim in two_steps.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (two_steps.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4] and one["loss"].shape == (3, 2)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])
    assert set(figures.draw([one, other])) == {"loss"}

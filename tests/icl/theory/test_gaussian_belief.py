"""One example at a time is all at once: the running belief, checked against other ways to compute it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory import gaussian_belief as gb
from snippets.icl.theory import oracles


def examples(seed: int, n: int, d: int, batch: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return (torch.randn(batch, n, *more, generator=g, dtype=torch.float64) for more in ((d,), ()))


def after(x: torch.Tensor, y: torch.Tensor, strength: float) -> gb.Belief:
    belief = gb.prior(len(x), x.shape[2], strength)
    for k in range(x.shape[1]):
        belief = gb.update(belief, x[:, k], y[:, k])
    return belief


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99), st.integers(1, 12), st.integers(1, 6), st.floats(0.05, 20))
def test_it_is_ridge_with_its_covariance(seed, n, d, strength):
    x, y = examples(seed, n, d)
    belief = after(x, y, strength)
    torch.testing.assert_close(belief.mean, oracles.ridge(x, y, strength), atol=1e-9, rtol=0)
    inverse = torch.linalg.inv(x.mT @ x + strength * torch.eye(d, dtype=torch.float64))
    torch.testing.assert_close(belief.S, inverse, atol=1e-9, rtol=0)


def test_the_worked_example():
    x, y = torch.tensor([[[2.0], [1.0]]]).double(), torch.tensor([[3.0, 1.0]]).double()
    one = after(x[:, :1], y[:, :1], 1.0)
    assert one.mean.item() == pytest.approx(1.2) and one.S.item() == pytest.approx(0.2)
    assert after(x, y, 1.0).mean.item() == pytest.approx(7 / 6)
    assert after(x.flip(1), y.flip(1), 1.0).mean.item() == pytest.approx(7 / 6)  # exercise 1
    first = after(x[:, 1:], y[:, 1:], 1.0)
    assert first.mean.item() == pytest.approx(0.5) and first.S.item() == pytest.approx(0.5)


def test_without_examples_it_is_the_prior():
    belief = gb.prior(2, 3, 0.5)
    assert not belief.mean.any() and torch.equal(0.5 * belief.S[0], torch.eye(3).double())


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.floats(0.1, 5))
def test_the_chain_of_predictions_is_the_evidence(seed, strength):
    x, y = examples(seed, 5, 3)
    belief, told = gb.prior(3, 3, strength), torch.zeros(3).double()
    for k in range(5):
        told = told + gb.log_density(belief, x[:, k], y[:, k], strength)
        belief = gb.update(belief, x[:, k], y[:, k])
    torch.testing.assert_close(told, gb.log_evidence(x, y, strength), atol=1e-9, rtol=0)


def test_the_density_is_a_density():
    """Its integral over y is 1: with the doubt about w left out it would not fit the evidence, but still be one; so
    its width is checked as well."""
    y = torch.linspace(-30, 30, 6001).double()
    belief, x = gb.prior(len(y), 1, 0.25), torch.full((len(y), 1), 2.0).double()
    density = gb.log_density(belief, x, y, 0.25).exp()
    assert torch.trapezoid(density, y).item() == pytest.approx(1)
    assert torch.trapezoid(density * y**2, y).item() == pytest.approx(4 + 0.25)
    assert math.isclose(density.max().item(), (2 * math.pi * 4.25) ** -0.5)


@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_no_noise_has_a_limit_elsewhere(strength):
    with pytest.raises(ValueError, match="least squares"):
        gb.prior(1, 2, strength)


def test_what_does_not_fit_is_named():
    belief = gb.prior(2, 3, 1.0)
    with pytest.raises(ValueError, match="d and the number of prompts must agree"):
        gb.update(belief, torch.zeros(2, 4).double(), torch.zeros(2).double())
    with pytest.raises(Exception, match=r"give a y for each x|batch"):
        gb.update(belief, torch.zeros(2, 3).double(), torch.zeros(3).double())

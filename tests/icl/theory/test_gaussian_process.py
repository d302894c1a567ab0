"""What points say of a function: exact posteriors by another way, limits, and what is no covariance."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory import gaussian_process as gp


def points(seed: int, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.rand(n, generator=g).double(), torch.randn(n, generator=g).double()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.integers(1, 8), st.floats(0.05, 1), st.floats(0.1, 1))
def test_it_conditions_the_joint_law(seed, n, length, noise):
    """The precision of the joint law of y and one more y holds mean and variance of the latter."""
    x, y = points(seed, n)
    query = torch.tensor([0.37]).double()
    both = torch.cat([x, query])
    joint = gp.rbf(both, both, length) + noise**2 * torch.eye(n + 1).double()
    precision = torch.linalg.inv(joint)
    band = gp.posterior(x, y, query, length, noise)
    assert band.variance.item() + noise**2 == pytest.approx(1 / precision[-1, -1].item(), abs=1e-5)
    expected = -(precision[-1, :-1] @ y / precision[-1, -1]).item()
    assert band.mean.item() == pytest.approx(expected, abs=1e-5)


def test_no_points_leave_the_prior():
    empty, query = torch.zeros(2, 0), torch.rand(2, 5)
    band = gp.posterior(empty, empty, query, 0.2, 0.1)
    assert not band.mean.any() and (band.variance == 1).all()
    low, high = band.interval(0.0)
    torch.testing.assert_close(high, torch.full((2, 5), 1.959964)) and torch.equal(low, -high)


def test_without_noise_it_passes_through_the_points():
    x, y = torch.tensor([0.1, 0.5, 0.9]).double(), torch.tensor([1.0, -1.0, 0.3]).double()
    band = gp.posterior(x, y, x, 0.2, 0.0)
    torch.testing.assert_close(band.mean, y, atol=1e-5, rtol=0)
    assert band.variance.max() < 1e-6


def test_far_away_it_knows_nothing():
    band = gp.posterior(torch.zeros(1), torch.tensor([2.0]), torch.tensor([9.0]), 0.2, 0.1)
    assert band.mean.abs() < 1e-6 and band.variance == 1


def test_draws_have_the_kernel_as_covariance():
    x = torch.tensor([0.1, 0.3, 0.8]).expand(40_000, 3)
    f = gp.draw(x, 0.3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(f.T.cov(), gp.rbf(x[0], x[0], 0.3), atol=0.03, rtol=0)


def test_an_indefinite_kernel_is_named():
    with pytest.raises(ValueError, match="no covariance: its least eigenvalue is -1"):
        gp.factorise(torch.tensor([[1.0, 2.0], [2.0, 1.0]]).double())


@pytest.mark.parametrize("length", [0.0, -0.1, float("nan")])
def test_a_length_that_is_none(length):
    with pytest.raises(ValueError, match="not positive"):
        gp.rbf(torch.zeros(2), torch.zeros(2), length)


def test_points_that_do_not_fit():
    with pytest.raises(Exception, match=r"give a y for each x|batch"):
        gp.posterior(torch.zeros(3), torch.zeros(2), torch.zeros(1), 0.2, 0.1)
    with pytest.raises(ValueError, match="negative"):
        gp.posterior(torch.zeros(2), torch.zeros(2), torch.zeros(1), 0.2, -0.1)

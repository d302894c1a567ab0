"""Gradient flow on one prompt three ways, its Euler steps, and the distance between them to first order."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from snippets.icl.theory import flows


def prompt(seed: int, d: int = 3, n: int = 5):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g, dtype=torch.float64)
    return flows.of_examples(x, torch.randn(n, generator=g, dtype=torch.float64))


@settings(max_examples=20)
@given(some.integers(0, 999), some.integers(1, 4), some.integers(1, 6), some.floats(0.1, 5.0))
def test_three_ways_are_one(seed, d, n, time):
    C, b = prompt(seed, d, n)  # with n < d some eigenvalues are 0
    end = flows.flow(C, b, time)
    torch.testing.assert_close(flows.flow_by_exponential(C, b, time), end, rtol=0, atol=1e-10)
    torch.testing.assert_close(flows.flow_by_steps(C, b, time), end, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_euler_comes_to_the_flow_as_predicted(seed):
    C, b = prompt(seed)
    for n_layers in (500, 1000):
        off = n_layers * (flows.euler(C, b, 3.0, n_layers)[-1] - flows.flow(C, b, 3.0))
        torch.testing.assert_close(off, flows.first_order(C, b, 3.0), rtol=0.05, atol=0.02)


def test_the_numbers_of_the_page():
    C, b = torch.ones(1, 1, dtype=torch.float64), torch.tensor([6.0], dtype=torch.float64)
    left = [6 - flows.euler(C, b, 2.0, n)[-1].item() for n in (4, 8, 16)]
    assert left == pytest.approx([0.375, 0.60, 0.71], abs=0.005)
    assert 6 - flows.flow(C, b, 2.0).item() == pytest.approx(0.81, abs=0.005)


def test_the_flow_ends_at_least_squares():
    C, b = prompt(1)
    torch.testing.assert_close(flows.flow(C, b, 1e5), torch.linalg.solve(C, b))


def test_a_walk_that_diverges_is_said_and_not_taken():
    C, b = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    assert flows.longest_step(C) == pytest.approx(2)
    with pytest.raises(ValueError, match=r"a step of 2\.5 diverges: take more than 2 layers"):
        flows.euler(C, b, 5.0, 2)
    assert flows.euler(C, b, 5.0, 3).isfinite().all()


def test_bad_input():
    C, b = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="0 layers"):
        flows.euler(C, b, 1.0, 0)
    with pytest.raises(ValueError, match="a covariance has none below 0"):
        flows.flow(torch.diag(torch.tensor([1.0, -0.5], dtype=torch.float64)), b, 1.0)
    with pytest.raises(ValueError, match="give one d"):
        flows.flow(torch.eye(3, dtype=torch.float64), b, 1.0)
    with pytest.raises(ValueError, match="n = 0 examples"):
        flows.of_examples(torch.zeros(0, 2), torch.zeros(0))

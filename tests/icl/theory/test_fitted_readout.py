"""A fitted readout finds what is linear, and nothing in what is not there."""

import pytest
import torch

from snippets.icl.theory.fitted_readout import read_off


def test_what_is_linear_is_read_off_exactly():
    g = torch.Generator().manual_seed(0)
    fit, test, w = (torch.randn(*size, generator=g, dtype=torch.float64) for size in ((200, 5), (50, 5), (5,)))
    found = read_off(fit, fit @ w + 2, test)
    torch.testing.assert_close(found, test @ w + 2, rtol=1e-5, atol=1e-5)


def test_a_product_of_two_inputs_is_not():
    g = torch.Generator().manual_seed(0)
    fit, test = (torch.randn(2000, 2, generator=g, dtype=torch.float64) for _ in range(2))
    off = read_off(fit, fit.prod(1), test) - test.prod(1)
    assert 0.8 < off.square().mean() / test.prod(1).square().mean() < 1.2


def test_too_few_prompts():
    with pytest.raises(ValueError, match="6 rows for 6 weights: fit on more prompts"):
        read_off(torch.ones(6, 5), torch.ones(6), torch.ones(2, 5))

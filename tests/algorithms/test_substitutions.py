"""The part's first experiment: what it compares, and that each of its claims can fail and can hold."""

import numpy as np
import pytest
import torch

from snippets.algorithms import substitutions
from snippets.icl.tasks.linear_regression import draw_prompts

ROWS = ("descent", "preconditioned", "plus_plus", "kernel", "smoother")
SMALL = substitutions.Config(n_prompts=20, depths=(1, 2, 4), n_spectra=50, n_repeats=30)


def test_a_short_run_is_exact_and_repeats():
    one, two, other = (substitutions.run(SMALL, seed) for seed in (5, 5, 6))
    for name in ROWS:
        assert one[name] < 1e-10
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss_plain"], other["loss_plain"])


def test_a_wrong_construction_is_found(monkeypatch):
    """With the sign of the step changed every comparison must notice."""
    right = substitutions.one_step

    def wrong(A, step=1.0, gamma=0.0):
        V, Q, K = right(A, step, gamma)
        return -V, Q, K

    monkeypatch.setattr(substitutions, "one_step", wrong)
    measured = substitutions.run(SMALL, 5)
    for name in ROWS:
        assert measured[name] > 0.01, name


def test_the_smoother_by_a_loop():
    prompts = draw_prompts(2, 4, 3, torch.Generator().manual_seed(0), dtype=torch.float64)
    x, y, query = prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]
    for ours, xs, ys, q in zip(substitutions.smoother(x, y, query), x, y, query, strict=True):
        weights = [float(torch.exp(a @ q)) for a in xs]
        expected = sum(w * float(b) for w, b in zip(weights, ys, strict=True)) / sum(weights)
        assert ours.item() == pytest.approx(expected)


def test_monomials_have_the_exponential_kernel():
    x = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    phi = substitutions.monomials(x, 40)
    assert phi.shape == (3, 4, 41 * 42 // 2)
    torch.testing.assert_close(phi @ phi.mT, (x @ x.mT / 2).exp(), rtol=1e-12, atol=0)


def test_four_points_show_that_relu_of_products_is_no_kernel():
    """The page's example: a function of squared length -2, so no space of functions has this kernel."""
    x = torch.tensor([[1.0, 0], [1, 1], [0, 1], [-1, 1]], dtype=torch.float64)
    gram = (x @ x.mT).relu()
    expected = torch.tensor([[1.0, 1, 0, 0], [1, 2, 1, 0], [0, 1, 1, 1], [0, 0, 1, 2]], dtype=torch.float64)
    torch.testing.assert_close(gram, expected, rtol=0, atol=0)
    c = torch.tensor([2.0, -2, 2, -1], dtype=torch.float64)
    assert c @ gram @ c == -2 and torch.linalg.eigvalsh(gram)[0] < -0.1


def test_repeated_layers_leave_the_residuals_of_descent():
    config = substitutions.Config(n_repeats=3, n_prompts=5, repeated_rate=0.2)
    prompts = draw_prompts(5, config.n, config.d, torch.Generator().manual_seed(0), dtype=torch.float64)
    x, y = prompts.x[:, :-1], prompts.y[:, :-1]
    gram = (x @ x.mT).relu() / config.n
    left = y
    for _ in range(3):
        left = left - 0.2 * (gram @ left[..., None])[..., 0]
    share = (left.square().mean(-1) / y.square().mean(-1)).median()
    assert substitutions.repeated(prompts, config, "relu")[3] == pytest.approx(share.item())


def test_each_claim_can_fail_and_can_hold():
    layers = {"n_layers": np.array([1, 2, 4])}
    good = (
        dict.fromkeys(ROWS, 1e-15)
        | layers
        | {
            "relu_least_eigenvalue": -1.0,
            "repeated_relu": np.array([1, 0.1, 50]),
            "repeated_exp": np.array([1, 0.1, 0.05]),
            "loss_plain": np.array([4, 3, 1.0]),
            "loss_free": np.array([4, 2, 0.3]),
            "loss_bent": np.array([4, 1, 0.01]),
        }
    )
    bad = (
        dict.fromkeys(ROWS, 1e-7)
        | layers
        | {
            "relu_least_eigenvalue": 1e-9,
            "repeated_relu": np.array([1, 0.1, 0.1]),
            "repeated_exp": np.array([1, 0.1, 0.11]),
            "loss_plain": np.array([4, 3, 1.0]),
            "loss_free": np.array([4, 2, 0.9]),
            "loss_bent": np.array([4, 1, 0.8]),
        }
    )
    for claim in substitutions.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id

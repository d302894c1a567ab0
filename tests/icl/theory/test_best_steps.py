"""The best steps, against autograd, SciPy, sampling and what is known of Wishart matrices."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from snippets.icl.tasks.linear_regression import draw_prompts, random_rotation, root
from snippets.icl.theory import best_steps

LAM = torch.tensor([1, 1, 0.25, 0.0625, 1], dtype=torch.float64)
EYE = torch.eye(5, dtype=torch.float64)


def covariance(seed: int, lam: torch.Tensor = LAM) -> torch.Tensor:
    U = random_rotation(len(lam), torch.Generator().manual_seed(seed), torch.float64)
    return U @ lam.diag() @ U.mT


def gradient(A: torch.Tensor, S: torch.Tensor, T: torch.Tensor, n: int) -> torch.Tensor:
    A = A.clone().requires_grad_()
    best_steps.population_loss(A, S, T, n).backward()
    return A.grad


def test_the_known_numbers():
    S = covariance(0)
    A = best_steps.best_preconditioner(S, EYE, 20)
    eta = best_steps.best_scalar(S, EYE, 20)
    losses = [best_steps.population_loss(M, S, EYE, 20) for M in (A, eta * EYE, S.inverse(), 0 * EYE)]
    assert [round(loss.item(), 4) for loss in losses] == [0.6818, 0.7536, 0.9937, 3.3125]
    expected = 1 / (21 / 20 * LAM + LAM.sum() / 20)
    np.testing.assert_allclose(torch.linalg.eigvalsh(A), expected.sort().values)


def test_the_white_case_is_a_multiple_of_the_inverse():
    S = covariance(1)
    A = best_steps.best_preconditioner(S, S.inverse(), 20)
    np.testing.assert_allclose(A, 20 / 26 * S.inverse(), rtol=1e-9, atol=1e-12)
    assert best_steps.population_loss(A, S, S.inverse(), 20).item() == pytest.approx(5 * 6 / 26)


@given(
    lam=st.lists(st.floats(0.05, 4), min_size=1, max_size=5),
    tau=st.floats(0.05, 4),
    n=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_the_gradient_vanishes_for_any_covariances(lam, tau, n, seed):
    S = covariance(seed, torch.tensor(lam, dtype=torch.float64))
    T = tau * covariance(seed + 1, torch.tensor(lam[::-1], dtype=torch.float64))
    A = best_steps.best_preconditioner(S, T, n)
    assert gradient(A, S, T, n).abs().max() < 1e-10 * (1 + A.abs().max())
    least = best_steps.population_loss(A, S, T, n)
    changed = A + 0.1 * torch.randn(A.shape, generator=torch.Generator().manual_seed(seed), dtype=A.dtype)
    assert best_steps.population_loss(changed, S, T, n) > least


def test_the_loss_curves_upward_in_every_direction():
    S = covariance(2)
    T = covariance(3)
    H = torch.autograd.functional.hessian(lambda A: best_steps.population_loss(A, S, T, 20), EYE).reshape(25, 25)
    G = best_steps.mean_CTC(S, T, 20)
    least = 2 * torch.linalg.eigvalsh(S)[0] * torch.linalg.eigvalsh(G)[0]
    np.testing.assert_allclose(torch.linalg.eigvalsh(H)[0], least)
    assert least > 0


def test_the_best_scalar_is_best():
    S, T = covariance(4), covariance(5)
    found = minimize(lambda eta: best_steps.population_loss(eta[0] * EYE, S, T, 7).item(), [0.1], tol=1e-12)
    assert best_steps.best_scalar(S, T, 7).item() == pytest.approx(found.x[0], abs=1e-5)


def test_loss_and_mean_agree_with_samples():
    S, T = covariance(6), covariance(7)
    A = best_steps.best_preconditioner(S, T, 8) + 0.1 * EYE
    A[0, 1] += 0.3  # not symmetric
    generator = torch.Generator().manual_seed(0)
    prompts = draw_prompts(100_000, 8, 5, generator, x_root=root(S), w_root=root(T), dtype=torch.float64)
    x = prompts.x[:, :-1]
    C = x.mT @ x / 8
    off = prompts.x[:, -1] - (prompts.x[:, -1:] @ A @ C)[:, 0]
    losses = (off * prompts.w).sum(-1) ** 2
    error = (losses.std() / len(losses) ** 0.5).item()
    assert abs(losses.mean().item() - best_steps.population_loss(A, S, T, 8).item()) < 5 * error
    CTC = C @ T @ C
    errors = CTC.std(0) / len(CTC) ** 0.5
    assert ((CTC.mean(0) - best_steps.mean_CTC(S, T, 8)).abs() < 5 * errors).all()


@pytest.mark.parametrize(
    ("S", "T", "n", "says"),
    [
        (EYE, EYE, 0, "n = 0 examples"),
        (torch.ones(2, 3).double(), EYE, 5, "square"),
        (torch.diag(torch.tensor([1.0, -1.0]).double()), EYE[:2, :2], 5, "negative eigenvalue"),
        (EYE, -EYE, 5, "negative eigenvalue"),
        (EYE, EYE[:3, :3], 5, "same d"),
        (torch.ones(2, 2).double(), EYE[:2, :2], 5, "no inverse"),
        (EYE + torch.ones(5, 5).triu(1), EYE, 5, "symmetric"),
    ],
)
def test_bad_input_is_named(S, T, n, says):
    with pytest.raises(ValueError, match=says):
        best_steps.best_preconditioner(S, T, n)


def test_a_step_of_another_size_is_named():
    with pytest.raises(ValueError, match="one size"):
        best_steps.population_loss(EYE[:3, :3], EYE, EYE, 5)


# several steps


def test_moments_in_one_dimension_are_those_of_chi_square():
    # C = chi^2_n / n, and E (chi^2_n)^k = n (n + 2) ... (n + 2k - 2)
    n = 7
    expected = [np.prod([(n + 2 * j) / n for j in range(k)]) for k in range(6)]
    np.testing.assert_allclose(best_steps.trace_moments(n, 1, 5), expected)


def test_moments_agree_with_samples():
    x = torch.randn(200_000, 6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    lam = torch.linalg.eigvalsh(x.mT @ x / 6)
    for k, exact in enumerate(best_steps.trace_moments(6, 3, 4)):
        traces = (lam**k).sum(-1)
        assert abs(traces.mean().item() - exact) <= 5 * traces.std().item() / len(traces) ** 0.5


def test_one_step_is_the_closed_form():
    sizes, loss = best_steps.best_step_sizes(20, 5, 1)
    assert sizes.tolist() == pytest.approx([20 / 26])
    assert loss == pytest.approx(30 / 26)


@pytest.mark.parametrize(("n", "d", "n_steps"), [(20, 5, 3), (4, 3, 2), (10, 10, 3)])
def test_step_sizes_are_the_best_that_a_search_finds(n, d, n_steps):
    sizes, loss = best_steps.best_step_sizes(n, d, n_steps)
    m = best_steps.trace_moments(n, d, 2 * n_steps)

    def loss_of(sizes: np.ndarray) -> float:
        p = np.array([1.0])
        for a in sizes:
            p = np.convolve(p, [1, -a])  # coefficients of 1, mu, mu^2 ...
        return float(np.convolve(p, p) @ m)

    assert loss_of(sizes) == pytest.approx(loss)
    found = minimize(loss_of, sizes * np.linspace(0.7, 1.2, n_steps), method="Nelder-Mead", options={"xatol": 1e-9})
    assert found.fun == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(np.sort(found.x), sizes, rtol=1e-3)


def test_more_steps_leave_less():
    losses = [best_steps.best_step_sizes(20, 5, n_steps)[1] for n_steps in range(1, 6)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("call", [lambda: best_steps.trace_moments(0, 3, 2), lambda: best_steps.trace_moments(3, 0, 2)])
def test_moments_of_nothing_are_named(call):
    with pytest.raises(ValueError, match="at least 1"):
        call()


def test_no_steps_are_named():
    with pytest.raises(ValueError, match="at least 1"):
        best_steps.best_step_sizes(20, 5, 0)


# the chapter's exercises


def test_exercise_1_all_directions_alike():
    A = best_steps.best_preconditioner(EYE, EYE, 20)
    np.testing.assert_allclose(A, 20 / 26 * EYE)
    assert best_steps.population_loss(A, EYE, EYE, 20).item() == pytest.approx(5 * 6 / 26)


def test_exercise_3_a_direction_that_the_loss_hardly_sees():
    S = torch.diag(LAM)
    A = best_steps.best_preconditioner(S, EYE, 20)
    without = A.clone()
    without[3, 3] = 0
    least, rest = (best_steps.population_loss(M, S, EYE, 20).item() for M in (A, without))
    assert rest - least == pytest.approx(0.0169, abs=1e-4) and rest / least == pytest.approx(1.025, abs=1e-3)


def test_exercises_2_and_5_noise_and_other_inputs():
    """The formulas of the answers, against the gradient of a loss on prompts."""
    generator, n, kappa, sigma = torch.Generator().manual_seed(3), 20, 1.8, 0.7
    lam = torch.tensor([1.0, 0.25], dtype=torch.float64)
    x = (torch.rand(60_000, n, 2, generator=generator, dtype=torch.float64) - 0.5) * (12 * lam).sqrt()
    w = torch.randn(60_000, 2, generator=generator, dtype=torch.float64)
    y = (x @ w[..., None])[..., 0] + sigma * torch.randn(60_000, n, generator=generator, dtype=torch.float64)
    read = (y[..., None] * x).mean(1)
    best = (w * read).mean(0) / read.square().mean(0)  # the best a_i, one by one
    expected = 1 / ((n - 2 + kappa) / n * lam + (lam.sum() + sigma**2) / n)
    torch.testing.assert_close(best, expected, rtol=0.03, atol=0)

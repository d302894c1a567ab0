"""The best single step: its measures and its claims. Nothing is trained for more than a few steps."""

import dataclasses

import numpy as np
import pytest
import torch

from snippets.algorithms import preconditioner
from snippets.icl.networks.folded import OneLayer, fold
from snippets.icl.networks.simple_transformer import one_step
from snippets.icl.tasks import shaped_prompts
from snippets.icl.theory import best_steps, oracles, step_checks

CONFIG = preconditioner.Config(n_steps=4, evaluate_every=2, batch=20, n_test=50, n_monte_carlo=1000)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def worlds() -> dict[str, shaped_prompts.World]:
    return shaped_prompts.make_worlds(CONFIG.lam, CONFIG.n, generator())


def random_layer(d: int = 5, seed: int = 3) -> OneLayer:
    return OneLayer(1, d, generator(seed), std=0.5).double().requires_grad_(False)


def in_double(prompts):
    return type(prompts)(prompts.x.double(), prompts.y.double(), prompts.w.double())


def test_worlds_have_the_covariances_that_they_name(worlds):
    theorem, white = worlds["theorem"], worlds["white"]
    eye = torch.eye(5, dtype=torch.float64)
    np.testing.assert_allclose(theorem.U @ theorem.U.mT, eye, atol=1e-12)
    np.testing.assert_allclose(torch.linalg.eigvalsh(theorem.Sigma), sorted(CONFIG.lam))
    np.testing.assert_allclose(white.Sigma @ white.T, eye, atol=1e-12)
    np.testing.assert_allclose(theorem.T, eye)
    prompts = white.prompts(50_000, generator())
    np.testing.assert_allclose(prompts.x[:, 0].T.cov(), white.Sigma, atol=0.03)
    np.testing.assert_allclose(prompts.w.T.cov() / 16, white.T / 16, atol=0.03)


def test_a_layer_is_its_step_and_an_even_part(worlds):
    """Without the even part the prediction of any layer is x' A C w."""
    prompts = in_double(worlds["theorem"].prompts(30, generator()))
    turned = type(prompts)(prompts.x, -prompts.y, -prompts.w)
    network = random_layer()
    as_is, after = (network(fold(p.tokens()))[0] for p in (prompts, turned))
    average = oracles.averaging(prompts.x[:, :-1], prompts.y[:, :-1])
    step = (prompts.x[:, -1] @ preconditioner.steps_of(network)[0] * average).sum(-1)
    np.testing.assert_allclose((as_is - after) / 2, step, atol=1e-10)
    even = (as_is + after) / 2
    assert preconditioner.even_part(network, prompts).item() == pytest.approx(even.square().mean())
    assert even.abs().max() > 0.01, "a random layer has one"


def test_the_construction_has_its_step_and_no_even_part(worlds):
    A = best_steps.best_preconditioner(worlds["theorem"].Sigma, worlds["theorem"].T, 20)
    network = random_layer()
    W_V, W_Q, W_K = one_step(A)
    network.w_V[0, 0] = 7 * W_V[-1]  # another scale, the same step
    network.W_Q[0, 0], network.W_K[0, 0] = W_Q / 7, W_K
    np.testing.assert_allclose(preconditioner.steps_of(network)[0], A, atol=1e-12)
    prompts = in_double(worlds["theorem"].prompts(30, generator()))
    assert preconditioner.even_part(network, prompts).item() < 1e-20
    loss, off, _ = preconditioner.measure(network, worlds["theorem"], prompts)[:, 0]
    assert loss == pytest.approx(0.68176, abs=1e-5) and off < 1e-6


def test_the_error_is_that_of_the_worst_direction():
    """A step that is short in one direction and wrong by half there, which no large entry shows."""
    best = torch.diag(torch.tensor([4.0, 0.5], dtype=torch.float64))
    A = best.clone()
    A[1, 1] = 0.75
    turn = shaped_prompts.random_rotation(2, generator(), torch.float64)
    found = preconditioner.relative_error((turn @ A @ turn.mT)[None], turn @ best @ turn.mT)
    assert found.item() == pytest.approx(0.5)


def test_the_gradient_sees_a_wrong_step(worlds):
    world = worlds["theorem"]
    A = best_steps.best_preconditioner(world.Sigma, world.T, world.n)
    assert step_checks.gradient_at(A, world).abs().max() < 1e-12
    A[0, 1] += 0.1  # off the diagonal
    assert step_checks.gradient_at(A, world).abs().max() > 1e-3


def test_monte_carlo_sees_a_wrong_step(worlds):
    world = worlds["theorem"]
    A = best_steps.best_preconditioner(world.Sigma, world.T, world.n)
    right = step_checks.monte_carlo(A, world, 40_000, 0.2, generator())
    exact = best_steps.population_loss(A, world.Sigma, world.T, world.n).item()
    assert abs(right["loss"] - exact) < 5 * right["error"]
    assert right["least_rise"] > 0
    # the rise along u_i u_j' / sqrt(lam_i lam_j) is nudge^2 G_jj / lam_j, least where lam is least
    least = 0.2**2 * (21 / 20 * 0.0625 + 3.3125 / 20)
    assert right["least_rise"] == pytest.approx(least, rel=0.3)
    wrong = step_checks.monte_carlo(0.7 * A, world, 40_000, 0.2, generator())
    assert wrong["least_rise"] < 0


def test_standard_error():
    values = torch.tensor([1.0, 3.0, 1.0, 3.0])
    assert step_checks.standard_error(values).item() == pytest.approx(values.std().item() / 2)


def test_losses_by_number_of_examples(worlds):
    by_n = preconditioner.by_size(worlds["theorem"], CONFIG)
    at = by_n["size"].tolist().index(20)
    assert [round(by_n[k][at], 4) for k in ("best", "scalar", "inverse")] == [0.6818, 0.7536, 0.9937]
    assert (by_n["best"] <= by_n["scalar"] + 1e-12).all() and (by_n["best"] <= by_n["inverse"] + 1e-12).all()


def made_up() -> dict:
    """A run of two starts on which every claim holds."""
    m: dict = {}
    for world, least in (("theorem", 0.68), ("white", 1.15)):
        m |= {
            f"{world}_gradient": 1e-16,
            f"{world}_best_loss": least,
            f"{world}_scalar_loss": 1.11 * least,
            f"{world}_sampled_loss": least + 0.01,
            f"{world}_sampled_error": 0.005,
            f"{world}_sampled_least_rise_in_errors": 9.0,
            f"{world}_losses": least * np.array([[5.0, 1.04, 1.002], [5.0, 1.1, 1.005]]),
            f"{world}_off": np.array([[1.0, 0.6, 0.02], [1.0, 0.5, 0.03]]),
            f"{world}_even": least * np.array([[0.1, 0.1, 0.0001], [0.1, 0.1, 0.001]]),
            f"{world}_v_y": np.array([-0.3, 1.2]),
        }
    return m


def test_derived_numbers():
    m = made_up()
    assert preconditioner.steps_off(m, "theorem") == pytest.approx(3)
    assert preconditioner.above_least(m) == pytest.approx(0.005)
    assert preconditioner.even_share(m) == pytest.approx(0.001 / 1.005)
    assert preconditioner.sampled_off(m) == pytest.approx(2)
    assert preconditioner.scale_ratio(m) == pytest.approx(4)
    assert preconditioner.off_when_loss_is_near(m) == pytest.approx(60)
    m["theorem_losses"] = 2 * m["theorem_losses"]
    assert not preconditioner.near(m).any()


def test_each_claim_can_hold_and_can_fail():
    good, bad = made_up(), made_up()
    for world in preconditioner.WORLDS:
        bad |= {
            f"{world}_gradient": 1e-6,
            f"{world}_sampled_error": 0.001,
            f"{world}_sampled_least_rise_in_errors": -3.0,
            f"{world}_losses": good[f"{world}_best_loss"] * np.array([[5.0, 1.04, 1.2], [5.0, 1.1, 1.2]]),
            f"{world}_off": np.full((2, 3), 0.2),
            f"{world}_even": 0.2 * good[f"{world}_losses"],
            f"{world}_v_y": np.array([-0.5, 0.4]),
        }
    for claim in preconditioner.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (preconditioner.run(CONFIG, seed) for seed in (5, 5, 6))
    assert one["theorem_losses"].shape == (3, 3) and one["white_losses"].shape == (1, 3)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["theorem_losses"], other["theorem_losses"])


def test_an_indefinite_covariance_is_named():
    config = dataclasses.replace(CONFIG, lam=(1.0, -1.0))
    with pytest.raises(ValueError, match="negative eigenvalue"):
        preconditioner.run(config, 0)

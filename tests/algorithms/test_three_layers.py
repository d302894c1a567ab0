"""Three layers: recursion, distances, bounds and claims. Nothing is trained for more than a few steps."""

import dataclasses

import numpy as np
import pytest
import torch

from snippets.algorithms import three_layers
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import best_steps, oracles

CONFIG = three_layers.Config(n_steps=4, evaluate_every=2, batch=20, n_test=200, n_curvature=100)
EYE = torch.eye(5, dtype=torch.float64)


def prompts(batch: int = 50, n: int = 20, seed: int = 0):
    return draw_prompts(batch, n, 5, torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_recursion_is_preconditioned_descent():
    drawn = prompts()
    A = 0.3 * torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    path = oracles.descend(drawn.x[:, :-1], drawn.y[:, :-1], list(A))
    left = three_layers.left_of_w(A, drawn.w, three_layers.curvature(drawn))
    np.testing.assert_allclose(left, drawn.w - path[-1], atol=1e-12)
    off = ((path[-1] - drawn.w) * drawn.x[:, -1]).sum(-1)
    assert three_layers.loss_on(A, drawn).item() == pytest.approx(off.square().mean().item())


def test_dist():
    M = torch.stack([3 * EYE, torch.diag(torch.tensor([1, 1, 4, 16, 1.0]).double()), EYE.roll(1, 0)])
    found = three_layers.dist(M)
    expected = (((M[1].diagonal() - 4.6) ** 2).sum() / (M[1] ** 2).sum()).sqrt()
    np.testing.assert_allclose(found, [0, expected, 1], atol=1e-12)
    steps = torch.linspace(-10, 10, 2001, dtype=torch.float64)[:, None, None]
    scan = (M[1] - steps * EYE).norm(dim=(1, 2)).min() / M[1].norm()
    assert found[1].item() == pytest.approx(scan.item(), rel=1e-6)  # no multiple is nearer


def test_rates():
    assert [three_layers.rate(s, CONFIG) for s in (0, 2, 3)] == pytest.approx([0.03, 0.03, 0.015])
    halving = dataclasses.replace(CONFIG, halve_every=10)
    assert [three_layers.rate(s, halving) for s in (9, 10, 20)] == pytest.approx([0.03, 0.015, 0.0075])


@pytest.mark.parametrize("each", [False, True])
def test_clipping(each):
    A = torch.zeros(2, 3, 3, requires_grad=True)
    gradient = torch.stack([torch.full((3, 3), 2.0), torch.full((3, 3), 0.1)])  # lengths 6 and 0.3
    A.grad = gradient.clone()
    three_layers.clip(A, dataclasses.replace(CONFIG, clip=0.6, clip_each=each))
    norms = A.grad.norm(dim=(1, 2))
    if each:
        np.testing.assert_allclose(norms, [0.6, 0.3], rtol=1e-5)
    else:
        assert norms.norm().item() == pytest.approx(0.6)
        np.testing.assert_allclose(norms[0] / norms[1], 20, rtol=1e-5)


def test_no_plain_steps_go_below_the_bound():
    drawn = prompts(4000)
    bound = three_layers.plain_bound(drawn, 2)
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        etas = 1.5 * torch.rand(2, generator=generator, dtype=torch.float64)
        assert three_layers.loss_on(etas[:, None, None] * EYE, drawn).item() >= bound
    sizes, _ = best_steps.best_step_sizes(20, 5, 2)  # on white prompts these are nearly best
    at_best = three_layers.loss_on(torch.from_numpy(sizes)[:, None, None] * EYE, drawn).item()
    assert bound <= at_best < 1.02 * bound


def test_the_hessian_against_differences():
    config = dataclasses.replace(CONFIG, lam=(1.0, 1.0), n_curvature=200, n=5)
    sizes = torch.tensor([0.5, 1.0], dtype=torch.float64)
    H = three_layers.hessian_at(sizes, config, torch.Generator().manual_seed(0))
    drawn = draw_prompts(200, 5, 2, torch.Generator().manual_seed(0), dtype=torch.float64)
    C = three_layers.curvature(drawn)
    at = (sizes[:, None, None] * EYE[:2, :2]).flatten()
    move = torch.randn(8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def loss(t: float) -> float:
        left = three_layers.left_of_w((at + t * move).view(2, 2, 2), drawn.w, C)
        return left.square().sum(-1).mean().item()

    second = (loss(1e-3) - 2 * loss(0.0) + loss(-1e-3)) / 1e-6
    assert (move @ H @ move).item() == pytest.approx(second, rel=1e-3)


def made_up() -> dict:
    return {
        "dist_white": np.full((2, 3), 0.03),
        "dist_plain": np.full((2, 3), 0.78),
        "inverse_dist": 0.784,
        "final_loss": 0.134,
        "family_loss": 0.133,
        "best_sizes": np.array([0.42, 0.69, 1.71]),
        "size": np.array([[0.0, 0.0, 0.0], [0.68, 0.42, 1.70]]),
        "least_curvature": 0.045,
        "plain_loss": 1.1,
    }


def test_derived_numbers():
    m = made_up()
    assert three_layers.sizes_off(m) == pytest.approx(0.01 / 0.69)
    assert three_layers.above_family(m) == pytest.approx(1 / 133)
    assert three_layers.last_to_others(m) == pytest.approx(1.7 / 0.68)


def test_each_claim_can_hold_and_can_fail():
    good = made_up()
    bad = good | {
        "dist_white": np.full((2, 3), 0.5),
        "dist_plain": np.full((2, 3), 0.2),
        "final_loss": 0.8,
        "size": np.array([[0.0, 0.0, 0.0], [1.7, 0.9, 0.4]]),
        "least_curvature": -0.2,
    }
    for claim in three_layers.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (three_layers.run(CONFIG, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4] and one["dist_white"].shape == (3, 3)
    assert one["unlike_network"] < 1e-10
    assert one["least_squares_loss"] < 1e-10
    assert one["best_size_3"] == pytest.approx(1.714, abs=1e-3)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])


def test_the_paper_preset_takes_steps():
    config = dataclasses.replace(
        three_layers.PRESETS["paper"], n_steps=2, evaluate_every=1, batch=100, n_test=100, n_curvature=50
    )
    assert np.isfinite(three_layers.run(config, 5)["loss"]).all()


def test_a_singular_covariance_is_named():
    config = dataclasses.replace(CONFIG, lam=(1.0, 0.0))
    with pytest.raises(ValueError, match="no inverse"):
        three_layers.run(config, 0)


def test_exercise_4_one_step_of_each_size():
    """d (1 - 2a + a^2 (n + d + 1) / n) on white inputs, against prompts."""
    drawn = prompts(20_000)
    for a, expected in ((0.422, 1.94), (0.689, 1.20), (1.714, 6.96)):
        assert 5 * (1 - 2 * a + a**2 * 26 / 20) == pytest.approx(expected, abs=0.02)
        assert three_layers.loss_on(a * EYE[None], drawn).item() == pytest.approx(expected, rel=0.07)

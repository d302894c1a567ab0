"""Built layers with a kernel: a small run, and each exact claim fails for wrong numbers."""

import numpy as np
import pytest
import torch

from snippets.algorithms import kernel_steps as ks
from snippets.algorithms.figures import kernel_steps as figures
from snippets.icl.tasks.function_prompts import draw_functions
from snippets.icl.theory import function_steps, kernels

SMALL = ks.Config(n_prompts=12, n_features=4000, n_angles=2000)


def test_a_small_run_repeats_and_is_drawn():
    one, two, other = ks.run(SMALL, 0), ks.run(SMALL, 0), ks.run(SMALL, 1)
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name])
        assert np.isfinite(value).all(), name
    assert one["exp_far"][0] != other["exp_far"][0]
    assert set(figures.draw([one, other])) == {"far"}
    for claim in ks.CLAIMS:
        if claim.exact and claim.id != "integral":
            assert claim.holds(claim.value(one)), claim.id


def test_the_integral_and_the_features_are_the_kernels_and_would_not_fit_another():
    theta = torch.tensor([0.3, 1.2, 2.5]).double()
    formula = (theta.sin() + (np.pi - theta) * theta.cos()) / np.pi
    torch.testing.assert_close(ks.by_integral(theta, 4000), formula, atol=1e-7, rtol=0)
    found, error = ks.by_features(theta, 50_000, torch.Generator().manual_seed(0))
    assert ((found - formula) / error).abs().max() < 4.5
    relu = theta.cos().relu()
    assert ((found - relu) / error).abs().max() > 20


def test_a_step_that_forgets_r_is_seen(monkeypatch):
    right = ks.built_off("exp", SMALL, torch.Generator().manual_seed(0))
    assert right["steps_off"] < 1e-10
    real = ks.construction
    monkeypatch.setattr(ks, "construction", lambda h, sizes, d: real(h, [1.0] * len(sizes), d))
    assert ks.built_off("exp", SMALL, torch.Generator().manual_seed(0))["steps_off"] > 1e-3


def test_derived_numbers():
    names = list(kernels.KERNELS)
    m = {f"{name}_far": np.linspace(1, 0.1, 10) for name in names} | {f"{n}_steps_off": 0.0 for n in names}
    m["exp_steps_off"] = 2.0
    assert ks.worst(m, "steps_off") == 2 and ks.rises(m) < 0
    assert ks.far_after(m, "arccos", 1000) == pytest.approx(0.1)
    m["rbf_far"] = np.array([1, 2.0])
    assert ks.rises(m) == 1


X, Y = torch.tensor([[0.0], [1.0], [2.0]]).double(), torch.tensor([[1.0, 2.0]]).double()


def bumps(width: float = 1.0) -> torch.Tensor:
    return (-((X - X.T) ** 2) / 2 / width**2).exp()[None]


def test_the_worked_example_and_exercise_1():
    path = function_steps.descend(bumps(), Y, [1.0, 1.0])[:, 0]
    np.testing.assert_allclose(path[1], [1.11, 1.30, 0.67], atol=0.005)
    np.testing.assert_allclose(path[2, 2], 0.88, atol=0.005)
    assert kernels.bayes(bumps(), Y)[0].item() == pytest.approx(1.29, abs=0.005)
    assert function_steps.descend(bumps(2), Y, [1.0])[1, 0, 2].item() == pytest.approx(1.19, abs=0.005)
    assert kernels.bayes(bumps(2), Y)[0].item() == pytest.approx(2.36, abs=0.005)


def test_exercise_2_steps_that_are_too_long():
    mu = torch.linalg.eigvalsh(bumps()[0, :2, :2] / 2)
    np.testing.assert_allclose(mu, [0.197, 0.803], atol=5e-4)
    for r, expected in ((1.2, 2.2e-10), (2.4, 0.0112), (2.6, 3973)):
        left = (function_steps.descend(bumps(), Y, [r] * 40)[-1, 0, :2] - Y[0]).square().sum().item()
        assert left == pytest.approx(expected, rel=0.01), r


def test_exercise_3_a_wrong_kernel_and_many_layers():
    p = draw_functions(2000, 14, 5, "rbf", torch.Generator().manual_seed(7))
    x, y = p.x.double(), p.y.double()
    for name, first, last in (("rbf", 0.69, 0.51), ("exp", 0.76, 0.55), ("linear", 0.85, 1.06)):
        K = kernels.named(name)(x, x)
        r = function_steps.safe_size(K, y[:, :-1])[:, None, None]
        path = function_steps.descend(K * r, y[:, :-1], [1.0] * 300)[..., -1]
        found = [(path[L] - y[:, -1]).square().mean().item() for L in (1, 300)]
        np.testing.assert_allclose(found, [first, last], atol=0.006, err_msg=name)


def test_exercise_4_as_many_layers_as_examples():
    mu = torch.linalg.eigvalsh(bumps()[0, :2, :2] / 2)
    path = function_steps.descend(bumps(), Y, (1 / mu).tolist())[:, 0, 2]
    np.testing.assert_allclose(path, [0, 3.43, 1.29], atol=0.005)
    np.testing.assert_allclose(path[2], kernels.bayes(bumps(), Y, jitter=0.0)[0].item(), atol=1e-10)

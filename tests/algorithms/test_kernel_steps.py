"""Built layers with a kernel: a small run, and each exact claim fails for wrong numbers."""

import numpy as np
import pytest
import torch

from snippets.algorithms import kernel_steps as ks
from snippets.algorithms.figures import kernel_steps as figures
from snippets.icl.theory import kernels

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

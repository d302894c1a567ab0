"""Twenty pairs of kernel and attention: rates, verdicts, short runs; each claim can fail."""

import dataclasses

import numpy as np
import pytest

from snippets.algorithms import kernel_matrix as km
from snippets.algorithms.figures import kernel_matrix as figures

SMALL = {"n_steps": 6, "batch": 16, "n_test": 60, "n_short": 30, "warm_up": 2}


def cells(seed: int, **changes) -> dict:
    return {name: km.run(dataclasses.replace(c, **SMALL, **changes), seed) for name, c in km.PRESETS["laptop"].items()}


def test_runs_repeat_have_no_nan_and_are_drawn():
    one, two = cells(0), cells(1)
    config = dataclasses.replace(km.PRESETS["laptop"]["exp"], **SMALL)
    again = km.run(config, 0)
    for name, value in one["exp"].items():
        np.testing.assert_array_equal(value, again[name])
        assert not np.isnan(value).any(), name
    assert one["exp"]["exp_3"] != two["exp"]["exp_3"]
    assert set(figures.draw([one, two])) == {"matrix", "depth", "lengths"}


def test_an_unknown_kernel_is_named():
    with pytest.raises(ValueError, match="kernel 'relu' is none of"):
        km.run(dataclasses.replace(km.Config("relu", h=("exp",), depths=()), **SMALL), 0)


def test_the_rate_rises_and_falls():
    c = km.Config("exp")
    assert km.rate(0, c) == pytest.approx(c.learning_rate / c.warm_up)
    assert km.rate(c.n_steps // 2, c) == pytest.approx(c.learning_rate / 2)
    assert km.rate(c.n_steps - 1, c) < 1e-4 * c.learning_rate


def test_differences_are_paired():
    m = cells(3)["rbf"]
    assert m["rbf_apart"] == 0
    assert m["softmax_apart"] == pytest.approx(m["softmax_3"] - m["rbf_3"], abs=1e-6)
    assert 0 < m["softmax_apart_error"] < 1


def runs_with(**errors: list[float]) -> list[dict]:
    return [{"rbf": {f"{h}_3": values[i] for h, values in errors.items()}} for i in range(3)]


def test_verdicts():
    noisy = [0.21, 0.19, 0.208]
    runs = runs_with(
        linear=[0.9] * 3, arccos=[0.31, 0.30, 0.32], exp=noisy, rbf=[0.2, 0.2, 0.2], softmax=[0.191, 0.2, 0.215]
    )
    found, said = figures.verdict(runs, "rbf")
    assert said == {"linear": "beaten", "arccos": "beaten", "exp": "tied", "rbf": "best", "softmax": "tied"}
    assert found["linear"]["apart"] == pytest.approx(0.7) and found["rbf"]["reach"] == 0


def test_an_interval_is_students():
    mean, reach = figures.interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert mean == 3 and reach == pytest.approx(2.776 * (2.5 / 5) ** 0.5, rel=1e-3)


def made_up(best: str) -> dict:
    """Measurements in which that h is first everywhere."""
    errors = {"linear": 0.5, "arccos": 0.4, "exp": 0.3, "rbf": 0.35, "softmax": 0.32} | {best: 0.02}
    m: dict = {}
    for K in (*km.KERNELS, "exp-longer"):
        h_name = "exp" if K == "exp-longer" else K
        m[K] = {f"{h}_3": e for h, e in errors.items()} | {f"{h}_apart": e - errors[h_name] for h, e in errors.items()}
        m[K] |= {f"{h}_of_5": e for h, e in errors.items()}
        m[K] |= {f"{h_name}_{L}": 0.9 / L for L in (1, 2, 5)}
        m[K] |= {"bayes": 0.01, "plain": np.full(5, 0.021), "softmax_5": errors["softmax"]}
    return m


def test_each_claim_can_fail():
    worlds = [made_up(h) for h in ("linear", "arccos", "exp", "rbf", "softmax")]
    for claim in km.CLAIMS:
        held = [claim.holds(claim.value(m)) for m in worlds]
        if claim.id not in ("arccos-gap", "exp-gap", "rbf-gap"):
            assert not all(held), claim.id
    m = made_up("softmax")
    for K in km.KERNELS:
        m[K]["bayes"] = 0.0199
    for claim in km.CLAIMS:
        if claim.id.endswith("-gap"):
            assert not claim.holds(claim.value(m))

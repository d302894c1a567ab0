"""Chapter 5's exact checks: each finds a wrong update, and the formulas have known values."""

import numpy as np
import pytest
import torch

from snippets.icl.networks import deltanet, linear_attention, mesa, titans_memory
from snippets.mechanisms import recurrent_updates as updates

SMALL = updates.Config(d_k=6, d_v=3, n_tokens=9, batch=2, most_pairs=12, n_random=40)


@pytest.fixture(scope="module")
def measured():
    return updates.run(SMALL, 7)


EXACT = [c for c in updates.CLAIMS if not c.id.endswith("error") and c.id != "delta-oldest"]


def test_every_identity_holds_at_any_size(measured):
    for claim in EXACT:
        assert claim.holds(claim.value(measured)), claim.id
        assert not claim.holds(1e-6), claim.id


@pytest.mark.parametrize(
    ("module", "broken", "found_by"),
    [
        (linear_attention, lambda q, k, v: 1.01 * (q @ k.mT).tril() @ v, ["linear_parallel"]),
        (linear_attention, lambda q, k, v: (q @ k.mT) @ v, ["linear_parallel"]),
        (deltanet, lambda q, k, v, beta: linear_attention.parallel(q, k, v), ["delta_parallel"]),
        (titans_memory, lambda q, k, v, t, e, a: deltanet.parallel(q, k, v, t), ["titans_unrolled"]),
    ],
)
def test_a_wrong_parallel_form_is_found(monkeypatch, module, broken, found_by):
    monkeypatch.setattr(module, "parallel", broken)
    m = updates.run(SMALL, 7)
    for name in found_by:
        assert m[name] > 1e-3


def test_a_wrong_recurrence_is_found(monkeypatch):
    right = deltanet.recurrent
    monkeypatch.setattr(deltanet, "recurrent", lambda q, k, v, beta: right(q, k, v, 0.9 * beta))
    m = updates.run(SMALL, 7)
    assert min(m[name] for name in ("delta_parallel", "delta_last_value", "titans_is_delta")) > 1e-3
    right_mesa = mesa.recurrent
    monkeypatch.setattr(mesa, "recurrent", lambda q, k, v, strength: right_mesa(q, k, v, 2 * strength))
    assert updates.run(SMALL, 7)["mesa_ridge"] > 1e-3


def test_formulas_where_they_are_known():
    assert updates.linear_error(1, 16) == 0 and updates.linear_error(33, 16) == 2
    assert updates.least_squares_error(16, 16) == 0 and updates.least_squares_error(32, 16) == 0.5
    newest, older = updates.delta_error(2, 16)
    assert newest == pytest.approx(0, abs=1e-12)
    # the second write adds c v_2 and takes c^2 v_1, with E c^2 = 1/d and E c^4 = 3/(d (d + 2))
    assert older == pytest.approx(1 / 16 + 3 / (16 * 18))
    assert updates.delta_error(600, 4)[-1] == pytest.approx(2, abs=1e-3)  # nothing is left but noise


def test_in_one_dimension_only_the_last_pair_is_kept():
    np.testing.assert_allclose(updates.delta_error(5, 1), [0, 2, 2, 2, 2])


def test_measured_errors_have_the_right_places(measured):
    errors = measured["delta_error"]
    assert errors.shape == (12, 12) and (np.triu(errors, 1) == 0).all()
    assert errors[:, 0].max() < 1e-12  # the newest pair
    assert updates.by_number(measured, "linear")[0] == pytest.approx(0, abs=1e-12)
    assert (measured["mesa_error"][:6] < 1e-6).all() and measured["mesa_error"][-1, :].mean() > 0.3


def test_formula_claims_can_hold_and_can_fail():
    d, most = updates.PRESETS["laptop"].d_k, updates.PRESETS["laptop"].most_pairs
    rows = {name: np.zeros((most, most)) for name in ("linear", "delta", "mesa")}
    for n in range(1, most + 1):
        rows["linear"][n - 1, :n] = updates.linear_error(n, d)
        rows["delta"][n - 1, :n] = updates.delta_error(n, d)
        rows["mesa"][n - 1, :n] = updates.least_squares_error(n, d)
    good = {f"{name}_error": values for name, values in rows.items()}
    bad = {name: np.tril(values + 0.1) * 0.8 for name, values in good.items()}
    for claim in updates.CLAIMS:
        if claim in EXACT[:-1]:
            continue
        assert claim.holds(claim.value(good)), claim.id
        if claim.id != "delta-oldest":
            assert not claim.holds(claim.value(bad)), claim.id
    assert not updates.CLAIMS[-1].holds(0.99)


def test_a_run_is_finite_and_repeats(measured):
    again, other = updates.run(SMALL, 7), updates.run(SMALL, 8)
    for name, value in measured.items():
        assert np.isfinite(value).all(), name
        np.testing.assert_array_equal(value, again[name])
    assert not np.array_equal(measured["linear_error"], other["linear_error"])


def test_the_last_value_of_each_key_is_found():
    which = torch.tensor([[0, 1, 0]])
    values = torch.tensor([[[1.0], [2.0], [3.0]]])
    assert updates.last_values(which, values, 3)[0, :, 0].tolist() == [3, 2, 0]

"""Exact checks of memories: each finds a wrong update, and the formulas have known values."""

import numpy as np
import pytest
import torch

from snippets.icl.networks import deltanet, linear_attention, mesa, titans_memory
from snippets.icl.theory import random_keys
from snippets.mechanisms import recurrent_updates as updates

SMALL = updates.Config(d_k=6, d_v=3, n_tokens=9, batch=2, most_pairs=12, n_random=40)


@pytest.fixture(scope="module")
def measured():
    return updates.run(SMALL, 7)


EXACT = [c for c in updates.CLAIMS if not c.id.endswith("error") and c.id != "delta-oldest"]  # in 64 bits


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
    assert random_keys.linear_error(1, 16) == 0 and random_keys.linear_error(33, 16) == 2
    assert random_keys.least_squares_error(16, 16) == 0 and random_keys.least_squares_error(32, 16) == 0.5
    newest, older = random_keys.delta_error(2, 16)
    assert newest == pytest.approx(0, abs=1e-12)
    # the second write adds c v_2 and takes c^2 v_1, with E c^2 = 1/d and E c^4 = 3/(d (d + 2))
    assert older == pytest.approx(1 / 16 + 3 / (16 * 18))
    assert random_keys.delta_error(600, 4)[-1] == pytest.approx(2, abs=1e-3)  # nothing is left but noise


def test_in_one_dimension_only_the_last_pair_is_kept():
    np.testing.assert_allclose(random_keys.delta_error(5, 1), [0, 2, 2, 2, 2])


def test_measured_errors_have_the_right_places(measured):
    errors = updates.errors_by_age(SMALL, torch.Generator().manual_seed(7))
    assert errors["delta"].shape == (12, 12) and (np.triu(errors["delta"], 1) == 0).all()
    assert errors["delta"][:, 0].max() < 1e-12  # the newest pair
    assert measured["delta_by_age"][0] < 1e-12 < measured["delta_by_age"][-1]
    assert measured["linear_by_number"][0] == pytest.approx(0, abs=1e-12)
    assert (measured["mesa_by_number"][:5] < 1e-6).all() and measured["mesa_by_age"].mean() > 0.3


def test_a_window_is_not_of_the_last_token_alone():
    """Exercise 3: with alpha = 1 and eta = 0 the first value still moves the last read."""
    g = torch.Generator().manual_seed(0)
    k, v = torch.randn(2, 1, 4, 3, generator=g, dtype=torch.float64)
    one, none = torch.ones(1, 4, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.float64)
    k = updates.unit(k)
    before = titans_memory.recurrent(k, k, v, one, none, one)
    v[:, 0] += 1
    assert (titans_memory.recurrent(k, k, v, one, none, one) - before)[:, -1].abs().max() > 1e-6
    everything = titans_memory.recurrent(k, k, v, one, one, one)  # eta = 1: DeltaNet with beta = 1
    torch.testing.assert_close(everything, deltanet.recurrent(k, k, v, one))


def test_a_small_step_and_momentum():
    """Exercise 2: the same pair m times; what is missing shrinks by 1 - beta, and sooner with momentum."""
    k = torch.ones(1, 6, 1, dtype=torch.float64)
    rate, none = torch.full((1, 6), 0.3, dtype=torch.float64), torch.zeros(1, 6, dtype=torch.float64)
    read = deltanet.recurrent(k, k, k, rate)[0, :, 0]
    torch.testing.assert_close(read, 1 - 0.7 ** torch.arange(1, 7, dtype=torch.float64))
    sooner = titans_memory.recurrent(k, k, k, rate, none + 0.1, none)[0, :, 0]
    assert (sooner[1:] > read[1:]).all() and (sooner <= 1).all()
    assert titans_memory.recurrent(k, k, k, rate, none + 0.9, none).max() > 1  # it overshoots


def test_a_better_query_has_no_cross_talk():
    """Exercise 1: a vector of the dual basis returns v_j exactly."""
    g = torch.Generator().manual_seed(0)
    k, v = torch.randn(3, 5, generator=g, dtype=torch.float64), torch.randn(3, 2, generator=g, dtype=torch.float64)
    queries = torch.linalg.pinv(k).T  # <q_j, k_i> = 1 where i = j, else 0
    torch.testing.assert_close(queries @ (k.T @ v), v)


def test_sums_do_not_know_the_order_and_deltanet_does():
    """Exercise 4."""
    g = torch.Generator().manual_seed(0)
    k, v = torch.randn(2, 1, 5, 3, generator=g, dtype=torch.float64)
    k, one = updates.unit(k), torch.ones(1, 1, dtype=torch.float64)

    def last(read, k, v):
        ask, nothing = torch.ones(1, 1, 3, dtype=torch.float64), torch.zeros(1, 1, 3, dtype=torch.float64)
        q = torch.cat([k, ask], 1)
        return read(q, torch.cat([k, nothing], 1), torch.cat([v, nothing], 1))[:, -1]

    def delta(q, k, v):
        return deltanet.recurrent(q, k, v, one.expand(1, k.shape[1]))

    def best(q, k, v):
        return mesa.recurrent(q, k, v, 0.1)

    for read, same in ((linear_attention.recurrent, True), (best, True), (delta, False)):
        assert torch.allclose(last(read, k, v), last(read, k.flip(1), v.flip(1))) == same


def test_formula_claims_can_hold_and_can_fail():
    d, most = updates.PRESETS["laptop"].d_k, updates.PRESETS["laptop"].most_pairs
    numbers = range(1, most + 1)
    good = {
        "linear_by_number": np.array([random_keys.linear_error(n, d) for n in numbers]),
        "delta_by_number": np.array([random_keys.delta_error(n, d).mean() for n in numbers]),
        "mesa_by_number": np.array([random_keys.least_squares_error(n, d) for n in numbers]),
        "delta_by_age": random_keys.delta_error(most, d),
    }
    bad = {name: 0.8 * values + 0.1 for name, values in good.items()} | {"delta_by_age": np.full(most, 0.99)}
    for claim in updates.CLAIMS:
        if claim not in EXACT:
            assert claim.holds(claim.value(good)), claim.id
            assert not claim.holds(claim.value(bad)), claim.id


def test_a_run_is_finite_and_repeats(measured):
    again, other = updates.run(SMALL, 7), updates.run(SMALL, 8)
    for name, value in measured.items():
        assert np.isfinite(value).all(), name
        np.testing.assert_array_equal(value, again[name])
    assert np.abs(measured["linear_by_number"] - other["linear_by_number"]).max() > 1e-6


def test_the_last_value_of_each_key_is_found():
    which = torch.tensor([[0, 1, 0]])
    values = torch.tensor([[[1.0], [2.0], [3.0]]])
    assert updates.last_values(which, values, 3)[0, :, 0].tolist() == [3, 2, 0]

"""What is measured of state and parameters, on made-up accuracies and on a short run."""

import dataclasses

import numpy as np
import pytest

from snippets.icl.training.meta_training import Training
from snippets.meta_learning import meta_state as state

CELLS = state.PRESETS["laptop"]


def made_up(*accuracies: float) -> dict:
    """Narrow with 6, 12 and 24 tokens in sight, then wide."""
    neighbours = 2 * [0.5, 0.65, 0.75]
    return {
        cell: {"accuracy": accuracy, "neighbour": neighbour}
        for cell, accuracy, neighbour in zip(CELLS, accuracies, neighbours, strict=True)
    }


def test_each_claim_can_hold_and_can_fail():
    good = made_up(0.5, 0.6, 0.7, 0.5, 0.6, 0.75)
    bad = made_up(0.4, 0.5, 0.55, 0.6, 0.65, 0.65)
    assert state.ahead(good, "wide-24", "narrow-12") == pytest.approx(0.15)
    assert state.farthest_from_neighbour(good) == pytest.approx(0.05)
    assert state.farthest_from_neighbour(bad) == pytest.approx(0.2)
    for claim in state.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def short(cell: str) -> state.Config:
    return dataclasses.replace(CELLS[cell], training=Training(batch=4, n_steps=3), n_test=16)


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (state.run(short("narrow-6"), seed) for seed in (5, 5, 6))
    assert all(np.isfinite(value) for value in one.values())
    assert one == two != other


def test_equal_states_are_equal_and_parameters_are_not():
    narrow, wide = state.run(short("narrow-12"), 5), state.run(short("wide-6"), 5)
    assert narrow["state"] == wide["state"] == 2 * 2 * 64 * 6, "keys and values, two layers"
    assert wide["n_parameters"] > 3 * narrow["n_parameters"]


def test_cells_of_a_seed_are_tested_on_the_same_sequences():
    assert state.run(short("narrow-6"), 5)["neighbour"] == state.run(short("wide-6"), 5)["neighbour"]
    assert state.run(short("wide-6"), 5)["neighbour"] != state.run(short("wide-24"), 5)["neighbour"]

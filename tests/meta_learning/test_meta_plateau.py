"""The plateau's measures on made-up losses, recipes that do what they say, a short run."""

import dataclasses

import numpy as np
import torch

from snippets.icl.tasks.projected_tasks import DataSet
from snippets.meta_learning import meta_plateau as plateau

LENGTHS = {
    "batch 8": 300,
    "batch 16": 100,
    "batch 32": 100,
    "batch 64": 60,
    "batch 8, two classes first": 80,
    "two classes first": 60,
    "four tasks first": 400,
    "half biased": 100,
    "epsilon 1e-12": 100,
    "epsilon 1e-3": 200,
    "label apart": np.inf,
    "label apart, two classes first": 200,
}


def made_up(lengths: dict[str, float]) -> dict:
    step = np.arange(0, 601, 20)
    end = np.array(list(lengths.values()))[:, None]
    loss = np.where(step < end, 1.6, np.where(step == end, 1.4, np.inf))
    return {
        "step": step,
        "loss": loss,
        "end": 1.46,
        "recipe": np.array([list(plateau.RECIPES).index(name) for name in lengths]),
    }


def test_lengths_and_ratios():
    m = made_up(LENGTHS)
    assert {name: plateau.plateau(m, name) for name in plateau.RECIPES} == LENGTHS
    assert plateau.times_as_long(m, "batch 8", "batch 32") == 3
    assert plateau.times_as_long(m, "label apart", "batch 32") == np.inf
    assert plateau.times_as_long(m, "batch 32", "label apart") == 0
    assert plateau.times_as_long(m, "label apart", "label apart") == 1, "neither ends: no difference"


def test_each_claim_can_hold_and_can_fail():
    good = made_up(LENGTHS)
    upside_down = {
        "batch 8": 60,
        "batch 64": 400,
        "batch 8, two classes first": np.inf,
        "two classes first": 200,
        "four tasks first": 60,
        "half biased": 30,
        "epsilon 1e-12": 40,
        "epsilon 1e-3": 60,
        "label apart": 200,
        "label apart, two classes first": np.inf,
    }
    bad = made_up(LENGTHS | upside_down)
    for claim in plateau.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def toy() -> DataSet:
    return DataSet(torch.arange(12.0).view(6, 2), torch.tensor([1, 2, 3]))


def test_an_easier_start():
    config, g = plateau.Config(), torch.Generator().manual_seed(0)
    data, pool = plateau.easier_start(plateau.Recipe(), config, toy(), g)
    assert data.n_classes == 3 and pool is None
    data, pool = plateau.easier_start(plateau.Recipe(start_classes=2), config, toy(), g)
    assert data.counts.tolist() == [1, 2] and torch.equal(data.points, toy().points[:3]) and pool is None
    data, pool = plateau.easier_start(plateau.Recipe(start_tasks=4), config, toy(), g)
    assert data.n_classes == 3 and pool is not None and len(pool) == 4


def short() -> plateau.Config:
    names = ("batch 8", "batch 32", "half biased", "two classes first", "four tasks first", "label apart")
    recipes = {name: plateau.RECIPES[name] for name in names}
    return plateau.Config(n_steps=4, evaluate_every=2, n_test=8, recipes=recipes)


def test_a_short_run_has_no_nan_and_repeats():
    one, two, other = (plateau.run(short(), seed) for seed in (5, 5, 6))
    assert one["loss"].shape == (6, 3)
    assert not np.isnan(one["loss"]).any()
    np.testing.assert_array_equal(one["loss"], two["loss"])
    assert not np.array_equal(one["loss"], other["loss"])


def test_recipes_of_one_network_begin_alike_and_go_apart():
    m = plateau.run(short(), 5)
    loss = dict(zip(plateau.names(m), m["loss"]))
    assert loss["batch 8"][0] == loss["batch 32"][0] == loss["half biased"][0] != loss["label apart"][0]
    assert len({loss[name][2] for name in ("batch 8", "batch 32", "half biased", "two classes first")}) == 4


def test_waiting_ends_with_the_plateau():
    config = dataclasses.replace(short(), drop=-1.0)  # ended before it began
    m = plateau.run(config, 5)
    assert np.isfinite(m["loss"][:, 0]).all() and (m["loss"][:, 1:] == np.inf).all()
    assert plateau.plateau(m, "batch 8") == 0


def test_a_biased_plateau_that_never_ends_is_no_success():
    claim = next(c for c in plateau.CLAIMS if c.id == "bias")
    assert not claim.holds(claim.value(made_up(LENGTHS | {"half biased": np.inf})))

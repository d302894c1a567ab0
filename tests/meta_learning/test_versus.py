"""Three experiments: their measures on made-up numbers, claims that can fail, and short runs."""

from dataclasses import replace

import numpy as np
import pytest

from snippets.icl.training.contenders_tried import TRIED, WINNER
from snippets.meta_learning import versus_digits as digits
from snippets.meta_learning import versus_trials as trials
from snippets.meta_learning import versus_waves as waves

SHOTS = np.array([1, 2, 5, 10, 20])


def by_way(ways: tuple[str, ...], rest: float, **named: list[float]) -> np.ndarray:
    return np.array([named.get(way.replace("-", "_"), [rest] * 5) for way in ways])


@pytest.fixture
def good_waves() -> dict:
    error = by_way(
        waves.WAYS, 4.0,
        icl=[1.5, 0.9, 0.3, 0.1, 0.04], wide=[4, 2, 1, 0.6, 0.5], maml=[4, 3, 2, 1, 0.7], first=[4, 3, 2, 1.2, 1],
        anil=[4, 3, 2, 0.6, 0.4], scratch=[8, 9, 5, 1, 0.2], tuned=[5, 6, 4, 1, 0.15], neighbour=[9, 6, 4, 2, 0.5],
        fourier=[4, 3, 2, 0.4, 0.01], features=[2, 0, 0, 0, 0], oracle=[1.2, 0, 0, 0, 0],
    )  # fmt: skip
    away = np.full((3, len(waves.WAYS)), 0.5)
    for way, values in {
        "icl": (0.02, 0.3, 2), "wide": (0.2, 0.3, 6), "fourier": (0.1, 0.1, 0.01), "features": (0, 0, 0),
    }.items():  # fmt: skip
        away[:, waves.WAYS.index(way)] = values
    cost = {"icl": 8e5, "scratch": 1e7, "wide": 7e6, "fourier": 3e4}
    return {
        "shots": SHOTS,
        "error": error,
        "away": away,
        "nothing": 4.5,
        "parameters": np.full(10, 25_000),
        "training_flops": np.full(10, 6e10),
        "task_flops": np.array([[cost.get(way, 1e6)] * 5 for way in waves.WAYS[:10]]),
    }


def test_waves_derived_numbers(good_waves):
    m = good_waves
    assert waves.over_all(m, 2) == pytest.approx(0.45) and waves.over_all(m, 20) == pytest.approx(4)
    assert waves.over(m, "wide", "icl", 10) == pytest.approx(6)
    assert waves.over_nothing(m, "scratch") == pytest.approx(2)
    assert waves.share(m, "icl", "further") == 2
    assert waves.paid_back(m) == pytest.approx(6e10 / 9.2e6)


def test_waves_claims_can_hold_and_can_fail(good_waves):
    error = by_way(
        waves.WAYS, 1.0,
        icl=[4, 3, 2, 1, 0.001], first=[1, 1, 1, 0.5, 1], scratch=[1] * 5, fourier=[1, 1, 1, 1, 1],
        neighbour=[1, 1, 1, 1, 0.001], tuned=[1, 1, 1, 1, 0.001], wide=[1, 1, 1, 1, 0.001], features=[1] * 5,
    )  # fmt: skip
    away = np.full((3, len(waves.WAYS)), 0.5)
    away[:, waves.WAYS.index("fourier")] = (0.1, 0.5, 0.5)
    wrong = good_waves | {
        "error": error,
        "away": away,
        "parameters": np.arange(1, 11),
        "training_flops": np.arange(1, 11) * 1e12,
        "task_flops": np.array([[1e6 if way == "icl" else 1.5e6] * 5 for way in waves.WAYS[:10]]),
    }
    for claim in waves.CLAIMS:
        assert claim.holds(claim.value(good_waves)), claim.id
        assert not claim.holds(claim.value(wrong)), claim.id
        assert type(claim.value(good_waves)) is float, claim.id


def test_digits_claims_can_hold_and_can_fail():
    cost = {"icl": 1e6, "scratch": 1e7, "neighbour": 5e2}
    good = {
        "shots": SHOTS,
        "right": by_way(
            digits.WAYS, 0.7,
            icl=[0.27, 0.33, 0.46, 0.58, 0.68], ridge=[0.28, 0.34, 0.48, 0.6, 0.7],
            neighbour=[0.2, 0.3, 0.4, 0.6, 0.72],
            anil=[0.2, 0.3, 0.4, 0.5, 0.57],
        ),
        "elsewhere": np.full((4, 10), 0.9) - 0.1 * (np.arange(10) == 0),
        "task_flops": np.array([[cost.get(way, 1e5)] * 5 for way in digits.WAYS]),
    }  # fmt: skip
    assert digits.ahead_elsewhere(good) == pytest.approx(-10)
    assert digits.ahead(good, "icl", "ridge", 10) == pytest.approx(-2)
    wrong = good | {
        "right": by_way(digits.WAYS, 0.5, icl=[0.2, 0.5, 0.7, 0.9, 0.9], neighbour=[0.3] * 5, tuned=[0.9] * 5),
        "elsewhere": np.full((4, 10), 0.8),
        "task_flops": np.ones((10, 5)),
    }
    wrong["right"][digits.WAYS.index("tuned"), -1] = 0.85
    for claim in digits.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(wrong)), claim.id


def test_the_regret_is_that_of_the_worst_choice():
    good = {s: {name: np.arange(6) + 1.0 for name in ways} for s, ways in TRIED.items()}
    for s, ways in TRIED.items():
        for name in ways:
            good[s][name] = np.full(6, 2.0)
            good[s][name][WINNER[s][name]] = 1.9
    values = {claim.id: claim.value(good) for claim in trials.CLAIMS}
    assert values == {"digits": 1.0, "waves": 1.0, "unsure": 1.0}
    good["waves"]["maml"] = np.where(np.arange(6) == WINNER["waves"]["maml"], 4.0, np.inf)
    assert trials.worst(good, "waves") == 1.0
    for setting, name in (("waves", "maml"), ("waves", "icl"), ("digits", "ridge")):
        good[setting][name] = np.full(6, 4.0)
        good[setting][name][0] = 2.5
    assert trials.regret(good, "waves", "maml") == trials.worst(good, "waves") == 1.6
    held = {claim.id: claim.holds(claim.value(good)) for claim in trials.CLAIMS}
    assert held == {"digits": False, "waves": False, "unsure": True}


@pytest.mark.parametrize(("module", "ways"), [(waves, waves.WAYS), (digits, digits.WAYS)])
def test_a_short_run_is_finite_and_repeats(module, ways, monkeypatch):
    quick = {name: way for name, way in module.chosen(module.__name__.split("_")[-1]).items()}
    quick = {n: replace(w, n_steps=2) if hasattr(w, "n_steps") else w for n, w in quick.items()}
    monkeypatch.setattr(module, "chosen", lambda setting: quick)
    small = {"n_steps": 2, "shots": (1, 10, 20), "n_test": 4, "n_asked": 2}
    small |= {"n_elsewhere": 4} if module is digits else {}
    config = module.Config(**small)
    one, two, other = (module.run(config, seed) for seed in (5, 5, 6))
    scores = "error" if module is waves else "right"
    assert one[scores].shape == (len(ways), 3)
    for name in one:
        assert not np.isnan(one[name]).any(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one[scores], other[scores])


@pytest.mark.parametrize("setting", ["waves", "digits"])
def test_trials_are_six_each_and_may_diverge(setting, monkeypatch):
    names = ("maml", "scratch", "ridge")
    few = {name: TRIED[setting][name] for name in names}
    few["maml"] = (replace(few["maml"][0], size=1e6), *few["maml"][1:])
    monkeypatch.setattr(trials, "TRIED", {setting: few})
    found = trials.run(trials.Config(setting, 1, shots=(2,), n_test=3, n_asked=2), 5)
    assert set(found) == set(names) and found["maml"][0] == np.inf
    assert all(np.isfinite(found[name][1:]).all() for name in names)

"""Chapter 21's grid and its first values: measures on made-up cells, every claim, and short runs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from snippets.abrupt_learning import curriculum, first_values


def cell(left: float, learned: float, loss: float, spread: float = 0.02) -> dict:
    step = np.arange(0, 3001, 25.0)
    constant = np.full(len(step), loss)
    return {
        "step": step,
        "loss": constant,
        "logit_spread": np.full(len(step), spread),
        "left": left,
        "learned": learned,
    }


def grid(**changes: dict) -> dict:
    """A made-up seed of the grid: every cell learns at 1,000 steps but those with L = N and N > 2."""
    cells = {name: cell(900, 1000, 0.3, 2.0) for name in curriculum.PRESETS["laptop"]}
    cells["n2-l2"] = cell(1400, 1500, 0.3)
    cells["n4-l4"] = cell(math.inf, math.inf, math.log(4))
    cells["n8-l8"] = cell(math.inf, math.inf, math.log(8))
    return cells | {name.replace("_", "-"): value for name, value in changes.items()}


def test_presets_are_the_grid():
    for name, config in curriculum.PRESETS["laptop"].items():
        pairs, labels = (part[1:] for part in name.split("-")[:2])
        assert (config.task.n_pairs, config.task.n_labels) == (int(pairs), int(labels))
        assert config.optimizer == ("adam" if name.endswith("adam") else "sgd")
    cells = {f"n{n}-l{n * r}" for n in curriculum.PAIRS for r in curriculum.RATIOS}
    assert cells <= set(curriculum.PRESETS["laptop"])


def test_derived_numbers():
    m = grid(n2_l8=cell(0, 1200, 0.3))
    assert curriculum.learned(m, 4, 16) == 1000 and curriculum.learned(m, 4, 16, "-adam") == 1000
    assert curriculum.share_of_wait(m, 2) == pytest.approx(0.8) and curriculum.share_of_wait(m, 8) == 0
    neither = grid(n8_l32=cell(math.inf, math.inf, 2.0))
    assert curriculum.share_of_wait(neither, 8) == math.inf, "never over never is no success"
    assert curriculum.off_the_guess(m, "n8-l8") == pytest.approx(0)
    assert curriculum.times_as_long(m, "n4-l4", "n4-l4-adam") == math.inf
    never = grid(n4_l4_adam=cell(math.inf, math.inf, 1.4))
    assert curriculum.times_as_long(never, "n4-l4", "n4-l4-adam") == 0, "never over never is no success"


def test_each_claim_of_the_grid_can_hold_and_can_fail():
    stuck = cell(math.inf, math.inf, 1.4)
    worse = {
        "eight-of-eight": {"n8-l8": cell(900, 1000, 0.5)},
        "eight-of-more": {"n8-l32": stuck},
        "two-of-two": {"n2-l2": stuck},
        "awake": {"n8-l8": cell(math.inf, math.inf, math.log(8), 0.0)},
        "more-first": {"n4-l4": cell(1000, 1100, 0.3)},
        "adam-leaves": {"n4-l4-adam": stuck},
        "adam-first": {"n4-l4": cell(1000, 1100, 0.3)},
    }
    assert set(worse) == {claim.id for claim in curriculum.CLAIMS}
    for claim in curriculum.CLAIMS:
        assert claim.holds(claim.value(grid())), claim.id
        assert not claim.holds(claim.value(grid() | worse[claim.id])), claim.id


def scales(**changes: float) -> dict:
    left = {"x05": math.inf, "x07": math.inf, "x10": 1000.0, "x14": 500.0, "x20": 400.0} | changes
    return {name: cell(value, value, math.log(2)) for name, value in left.items()}


def test_each_claim_of_the_first_values_can_hold_and_can_fail():
    worse = {
        "unscaled": scales(x10=math.inf),
        "larger": scales(x14=900),
        "twice": scales(x20=900),
        "half": scales(x05=2000),
        "half-at-guess": scales() | {"x05": cell(math.inf, math.inf, 0.5)},
    }
    assert set(worse) == {claim.id for claim in first_values.CLAIMS}
    for claim in first_values.CLAIMS:
        assert claim.holds(claim.value(scales())), claim.id
        assert not claim.holds(claim.value(worse[claim.id])), claim.id
    assert first_values.share_of_wait(scales(x10=math.inf), "x14") == math.inf


def test_scales_are_those_of_the_presets():
    cells = first_values.PRESETS["laptop"]
    assert {name: config.scale for name, config in cells.items()} == first_values.SCALES


@pytest.mark.parametrize("experiment", [curriculum, first_values])
def test_a_short_run_has_no_nan_and_paper_presets_start(experiment):
    for preset in experiment.PRESETS.values():
        for name, config in list(preset.items())[:2]:
            measured = experiment.run(replace(config, n_steps=2, evaluate_every=1), 1000)
            assert measured["step"].tolist() == [0, 1, 2], name
            assert not any(np.isnan(values).any() for values in measured.values())
            assert measured["left"] == math.inf

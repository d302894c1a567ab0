"""The grid and the first values: measures on made-up cells, every claim, and short runs."""

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
    """A made-up seed of the grid: L = N waits, and with eight pairs never learns."""
    cells = {name: cell(900, 1000, 0.3, 2.0) for name in curriculum.PRESETS["laptop"]}
    cells["n4-l4"] = cell(4000, math.inf, 1.2)
    cells["n4-l4-adam"] = cell(1200, 1300, 0.3)
    cells["n8-l8"] = cell(math.inf, math.inf, math.log(8))
    return cells | {name.replace("_", "-"): value for name, value in changes.items()}


def test_presets_are_the_grid():
    for preset in curriculum.PRESETS.values():
        for name, config in preset.items():
            pairs, labels = (part[1:] for part in name.split("-")[:2])
            assert (config.task.n_pairs, config.task.n_labels) == (int(pairs), int(labels))
            assert config.optimizer == ("adam" if name.endswith("adam") else "sgd")


def test_derived_numbers():
    m = grid()
    assert curriculum.left(m, "n4-l4") == 4000 and curriculum.learned(m, "n4-l16") == 1000
    assert curriculum.off_the_guess(m, "n8-l8") == pytest.approx(0)
    assert curriculum.times_as_long(m) == pytest.approx(4000 / 900)
    assert curriculum.times_as_long(m, "-adam") == pytest.approx(1200 / 900)
    assert curriculum.leaves(m) and not curriculum.leaves(grid(n4_l4=cell(math.inf, math.inf, 1.4)))


def test_each_claim_of_the_grid_can_hold_and_can_fail():
    stuck = cell(math.inf, math.inf, 1.4)
    worse = {
        "two-of-two": {"n2-l2": stuck},
        "four-of-four": {"n4-l4": stuck},
        "longer": {"n4-l4": cell(1000, math.inf, 1.2)},
        "eight-of-eight": {"n8-l8": cell(900, 1000, 0.5)},
        "awake": {"n8-l8": cell(math.inf, math.inf, math.log(8), 0.0)},
        "eight-of-more": {"n8-l32": stuck},
        "four-of-more": {"n4-l16": stuck},
        "more-first": {"n4-l16": cell(2500, 2600, 0.3)},
        "adam-leaves": {"n4-l4-adam": stuck},
        "adam-alike": {"n4-l4-adam": cell(4000, 4100, 0.3)},
    }
    assert set(worse) == {claim.id for claim in curriculum.CLAIMS}
    for claim in curriculum.CLAIMS:
        assert claim.holds(claim.value(grid())), claim.id
        assert not claim.holds(claim.value(grid() | worse[claim.id])), claim.id


def scales(**changes: float) -> dict:
    left = {"x07": 3000.0, "x10": 1000.0, "x14": 500.0, "x20": 400.0} | changes
    return {name: {"left": value, "last": value} for name, value in left.items()}


def test_each_claim_of_the_first_values_can_hold_and_can_fail():
    worse = {
        "unscaled": scales(x10=math.inf),
        "larger": scales(x14=900),
        "twice": scales(x20=900),
        "smaller": scales(x07=1100),
    }
    assert set(worse) == {claim.id for claim in first_values.CLAIMS}
    for claim in first_values.CLAIMS:
        assert claim.holds(claim.value(scales())), claim.id
        assert not claim.holds(claim.value(worse[claim.id])), claim.id
    assert not first_values.away(scales(x10=math.inf)) and first_values.away(scales())


def test_scales_are_those_of_the_presets():
    cells = first_values.PRESETS["laptop"]
    assert {name: config.scale for name, config in cells.items()} == first_values.SCALES


@pytest.mark.parametrize("experiment", [curriculum, first_values])
def test_a_short_run_has_no_nan_and_paper_presets_start(experiment):
    for preset in experiment.PRESETS.values():
        for name, config in list(preset.items())[:2]:
            measured = experiment.run(replace(config, n_steps=2, evaluate_every=1), 1000)
            looks = measured.get("step", [measured.get("last")])  # the first values keep no curves
            assert looks[-1] == 2, name
            assert not any(np.isnan(values).any() for values in measured.values())
            assert measured["left"] == math.inf

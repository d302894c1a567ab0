"""The race of shared factors in the browser: its numbers are Python's, and no input breaks it."""

import json

import numpy as np
import pytest

from snippets.interactives import shared_factors

pytestmark = pytest.mark.browser
DATA = json.loads(json.dumps(shared_factors.data(None)))
RACE = """({ race }, [{ dimensions, starts }, i, mu1, alpha, steps, every]) =>
    race(dimensions, starts[i], mu1, alpha, steps, every)"""


@pytest.fixture
def figure(mounted):
    return mounted("shared_factors", DATA)


@pytest.mark.parametrize(("mu1", "alpha"), [(0.1, 0.1), (0.0, 0.5), (0.4, 0.003), (0.05, 0.0)])
def test_the_race_is_that_of_python(figure, mu1, alpha):
    for place, seed in enumerate(shared_factors.SEEDS):
        found = np.array(figure.compute("shared_factors", RACE, [DATA, place, mu1, alpha, 1500, 100]))
        expected = shared_factors.strengths(shared_factors.start_of(seed), mu1, alpha, 1500, 100)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_races_that_the_page_carries(figure):
    for one in DATA["reference"]:
        given = [DATA, one["start"], one["mu1"], one["alpha"], 600, 300]
        found = np.array(figure.compute("shared_factors", RACE, given))
        np.testing.assert_allclose(found, one["ends"], atol=1e-6)


def test_gap_and_cost_decide_what_becomes_of_it(figure):
    assert "came" in figure.note and "went" in figure.note
    figure.slide("gap", 0)
    assert "stays" in figure.note and "Gap 0," in figure.note
    figure.slide("gap", 7)
    figure.slide("cost", 0)
    assert "stays, and strategy 2 beside it" in figure.note


def test_every_start_and_every_setting_has_a_verdict(figure):
    for seed in shared_factors.SEEDS:
        figure.page.get_by_label("Start").select_option(label=f"seed {seed}")
        for gap, cost in ((0, 0), (11, 12), (0, 12), (11, 0)):
            figure.slide("gap", gap)
            figure.slide("cost", cost)
            assert "Strategy 1" in figure.note and "NaN" not in figure.note and figure.errors == []


def test_keys_move_it(figure):
    figure.page.get_by_role("slider", name="gap").focus()
    figure.page.keyboard.press("ArrowRight")
    assert figure.note.startswith("Gap 0.15,")


@pytest.mark.parametrize("bad", ["NaN", "", "99999", "-1e400", "much"])
def test_bad_input_leaves_it_usable(figure, bad):
    for name in ("gap", "cost"):
        figure.slide(name, bad)
    assert "NaN" not in figure.note and figure.errors == []
    figure.not_a_number("gap")
    assert figure.note == "The gap is not a number."
    figure.slide("gap", 7)
    figure.slide("cost", 6)
    assert figure.note.startswith("Gap 0.1, cost 0.1.")


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

"""Layers as steps in the browser: its numbers are Python's, and no input breaks it."""

import json

import numpy as np
import pytest

from snippets.icl.theory import flows
from snippets.interactives import euler_path

pytestmark = pytest.mark.browser
DATA = json.loads(json.dumps(euler_path.data(None)))
WAYS = """({ euler, flow }, { C, bottom, points }) => points.map(({ step, layers }) =>
    [euler(C, bottom, step, layers)[layers], flow(C, bottom, step * layers)])"""


@pytest.fixture
def figure(mounted):
    return mounted("euler_path", DATA)


def test_steps_and_flow_are_those_of_python(figure):
    points = [euler_path.ways(step, n) for step in (0.05, 0.33, 1.0, 1.99) for n in (1, 2, 7, 64)]
    given = {"C": DATA["C"], "bottom": DATA["bottom"], "points": points}
    found = np.array(figure.compute("euler_path", WAYS, given))
    np.testing.assert_allclose(found[:, 0], [p["euler"] for p in points], atol=1e-9)
    np.testing.assert_allclose(found[:, 1], [p["flow"] for p in points], atol=1e-9)


def test_the_points_that_the_page_carries(figure):
    given = {"C": DATA["C"], "bottom": DATA["bottom"], "points": DATA["reference"]}
    found = np.array(figure.compute("euler_path", WAYS, given))
    np.testing.assert_allclose(found[:, 0], [p["euler"] for p in DATA["reference"]], atol=1e-9)


@pytest.mark.parametrize("matrix", [[[2.0, 0.0], [0.0, 1.0]], [[1.0, 0.5], [0.5, 3.0]], [[1.0, 0.0], [0.0, 1.0]]])
def test_eigenvectors(figure, matrix):
    call = "({ eigen }, C) => eigen(C)"
    for mu, u in figure.compute("euler_path", call, matrix):
        np.testing.assert_allclose(np.array(matrix) @ u, mu * np.array(u), atol=1e-12)


def off(note: str) -> float:
    return float(note.split("layers are ")[1].split(" ")[0])


def test_half_the_step_and_twice_the_layers_come_nearer(figure):
    figure.slide("layers", 4)
    figure.slide("size of a step", 1)
    before = off(figure.note)
    figure.page.get_by_role("button", name="Half the step").click()
    assert figure.note.startswith("Time 4.00.") and off(figure.note) < before
    for _ in range(6):
        figure.page.get_by_role("button", name="Half the step").click()
    assert "There is room for 64 layers" in figure.note
    figure.slide("layers", 3)
    assert figure.note.startswith("Time")


def test_a_step_that_is_too_long_is_said(figure):
    assert DATA["longest"] == pytest.approx(2 / np.linalg.eigvalsh(euler_path.C)[-1])
    figure.slide("size of a step", 2.4)
    figure.slide("layers", 64)
    assert "too long" in figure.note and "NaN" not in figure.note and "Infinity" not in figure.note
    figure.slide("size of a step", 1.95)
    assert "too long" not in figure.note


def test_keys_move_it(figure):
    figure.page.get_by_role("slider", name="layers").focus()
    for _ in range(3):
        figure.page.keyboard.press("ArrowRight")
    assert figure.note.startswith("Time 8.40.")


@pytest.mark.parametrize("bad", ["NaN", "", "99999", "-1e400", "many"])
def test_bad_input_leaves_it_usable(figure, bad):
    for name in ("layers", "size of a step"):
        figure.slide(name, bad)
    assert "NaN" not in figure.note and figure.errors == []
    figure.not_a_number("layers")
    assert figure.note == "The number of layers is not a number."
    figure.slide("layers", 4)
    figure.slide("size of a step", 0.5)
    assert figure.note.startswith("Time 2.00.")


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []


def test_the_bowl_has_the_eigenvalues_that_the_page_names():
    np.testing.assert_allclose(np.linalg.eigvalsh(euler_path.C), [0.2, 1.0], atol=1e-12)
    matrix, pull = euler_path.bowl()
    np.testing.assert_allclose(flows.flow(matrix, pull, 200.0), euler_path.BOTTOM, atol=1e-9)

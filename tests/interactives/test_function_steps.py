"""Descent on a function in the browser: its numbers are Python's, and no input breaks it."""

import json

import numpy as np
import pytest

from snippets.interactives import function_steps as fs

pytestmark = pytest.mark.browser
DATA = json.loads(json.dumps(fs.data(None)))
ASKED = np.linspace(-1, 1, 9).tolist()
FIT = "({ fit }, [points, asked, h, n, share]) => fit(points, asked, h, n, share)[n].asked"
MEAN = "({ posterior }, [points, asked, K, noise]) => posterior(points, asked, K, noise)"


@pytest.fixture
def figure(mounted):
    return mounted("function_steps", DATA)


@pytest.mark.parametrize("h", ["linear", "arccos", "exp", "rbf", "softmax"])
def test_layers_are_those_of_python(figure, h):
    for name, points in fs.POINTS.items():
        for layers, share in ((0, 1.0), (1, 0.5), (7, 1.0), (60, 1.9)):
            found = figure.compute("function_steps", FIT, [points, ASKED, h, layers, share])
            np.testing.assert_allclose(found, fs.fit(points, ASKED, h, layers, share), atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kernel", ["linear", "arccos", "exp", "rbf"])
def test_the_posterior_is_that_of_python(figure, kernel):
    for points in fs.POINTS.values():
        found = figure.compute("function_steps", MEAN, [points, ASKED, kernel, fs.NOISE])
        np.testing.assert_allclose(found, fs.posterior(points, ASKED, kernel), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("({ weights }) => weights('cubic', [0], [0])", "is none of"),
        ("({ weights }) => weights('exp', [0], [])", "no points"),
        ("({ posterior }) => posterior([], [0], 'exp', 0.1)", "no points"),
        ("({ posterior }) => posterior([[0, 1], [0, 2]], [0], 'exp', 0)", "Points coincide"),
    ],
)
def test_bad_input_is_named(figure, call, words):
    with pytest.raises(Exception, match=words):
        figure.compute("function_steps", call)


def test_more_layers_come_nearer_and_a_wrong_kernel_does_not(figure):
    def missed() -> list[float]:
        return [float(part.split(" ")[0].strip(",")) for part in figure.note.split("by ")[1:]]

    before = missed()
    figure.slide("layers", 60)
    after = missed()
    assert after[0] < before[0] and after[1] < before[1]
    figure.page.get_by_role("combobox", name="h, of the attention").select_option("linear")
    assert missed()[0] > 0.3
    figure.page.get_by_role("combobox", name="points").select_option("a line")
    assert missed()[0] < 0.1


def test_by_keyboard_and_nothing_yet(figure):
    slider = figure.page.get_by_role("slider", name="layers")
    slider.focus()
    figure.page.keyboard.press("Home")
    assert figure.note.startswith("After 0 layers")
    figure.page.keyboard.press("ArrowRight")
    assert figure.note.startswith("After 1 layer the")


def test_what_is_no_number_leaves_it_usable(figure):
    figure.not_a_number("layers")
    assert figure.note == "The number of layers is not a number."
    figure.slide("layers", 3)
    assert figure.note.startswith("After 3 layers")


def test_without_points_it_fails_in_a_line(mounted):
    with pytest.raises(Exception, match="points of the figure"):
        mounted("function_steps", {})


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

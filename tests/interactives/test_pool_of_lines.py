"""The pool of lines in a browser: its two answers are Python's, and anyone can put examples down."""

import numpy as np
import pytest

from snippets.diagrams import task_diversity
from snippets.interactives import pool_of_lines as lines

pytestmark = pytest.mark.browser
DATA = lines.data(lambda name: [])
ANSWERS = "({ answers }, [points, pool, noise]) => answers(points, pool, noise)"


@pytest.fixture
def figure(mounted):
    return mounted("pool_of_lines", DATA)


@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0])
@pytest.mark.parametrize(("n", "M"), [(1, 1), (3, 4), (12, 64)])
def test_the_answers_are_those_of_python(figure, n, M, noise):
    points = np.random.default_rng(n).uniform(-3, 3, (n, 2)).tolist()
    found = figure.compute("pool_of_lines", ANSWERS, [points, DATA["pool"][:M], noise])
    expected = lines.answers(points, DATA["pool"][:M], noise)
    for name in ("weights", "memory", "ridge"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-8)


def test_without_examples_memory_is_the_mean_and_ridge_zero(figure):
    found = figure.compute("pool_of_lines", ANSWERS, [[], list(lines.FOUR), 0.5])
    assert found["memory"] == pytest.approx(0.15) and found["ridge"] == 0


def test_its_four_slopes_are_the_chapters():
    assert tuple(DATA["pool"][:4]) == lines.FOUR == task_diversity.FOUR
    assert len(DATA["pool"]) == 64


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[[1, 1]], [1], 0], "The noise is 0"),
        ([[[1, 1]], [1], "x"], "The noise is not a number"),
        ([[[1, 1]], [], 0.5], "The pool is empty"),
        ([[[1, None]], ["x"], 0.5], "not a number"),
    ],
)
def test_bad_numbers_are_named(figure, given, words):
    with pytest.raises(Exception, match=words):
        figure.compute("pool_of_lines", ANSWERS, given)


@pytest.mark.parametrize("w", [0.0, 0.5, -3.0, 50.0])
def test_lines_end_at_the_edge_of_the_plane(figure, w):
    (x1, y1), (x2, y2) = figure.compute("pool_of_lines", "({ ends }, [w]) => ends(w)", [w])
    assert (x1, y1) == pytest.approx((-x2, -y2)) and y2 == pytest.approx(w * x2)
    assert x2 == pytest.approx(3) or abs(y2) == pytest.approx(4)


def test_the_chapters_example_is_what_it_starts_with(figure):
    assert figure.note.startswith("2 examples. Memory says slope 0.77, ridge 0.95.")
    for _ in range(2):
        figure.page.get_by_role("button", name="Add an example").click()
    assert figure.note.startswith("4 examples. Memory says slope 0.61, ridge 0.98.")


def test_by_keyboard(figure):
    figure.page.locator(".touch-point").first.focus()
    before = figure.note
    figure.page.keyboard.press("Shift+ArrowUp")
    assert figure.note != before
    figure.page.keyboard.press("Delete")
    assert figure.page.locator(".touch-point").count() == 1


def test_a_tap_puts_one_down_and_the_sliders_count(mounted):
    figure = mounted("pool_of_lines", DATA, has_touch=True, viewport={"width": 360, "height": 740})
    box = figure.page.locator(".touch-drop").bounding_box()
    figure.page.touchscreen.tap(box["x"] + 150, box["y"] + 60)
    assert figure.note.startswith("3 examples.")
    before = figure.note
    figure.slide("tasks in the pool", 64)
    assert "Of 64 known tasks" in figure.note and figure.note != before


def test_too_few_and_too_many_are_said(figure):
    figure.page.get_by_role("button", name="Start again").click()
    assert figure.note.startswith("No example. Memory says slope 0.15, ridge 0.00.")
    figure.page.get_by_role("button", name="Take the last").click()
    assert figure.note == "There is no example to take away."
    more = figure.page.get_by_role("button", name="Add an example")
    for _ in range(13):
        more.click()
    assert figure.note == "There is room for 12 examples: take one away first."


def test_what_is_no_number_leaves_it_usable(figure):
    figure.not_a_number("noise")
    assert figure.note == "The noise is not a number."
    figure.slide("noise", 1.0)
    assert figure.note.startswith("2 examples.")


def test_without_a_pool_it_fails_in_a_line(mounted):
    with pytest.raises(Exception, match="pool"):
        mounted("pool_of_lines", {})


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

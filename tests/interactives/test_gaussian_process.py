"""The Gaussian process in a browser: its band is Python's, and anyone can put points down."""

import numpy as np
import pytest

from snippets.algorithms import prior_fitted
from snippets.interactives import gaussian_process as gp

pytestmark = pytest.mark.browser
DATA = gp.data(lambda name: [])
ASKED = np.linspace(-0.2, 1.2, 29).tolist()
POSTERIOR = "({ posterior }, [points, asked, length, noise]) => posterior(points, asked, length, noise)"


@pytest.fixture
def figure(mounted):
    return mounted("gaussian_process", DATA)


@pytest.mark.parametrize("length", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("n", [0, 1, 3, 12])
def test_the_band_is_that_of_python(figure, n, length):
    points = np.random.default_rng(n).uniform(-1, 1, (n, 2)).tolist()
    found = figure.compute("gaussian_process", POSTERIOR, [points, ASKED, length, 0.2])
    expected = gp.answers(points, ASKED, length, 0.2)
    for name in ("mean", "variance"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_its_noise_is_the_chapters():
    c = prior_fitted.PRESETS["laptop"]
    assert (c.noise, c.length) == (DATA["noise"], DATA["length"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[[0.5, 1]], [0.5], 0, 0.2], "The length is 0"),
        ([[[0.5, 1]], [0.5], "x", 0.2], "The length is not a number"),
        ([[[0.5, 1]], [0.5], 0.2, -1], "The noise is -1"),
    ],
)
def test_bad_numbers_are_named(figure, given, words):
    with pytest.raises(Exception, match=words):
        figure.compute("gaussian_process", POSTERIOR, given)


def test_no_covariance_is_named(figure):
    with pytest.raises(Exception, match="This is no covariance"):
        figure.compute("gaussian_process", "({ cholesky }) => cholesky([[1, 2], [2, 1]])")


def points_of(figure) -> list[str]:
    return [dot.get_attribute("aria-label") for dot in figure.page.locator(".touch-point").all()]


def test_by_keyboard(figure):
    dot = figure.page.locator(".touch-point").first
    dot.focus()
    before = figure.note
    figure.page.keyboard.press("Shift+ArrowUp")
    assert points_of(figure)[0] == "Point 1, x 0.20, y 0.2" and figure.note != before
    figure.page.keyboard.press("Delete")
    assert len(points_of(figure)) == 2
    assert figure.page.evaluate("document.activeElement.classList.contains('touch-point')")


def test_nothing_is_the_prior_and_too_much_is_said(figure):
    figure.page.get_by_role("button", name="Start again").click()
    assert figure.note == (
        "No point: this is the prior. At x = 0.5 the next y is 0.00, give or take 2.00 in 95 of 100 cases."
    )
    figure.page.get_by_role("button", name="Take the last").click()
    assert figure.note == "There is no point to take away."
    more = figure.page.get_by_role("button", name="Add a point")
    for _ in range(12):
        more.click()
    assert figure.note.startswith("12 points.")
    more.click()
    assert figure.note == "There is room for 12 points: take one away first."


def test_a_tap_puts_one_down_and_the_length_counts(mounted):
    figure = mounted("gaussian_process", DATA, has_touch=True, viewport={"width": 360, "height": 740})
    box = figure.page.locator(".touch-drop").bounding_box()
    figure.page.touchscreen.tap(box["x"] + 150, box["y"] + 60)
    assert len(points_of(figure)) == 4
    before = figure.note
    figure.slide("length scale", 0.6)
    assert figure.note != before


def test_the_margin_and_a_thumb_that_scrolls_put_nothing_down(figure):
    drop = figure.page.locator(".touch-drop")
    box = drop.bounding_box()
    figure.page.mouse.click(box["x"] + 3, box["y"] + 3)
    figure.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    drop.dispatch_event("pointerdown", {"clientX": box["x"] + 150, "clientY": box["y"] + 60})
    assert len(points_of(figure)) == 3


def test_what_is_no_number_leaves_it_usable(figure):
    figure.not_a_number("length scale")
    assert figure.note == "The length is not a number."
    figure.slide("length scale", 0.3)
    assert figure.note.startswith("3 points.")


def test_without_settings_it_fails_in_a_line(mounted):
    with pytest.raises(Exception, match="settings"):
        mounted("gaussian_process", {})


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

"""Points to drag: the network in the browser is torch's, the rules are the book's, and anyone can move points."""

import numpy as np
import pytest
import torch

from snippets.algorithms import drag_the_points
from snippets.book.pages.facts import Facts
from snippets.icl.networks.regression_transformer import RegressionTransformer
from snippets.icl.theory import oracles
from snippets.interactives import regression

pytestmark = [pytest.mark.results, pytest.mark.browser]

CONFIG = drag_the_points.PRESETS["laptop"]
ASKED = np.linspace(-4, 4, 33)
TOO_MANY = "It was trained on at most 10 points: take one away first."


@pytest.fixture(scope="module")
def content(data_of):
    return data_of("regression")


@pytest.fixture
def figure(mounted, content):
    return mounted("regression", content)


def network_of_the_record() -> RegressionTransformer:
    """The network whose rounded weights are kept, in double precision."""
    kept = Facts(draft=False).runs("drag_the_points")[0]
    network = RegressionTransformer(CONFIG.sizes, torch.Generator()).double()
    steps, largest = torch.from_numpy(kept["steps"]).double(), torch.from_numpy(kept["largest"]).double()
    with torch.no_grad():
        for weight in network.parameters():
            columns = weight.shape[-1] if weight.ndim > 1 else 1
            whole = steps[: weight.numel()].view(-1, columns) * largest[:columns] / 127
            steps, largest = steps[weight.numel() :], largest[columns:]
            weight.copy_(whole.view(weight.shape))
    assert not len(steps) and not len(largest)
    return network


def some_points(seed: int, n: int, size: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-size, size, (n, 2))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 10])
def test_the_network_is_that_of_torch(figure, content, n):
    points = some_points(n, n, size=3.0)
    call = """async ({ answers, unpack }, [data, points, asked]) => answers(unpack(data), points, asked)"""
    found = figure.compute("regression_network", call, [content, points.tolist(), ASKED.tolist()])
    # the query stands behind all points, once for each x that is asked
    x = torch.tensor(np.concatenate([np.tile(points[:, 0], (len(ASKED), 1)), ASKED[:, None]], 1))
    y = torch.tensor(np.concatenate([np.tile(points[:, 1], (len(ASKED), 1)), np.zeros((len(ASKED), 1))], 1))
    with torch.no_grad():
        expected = network_of_the_record()(torch.stack([x, torch.ones_like(x)], -1), y)[:, -1]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("strength", [0.0, CONFIG.noise**2])
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_the_rules_are_those_of_the_book(figure, n, strength):
    points = torch.from_numpy(some_points(n, n))
    x = torch.stack([points[:, 0], torch.ones(n).double()], -1)[None]
    found = figure.compute("regression_network", "({ ridge }, [p, s]) => ridge(p, s)", [points.tolist(), strength])
    np.testing.assert_allclose(found, oracles.ridge(x, points[None, :, 1], strength)[0], atol=1e-9)


def test_points_above_each_other_have_the_shortest_line(figure):
    x = torch.tensor([[[1.5, 1.0], [1.5, 1.0]]], dtype=torch.float64)
    expected = oracles.least_squares(x, torch.tensor([[1.0, 2.0]], dtype=torch.float64))[0]
    found = figure.compute("regression_network", "({ ridge }) => ridge([[1.5, 1], [1.5, 2]], 0)")
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert figure.compute("regression_network", "({ ridge }) => ridge([], 0)") == [0, 0]


def test_the_error_function(figure):
    x = np.linspace(-7, 7, 561)
    found = figure.compute("regression_network", "({ erf }, xs) => xs.map(erf)", x.tolist())
    np.testing.assert_allclose(found, torch.erf(torch.from_numpy(x)), atol=1e-12)


def test_what_the_data_say_is_what_was_trained():
    assert CONFIG.sizes == regression.SIZES
    assert (CONFIG.reach, CONFIG.noise, CONFIG.n) == (regression.REACH, regression.NOISE, regression.MOST_POINTS)


def points_of(figure) -> list[str]:
    return [dot.get_attribute("aria-label") for dot in figure.page.locator(".touch-point").all()]


def test_a_point_is_dragged(figure):
    dot = figure.page.locator(".touch-point").first
    box, before = dot.bounding_box(), figure.page.locator(".touch-drop path[stroke-width='2.6']").get_attribute("d")
    figure.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    figure.page.mouse.down()
    figure.page.mouse.move(box["x"] + 40, box["y"] - 30, steps=4)
    figure.page.mouse.up()
    assert dot.bounding_box()["y"] < box["y"] - 20
    assert figure.page.locator(".touch-drop path[stroke-width='2.6']").get_attribute("d") != before
    figure.page.mouse.move(0, 0)
    assert len(points_of(figure)) == 5 and figure.errors == []


def test_a_point_far_outside_stays_in_the_plane(figure):
    dot = figure.page.locator(".touch-point").first
    box = dot.bounding_box()
    figure.page.mouse.move(box["x"] + 5, box["y"] + 5)
    figure.page.mouse.down()
    figure.page.mouse.move(5, 5, steps=3)
    figure.page.mouse.up()
    assert points_of(figure)[0] == "Point 1, x -4.0, y 6.0"
    assert "Outside what it was trained on: an x beyond 2" in figure.note


def test_by_keyboard(figure):
    dot = figure.page.locator(".touch-point").first
    dot.focus()
    figure.page.keyboard.press("ArrowUp")
    before = points_of(figure)[0]
    figure.page.keyboard.press("Shift+ArrowDown")
    assert points_of(figure)[0] != before
    figure.page.keyboard.press("Delete")
    assert len(points_of(figure)) == 4 and points_of(figure)[0].startswith("Point 1")
    assert figure.page.evaluate("document.activeElement.classList.contains('touch-point')")


def test_nothing_and_too_much(figure):
    less, more = (figure.page.get_by_role("button", name=name) for name in ("Take the last", "Add a point"))
    for _ in range(5):
        less.click()
    assert figure.note.startswith("0 points. At x = 1 the network says")
    less.click()
    assert figure.note == "There is no point to take away."
    for _ in range(10):
        more.click()
    assert len(points_of(figure)) == 10 and figure.note.startswith("10 points.")
    more.click()
    assert figure.note == TOO_MANY
    less.click()
    assert figure.note.startswith("9 points.")


def test_a_tap_puts_one_down(mounted, content):
    figure = mounted("regression", content, has_touch=True, viewport={"width": 360, "height": 740})
    box = figure.page.locator(".touch-drop").bounding_box()
    figure.page.touchscreen.tap(box["x"] + 50, box["y"] + 40)
    assert len(points_of(figure)) == 6


def test_what_is_no_place_is_said(figure):
    """An event without coordinates, as some assistive tools send, is NaN in the plane."""
    before = points_of(figure)
    figure.page.locator(".touch-point").first.evaluate(
        """(dot) => { dot.hasPointerCapture = () => true; const event = new PointerEvent('pointermove');
        Object.defineProperty(event, 'clientX', { value: NaN }); dot.dispatchEvent(event); }"""
    )
    assert figure.note == "That is no place in the plane: the point stays where it was." and points_of(figure) == before
    figure.page.get_by_role("button", name="A new line").click()
    assert figure.note.startswith("5 points.")


def test_it_says_what_training_never_showed(figure):
    call = "({ unlikeTraining }, [p, w]) => unlikeTraining(p, w, { reach: 2, noise: 0.3 })"
    told = {
        "": [[[0, 0], [1, 1]], [1, 0]],
        "an x beyond 2": [[[2.5, 2.5]], [1, 0]],
        "nearly all it saw": [[[1, 5]], [4, 1]],
        "points that lie on no line": [[[0, 3], [1, -3], [0.5, 3]], [0, 0]],
    }
    for words, given in told.items():
        found = figure.compute("regression", call, given)
        assert (words in found) if words else found == ""


@pytest.mark.parametrize("broken", [None, {}, {"steps": ""}])
def test_without_weights_it_fails_in_a_line(mounted, content, broken):
    data = broken if broken != {"steps": ""} else content | {"largest": content["largest"][1:]}
    with pytest.raises(Exception, match="weights"):
        mounted("regression", data)


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

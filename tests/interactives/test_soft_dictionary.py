"""The soft dictionary in a browser: its numbers are Python's, and no input breaks it."""

import json
import math

import numpy as np
import pytest

from snippets.diagrams import attention as diagram
from snippets.interactives import soft_dictionary as soft

pytestmark = pytest.mark.browser
SCRIPT = "/snippets/interactives/soft_dictionary.js"
MOUNT = (
    f"async (data) => {{ const m = await import('{SCRIPT}'); await m.mount(document.getElementById('place'), data); }}"
)
ATTEND = f"""async ([queries, keys, values]) => {{
    const {{ attend }} = await import('{SCRIPT}');
    return queries.map((query) => attend(query, keys, values));
}}"""
SET = "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }"
DATA = json.loads(json.dumps(soft.data(None)))
GRID = [soft.query_at(degrees, length) for degrees in range(0, 360, 15) for length in (0, 0.1, 1, 2.5, 8, 40)]


def answer(page) -> float:
    return float(page.locator("#place strong").inner_text())


@pytest.fixture
def mounted(page):
    page.evaluate(MOUNT, DATA)
    return page


def test_the_browser_computes_what_python_does(page):
    found = page.evaluate(ATTEND, [GRID, DATA["keys"], DATA["values"]])
    for query, one in zip(GRID, found, strict=True):
        scores, weights, value = soft.attend(query)
        np.testing.assert_allclose(one["scores"], scores, atol=1e-4)
        np.testing.assert_allclose(one["weights"], weights, atol=1e-4)
        assert one["answer"] == pytest.approx(value, abs=1e-4)


def test_the_points_that_the_page_carries(page):
    found = page.evaluate(ATTEND, [[p["query"] for p in DATA["reference"]], DATA["keys"], DATA["values"]])
    for one, point in zip(found, DATA["reference"], strict=True):
        assert one["answer"] == pytest.approx(point["answer"], abs=1e-4)


@pytest.mark.parametrize("query", ["[NaN, 1]", "[Infinity, -Infinity]", "[1e308, 1e308]", "['no', undefined]"])
def test_what_is_no_number_gives_a_number(page, query):
    page.evaluate(MOUNT, DATA)
    call = f"async ([k, v]) => (await import('{SCRIPT}')).attend({query}, k, v)"
    found = page.evaluate(call, [DATA["keys"], DATA["values"]])
    assert sum(found["weights"]) == pytest.approx(1) and 3 <= found["answer"] <= 7


def test_sliders_and_keys_move_the_answer(mounted):
    direction, length = mounted.locator("#place input").all()
    assert answer(mounted) == pytest.approx(soft.attend((2, 0))[2], abs=0.006)
    length.evaluate(SET, "0")
    assert answer(mounted) == 5
    direction.evaluate(SET, "330")
    length.focus()
    for _ in range(100):
        length.press("ArrowRight")
    assert answer(mounted) == 7
    for value in ("NaN", "1e400", "", "-5"):
        length.evaluate(SET, value)
        assert 3 <= answer(mounted) <= 7
    direction.evaluate(SET, "90")
    length.evaluate(SET, "8")
    assert answer(mounted) == 3


def test_pointer_and_finger_set_the_query(mounted):
    box = mounted.locator("#place svg").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mounted.mouse.move(x, y)
    mounted.mouse.down()
    mounted.mouse.move(x - 80 * math.cos(math.pi / 6), y + 80 * math.sin(math.pi / 6))
    mounted.mouse.up()
    assert answer(mounted) == pytest.approx(5, abs=0.01)  # green
    mounted.touchscreen.tap(x, y - 80)
    assert answer(mounted) == pytest.approx(3, abs=0.01)  # red


def test_it_fits_a_phone(mounted):
    assert mounted.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_diagram_shows_where_it_begins():
    assert diagram.DEGREES == soft.DEGREES and diagram.VALUES == soft.VALUES and diagram.NAMES == soft.NAMES
    assert diagram.looked_up(diagram.plane(0, 2))[2] == pytest.approx(soft.attend((2, 0))[2])

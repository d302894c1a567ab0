"""The box of dice in a browser: its numbers are Python's, and no input breaks it."""

import json
import random

import pytest

from snippets.interactives import dice_box

pytestmark = pytest.mark.browser
SCRIPT = "/snippets/interactives/dice_box.js"
MOUNT = f"""async (data) => {{
    const m = await import('{SCRIPT}'); await m.mount(document.getElementById('place'), data); }}"""
BELIEVE = f"""async ([texts, chances]) => {{
    const {{ believe }} = await import('{SCRIPT}');
    return texts.map((text) => believe(text, chances));
}}"""
RAISES = f"""async ([name, given]) => {{
    const m = await import('{SCRIPT}');
    try {{ m[name](...given); return 'nothing'; }} catch (error) {{ return error.message; }}
}}"""
DATA = json.loads(json.dumps(dice_box.data(None)))
SIX = [1 / 6] * 6


@pytest.fixture
def mounted(page):
    page.evaluate(MOUNT, DATA)
    return page


def note(page) -> str:
    return page.locator("#place .touch-note").inner_text()


def test_the_browser_computes_what_python_does(page):
    draw = random.Random(1)
    texts = [[draw.randrange(6) for _ in range(n)] for n in (0, 1, 2, 5, 20, 60)]
    for text, found in zip(texts, page.evaluate(BELIEVE, [texts, DATA["chances"]]), strict=True):
        believed, bet = dice_box.believe(text)
        assert found["belief"] == pytest.approx(believed, abs=1e-5)
        assert found["bets"] == pytest.approx(bet, abs=1e-5)


def test_the_points_that_the_page_carries(page):
    found = page.evaluate(BELIEVE, [[p["text"] for p in DATA["reference"]], DATA["chances"]])
    for one, point in zip(found, DATA["reference"], strict=True):
        assert one["belief"] == pytest.approx(point["belief"], abs=1e-5)


@pytest.mark.parametrize(
    "call, given, words",
    [
        ("believe", [[6], [SIX]], "There is no face 7"),
        ("believe", [[-1], [SIX]], "There is no face 0"),
        ("believe", [[0], []], "A belief over no dice: give at least one."),
        ("believe", [[0], [[0, 1, 0, 0, 0, 0]]], "No die can throw this"),
        ("faces", ["1 seven"], '"seven" is no face: type numbers from 1 to 6.'),
        ("faces", ["0"], '"0" is no face'),
    ],
)
def test_clear_errors(page, call, given, words):
    assert words in page.evaluate(RAISES, [call, given])


def test_a_face_is_drawn_as_its_chances_say(page):
    drawn = page.evaluate(f"async (u) => (await import('{SCRIPT}')).draw([0.5, 0.5, 0, 0, 0, 0], u)", 0.6)
    last = page.evaluate(f"async (u) => (await import('{SCRIPT}')).draw([0.5, 0.5, 0, 0, 0, 0], u)", 1.0)
    assert (drawn, last) == (1, 1), "a face without a chance is never drawn, whatever rounding does"


def test_throwing_typing_and_planting(mounted):
    typed = mounted.locator("#place input[type=text]")
    mounted.get_by_role("button", name="throw ten times").click()
    assert "After 10 throws" in note(mounted) and "6" not in typed.input_value(), "red never throws a six"
    mounted.get_by_role("button", name="plant a six").press("Enter")
    assert "0: ruled out" in mounted.locator("#place td").first.inner_text()
    mounted.get_by_role("button", name="begin anew").click()
    assert "After 0 throws" in note(mounted)
    typed.fill("666")
    assert "After 3 throws the likeliest die is green" in note(mounted)
    typed.fill("66 x")
    assert '"x" is no face' in note(mounted)
    typed.fill("")
    assert "After 0 throws" in note(mounted)
    mounted.locator("#place select").select_option("own")
    for _ in range(20):
        mounted.get_by_role("button", name="throw ten times").click()
    mounted.get_by_role("button", name="throw once").click()
    assert "200 throws are enough" in note(mounted)


def test_it_fits_a_phone(mounted):
    mounted.locator("#place input[type=text]").fill("1" * 200)
    assert mounted.evaluate("document.documentElement.scrollWidth") <= 360

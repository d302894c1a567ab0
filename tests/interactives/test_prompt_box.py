"""The prompt box in a browser: recorded answers are found, Bayes' rule is Python's, no input breaks it."""

import json
from base64 import b64encode
from itertools import product

import numpy as np
import pytest
import torch

from snippets.icl.tasks import yes_or_no as game
from snippets.interactives import prompt_box
from snippets.mechanisms.prompt_sensitivity import BOX, LABELS, ORDERS, PRESETS

pytestmark = pytest.mark.browser
SCRIPT = "/snippets/interactives/prompt_box.js"
MADE_UP = np.random.default_rng(0).integers(0, 256, (24, 16, 17), dtype=np.uint8)
DATA = json.loads(json.dumps(prompt_box.data(lambda name: [{"box": MADE_UP}])))
MOUNT = f"async (d) => {{ const m = await import('{SCRIPT}'); await m.mount(document.getElementById('place'), d); }}"


@pytest.fixture
def mounted(page):
    page.evaluate(MOUNT, DATA)
    return page


def test_it_is_about_what_was_measured():
    assert BOX.tolist() == list(prompt_box.BOX) and ORDERS.tolist() == [list(o) for o in prompt_box.ORDERS]
    assert PRESETS["laptop"].world == prompt_box.WORLD


def test_bayes_rule_is_pythons(page):
    world = game.World()
    things = torch.tensor([[int(BOX[k]) for k in order] for order in ORDERS[::7]])
    calls, wanted = [], []
    for shots, answers, asked in product(things, LABELS[::3], (0, 5, 16)):
        everything, said = torch.cat([shots, torch.tensor([asked])]), torch.cat([answers, torch.tensor([0])])
        wanted.append(float(game.exact(world, everything[None], said[None])[0, -1]))
        calls.append([shots.tolist(), answers.tolist(), asked])
    script = f"""async ([d, calls]) => {{ const {{ exact }} = await import('{SCRIPT}');
        return calls.map((call) => exact(d, ...call)); }}"""
    np.testing.assert_allclose(page.evaluate(script, [DATA, calls]), wanted, atol=1e-5)


def test_what_was_recorded_is_found(page):
    calls = [[ORDERS[o].tolist(), LABELS[k].tolist(), q] for o, k, q in product((0, 5, 23), (0, 6, 15), (0, 16))]
    script = f"""async ([d, calls]) => {{ const {{ recorded }} = await import('{SCRIPT}');
        return calls.map((call) => recorded(d, ...call)); }}"""
    wanted = [MADE_UP[o, k, q] / 255 for o, k, q in product((0, 5, 23), (0, 6, 15), (0, 16))]
    np.testing.assert_allclose(page.evaluate(script, [DATA, calls]), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("recorded(d, [0, 0, 1, 2], [0, 0, 0, 0], 1)", "no order of four shots"),
        ("recorded(d, [0, 1, 2, 3], [0, 0, 0, 0], 17)", "There is no thing 17"),
        ("exact(d, [40], [0], 1)", "There is no thing 40"),
    ],
)
def test_bad_input_is_named(page, call, words):
    script = f"async (d) => {{ const {{ exact, recorded }} = await import('{SCRIPT}'); return {call}; }}"
    with pytest.raises(Exception, match=words):
        page.evaluate(script, DATA)


def test_moving_a_shot_changes_the_answer_and_keeps_the_focus(mounted):
    shown = mounted.locator("#place output").first
    before = shown.inner_text()
    mounted.get_by_role("button", name="move dax down").focus()
    mounted.keyboard.press("Enter")
    order = [list(o) for o in ORDERS.tolist()].index([1, 0, 2, 3])
    assert shown.inner_text() == f"{MADE_UP[order, 3, 1] / 255:.2f}" != before
    assert mounted.evaluate("document.activeElement.getAttribute('aria-label')") == "move dax down"
    mounted.get_by_role("button", name="answer for dax").click()
    assert shown.inner_text() == f"{MADE_UP[order, 11, 1] / 255:.2f}"


def test_a_broken_record_leaves_it_usable(page):
    broken = DATA | {"said": b64encode(b"").decode(), "orders": []}
    page.evaluate(MOUNT, broken)
    assert "no order" in page.locator(".touch-note").inner_text()
    assert page.get_by_role("button", name="move dax down").is_enabled()


def test_it_fits_a_phone_in_light_and_dark(mounted):
    for scheme in ("default", "slate"):
        mounted.evaluate("to => document.body.setAttribute('data-md-color-scheme', to)", scheme)
        assert mounted.evaluate("document.documentElement.scrollWidth") <= 360

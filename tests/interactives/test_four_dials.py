"""Four dials: the browser's shares and prompts are Python's, and no input breaks it."""

import json
from itertools import islice

import pytest

from snippets.icl.tasks.item_label_data import Data
from snippets.interactives import four_dials as dials_page

pytestmark = pytest.mark.browser
DATA = json.loads(json.dumps(dials_page.data(None)))
TOLD = "({ told }, [dials, data]) => told(dials, data)"
DRAWN = """({ prompt, uniform }, [dials, data, seed, n]) => {
    const next = uniform(seed);
    return Array.from({ length: n }, () => prompt(dials, data, next));
}"""


def dials(K: int, B: int, alpha: float, share: float) -> dict:
    return {"K": K, "B": B, "alpha": alpha, "share": share}


def as_data(K: int, B: int, alpha: float, share: float) -> Data:
    return Data(n_classes=K, copies=B, exponent=alpha, burst_share=share, n_pairs=dials_page.N, n_labels=dials_page.L)


@pytest.fixture
def figure(mounted):
    return mounted("four_dials", DATA)


def test_the_shares_are_those_of_the_book(figure):
    for one in dials_page.DIALS:
        found = figure.compute("four_dials", TOLD, [dials(*one), DATA])
        assert found == pytest.approx(dials_page.told(as_data(*one)), rel=1e-9)


def test_the_prompts_are_those_of_the_book(figure):
    for seed, one in enumerate(dials_page.DIALS):
        found = figure.compute("four_dials", DRAWN, [dials(*one), DATA, seed, 20])
        numbers = dials_page.uniform(seed)
        drawn = [dials_page.prompt(as_data(*one), numbers) for _ in range(20)]
        assert [(p["context"], p["target"]) for p in found] == drawn


def test_drawn_prompts_have_the_exact_share():
    for one in dials_page.DIALS:
        numbers, data = dials_page.uniform(7), as_data(*one)
        shown = [target in context for context, target in (dials_page.prompt(data, numbers) for _ in range(300))]
        assert sum(shown) / 300 == pytest.approx(dials_page.told(data)["shown"], abs=0.09)


def test_the_numbers_are_even():
    found = list(islice(dials_page.uniform(3), 4000))
    assert 0 <= min(found) < 0.01 and 0.99 < max(found) < 1
    assert sum(found) / 4000 == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        ((24, 1, 0.0, 1.0), "multiple of the 16 labels"),
        ((8, 1, 0.0, 1.0), "multiple of the 16 labels"),
        ((64, 3, 0.0, 1.0), "divide 4"),
        ((64, 1, -0.5, 1.0), "α"),
        ((64, 1, None, 1.0), "not a number"),
        ((64, 1, 0.0, 1.5), "share"),
    ],
)
def test_what_is_no_data_is_said(figure, one, says):
    call = """({ told }, [dials, data]) => { try { told(dials, data); } catch (error) { return error.message; } }"""
    assert says in figure.compute("four_dials", call, [dials(*one), DATA])


def test_a_reader_turns_the_dials(figure):
    assert "in 100 % of the prompts" in figure.note and "31 times on average" in figure.note
    figure.slide("K, classes", 6)
    assert "500 times" in figure.note
    figure.page.get_by_label("B, copies").select_option("b0")
    assert "in 6 % of the prompts" in figure.note
    before = figure.page.get_by_role("group", name="Five prompts").inner_text()
    figure.page.get_by_role("button", name="Draw five others").click()
    assert figure.page.get_by_role("group", name="Five prompts").inner_text() != before
    figure.not_a_number("α, unevenness")
    assert "not a number" in figure.note
    figure.slide("α, unevenness", 2)
    assert "times on average" in figure.note


def test_it_is_well_on_every_screen(figure):
    assert figure.problems() == []

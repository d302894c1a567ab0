"""The memory that fills up: its reads are Python's, and no input breaks it."""

import json

import numpy as np
import pytest

from snippets.interactives import filling_memory as filling

pytestmark = pytest.mark.browser
DATA = json.loads(json.dumps(filling.data(None)))
RECALLED = """({ keysOf, recalled }, [data, rule, n, d]) => recalled(rule, keysOf(data.numbers, n, d), data.strength)"""


@pytest.fixture
def figure(mounted):
    return mounted("filling_memory", DATA)


@pytest.mark.parametrize("rule", ["linear", "delta", "mesa"])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (4, 8), (16, 16), (24, 4), (24, 16)])
def test_the_reads_are_those_of_the_book(figure, rule, n, d):
    found = figure.compute("filling_memory", RECALLED, [DATA, rule, n, d])
    np.testing.assert_allclose(found, filling.recalled(rule, n, d).numpy(), atol=1e-8)


def test_which_read_is_useful_by_hand(figure):
    read = [[1.0, 0.5], [1.1, 0.6]]
    found = figure.compute("filling_memory", "({ judged }, read) => judged(read)", read)
    assert [one["useful"] for one in found] == [True, False]
    assert [one["error"] for one in found] == pytest.approx([0.25, 1.37])


def test_a_reader_fills_it(figure):
    assert "4 pairs in 8 dimensions" in figure.note
    figure.page.get_by_role("button", name="Store one more pair").click()
    assert "5 pairs in 8 dimensions" in figure.note
    figure.slide("dimensions of a key", 1)
    assert "5 pairs in 1 dimension:" in figure.note
    figure.page.get_by_label("Memory").select_option("delta")
    assert "of the newest 0.00" in figure.note  # DeltaNet reads back what it wrote last
    figure.page.get_by_role("button", name="Start again").click()
    assert "1 pair in 1 dimension: 1 of 1 reads" in figure.note
    figure.slide("pairs stored", 24)
    figure.page.get_by_role("button", name="Store one more pair").click()
    assert "all are stored" in figure.note and "24" in figure.note
    figure.slide("pairs stored", 3)
    assert "3 pairs" in figure.note


def test_what_is_no_number_is_said_and_survived(figure):
    figure.not_a_number("pairs stored")
    assert "not a number" in figure.note
    figure.slide("pairs stored", 6)
    assert "6 pairs" in figure.note


def test_a_rule_that_is_none(figure):
    call = (
        """({ recalled }) => { try { return recalled('none', [[1]], 1); } catch (error) { return error.message; } }"""
    )
    assert figure.compute("filling_memory", call) == "There is no rule 'none'."


def test_it_is_well_on_every_screen(figure):
    assert figure.problems() == []

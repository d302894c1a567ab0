"""The scrubber in the browser: it shows the looks that were recorded, and no others."""

import numpy as np
import pytest

from snippets.book.pages.facts import Facts
from snippets.induction_heads import watch_it_grow
from snippets.interactives import grow_one

pytestmark = [pytest.mark.results, pytest.mark.browser]


@pytest.fixture(scope="module")
def content(data_of):
    return data_of("grow_one")


@pytest.fixture
def figure(mounted, content):
    return mounted("grow_one", content)


def test_what_the_data_say_is_what_was_measured():
    assert grow_one.PROBE == watch_it_grow.PROBE and slice(*grow_one.SECOND) == watch_it_grow.SECOND


def test_maps_are_those_of_the_record(figure, content):
    """In both copies of a letter, and in all: what the browser unpacks is what Python measured."""
    runs, n = Facts(draft=False).runs("watch_it_grow"), len(grow_one.PROBE)
    call = """({ bytes, mapAt }, [runs, n, looks]) => runs.map(({ maps }) => looks.map((look) =>
        [0, 1].map((layer) => [0, 1].map((head) => mapAt(bytes(maps), n, 2, look, layer, head).flat()))))"""
    looks = [0, 7, len(content["steps"]) - 1]
    found = np.array(figure.compute("grow_one", call, [content["runs"], n, looks]))
    for run, one in zip(runs, found, strict=True):
        np.testing.assert_allclose(one, run["maps"][looks] / 255, atol=1e-12)
        back, follows = watch_it_grow.in_the_probe(run["maps"], run["heads"].tolist())
        assert follows[-1] == pytest.approx(run["follows_end"], abs=1e-4)
        assert back[-1] == pytest.approx(run["back_end"], abs=1e-4)


def test_the_page_draws_what_was_recorded(figure, content):
    figure.slide("training step", len(content["steps"]) - 1)
    run, n = Facts(draft=False).runs("watch_it_grow")[0], len(grow_one.PROBE)
    shown = "map => [...map.querySelectorAll('.touch-ink')].map(ink => Number(ink.style.fillOpacity))"
    for layer in (0, 1):
        seen = figure.page.locator(".touch-panels svg").nth(layer).evaluate(shown)
        assert len(seen) == n * (n + 1) / 2
        np.testing.assert_allclose(seen, run["maps"][-1, layer, run["heads"][layer]] / 255, atol=1e-4)


def test_a_reader_scrubs_and_changes_network_and_heads(figure, content):
    assert figure.note.startswith("Step 0: loss 3.")
    slider = figure.page.get_by_role("slider", name="training step")
    slider.focus()
    figure.page.keyboard.press("End")
    assert figure.note.startswith(f"Step {content['steps'][-1]}: ") and slider.get_attribute("aria-valuetext") == "450"
    before = figure.note
    figure.page.get_by_role("combobox", name="Network").select_option("3")
    assert figure.note.startswith("Step 450: ") and figure.note != before
    title = figure.page.locator(".touch-title").first.inner_text()
    figure.page.get_by_role("combobox", name="Heads").select_option("others")
    assert figure.page.locator(".touch-title").first.inner_text() != title and figure.errors == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_plays_and_stops(mounted, content, motion):
    figure = mounted("grow_one", content, reduced_motion=motion)
    figure.page.get_by_role("button", name="Play").click()
    figure.page.wait_for_timeout(1200)
    figure.page.get_by_role("button", name="Stop").click()
    at = float(figure.page.get_by_role("slider", name="training step").input_value())
    assert (1 <= at <= 2) if motion == "reduce" else at >= 2
    assert figure.note.startswith(f"Step {content['steps'][int(at)]}: ")


@pytest.mark.parametrize("bad", ["NaN", "", "99999", "-1e400", "late"])
def test_bad_input_leaves_it_usable(figure, bad):
    figure.slide("training step", bad)
    assert figure.note.startswith("Step ") and "NaN" not in figure.note
    figure.not_a_number("training step")
    assert figure.note == "The look is not a number."
    figure.slide("training step", 3)
    assert figure.note.startswith("Step 45: ")


@pytest.mark.parametrize("broken", [None, {}, {"runs": []}])
def test_without_maps_it_fails_in_a_line(mounted, broken):
    with pytest.raises(Exception, match="the recorded maps are missing"):
        mounted("grow_one", broken)


def test_maps_that_were_cut_are_said(mounted, content):
    cut = content | {"runs": [content["runs"][0] | {"maps": content["runs"][0]["maps"][:4000]}]}
    figure = mounted("grow_one", cut)
    assert figure.note.startswith("Step 0")
    figure.slide("training step", 20)
    assert figure.note.startswith("There is no map of look 20, layer 1")
    figure.slide("training step", 1)
    assert figure.note.startswith("Step 15")


def test_it_is_accessible_and_fits(figure):
    assert figure.problems() == []

"""The built site in a real browser: search, themes, narrow screens, print, console, accessibility."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from snippets.book.paths import SITE
from tests.site import ADDRESSES, AXE, CHAPTERS, EAGER, HEAVIEST, LABS, THIN, UNFOLD, served

pytestmark = [pytest.mark.results, pytest.mark.browser]


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the built site is served."""
    assert (SITE / "index.html").exists(), "there is no site; run `make book`"
    with served(SITE) as url:
        yield url


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_on_every_screen(watched, address, path):
    """Each page is opened once, and asked on a wide and a narrow screen, in the light and the dark, for all that a
    page must not do: fail, fetch from elsewhere, scroll sideways, keep something from those who see or move otherwise.
    """
    one = watched(address + path, color_scheme="light")
    one.page.wait_for_load_state("networkidle")
    problems = [f"{weight} bytes at once"] if (weight := one.weight(address, SITE)) > HEAVIEST else []
    one.page.evaluate(EAGER)
    one.page.wait_for_load_state("networkidle")
    one.page.evaluate(UNFOLD)
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    problems += [f"no picture: {source}" for source in one.page.evaluate(broken)]
    unsized = "[...document.querySelectorAll('article img')].filter(i => !i.getAttribute('width')).map(i => i.src)"
    problems += [f"no width and height: {source}" for source in one.page.evaluate(unsized)]
    for width, theme in ((360, "dark"), (1280, "light")):  # the frame's colours in the dark: the test after this one
        one.show(width, theme)
        problems += [f"{width} pixels: scrolls sideways"] if one.overflow() else []
        if width == 360:
            one.page.add_script_tag(path=str(AXE))
            one.page.evaluate(THIN)
        problems += [f"{width} pixels, {theme}: {line}" for line in one.serious()]
    problems += [f"console: {line}" for line in one.errors] + [f"fetched: {url}" for url in one.foreign(address)]
    assert problems == [], "\n".join(problems)


@pytest.mark.parametrize("path", ["", CHAPTERS[0], LABS[0], "ledger/"])
def test_the_frame_of_a_page_has_contrast_in_the_dark_and_fits_in_the_light(watched, address, path):
    """What stands around the text on a wide screen is the same on each page, and a theme moves nothing."""
    one = watched(address + path, color_scheme="dark")
    one.show(1280, "dark")
    one.page.add_script_tag(path=str(AXE))
    problems = one.serious("runOnly: ['color-contrast']")
    one.show(360, "light")
    problems += ["scrolls sideways"] if one.overflow() else []
    assert problems == [], "\n".join(problems)


def test_the_index_of_the_search_is_fetched_when_the_search_is_used(watched, address):
    one = watched(address + CHAPTERS[0])
    one.page.wait_for_load_state("networkidle")
    fetched = lambda: [url for url in one.requests if "search_index" in url]  # noqa: E731
    assert fetched() == []
    one.page.get_by_role("textbox", name="Search").click()
    one.page.wait_for_load_state("networkidle")
    assert len(fetched()) == 1
    linked = watched(address + "?q=induction")
    expect(linked.page.locator(".md-search-result__link").first).to_be_attached()


FOUND_FIRST = {
    "Akyurek": "algorithms/regression/",
    "OLS": "algorithms/regression/",
    "RoPE": "mechanisms/positions/",
    "softmax attention": "mechanisms/attention/",
    "IWL": "abrupt-learning/data/",
    "burstiness": "abrupt-learning/data/",
    "in-context": "mechanisms/what-is-icl/",
    "induction head": "induction-heads/by-hand/",
    "phase change": "induction-heads/grow-one/",
    "abrupt": "abrupt-learning/jump/",
    "MAML": "meta-learning/bilevel/",
}


def test_search_finds_the_right_chapter_first(watched, address):
    one = watched(address)
    box = one.page.get_by_role("textbox", name="Search")
    box.click()
    first = one.page.locator(".md-search-result__list > li:first-child .md-search-result__link").first
    found = {}
    for words, chapter in FOUND_FIRST.items():
        box.fill("")
        box.press_sequentially(words)  # the theme listens to keys
        try:
            expect(first).to_have_attribute("href", leading_to(chapter), timeout=4000)
            found[words] = chapter
        except AssertionError:
            found[words] = first.get_attribute("href") if first.count() else "nothing"
    assert found == FOUND_FIRST
    first.click()
    one.page.wait_for_url(f"**/{list(FOUND_FIRST.values())[-1]}**")
    expect(one.page.locator("h1")).to_be_visible()
    assert one.errors == []


def leading_to(chapter: str) -> re.Pattern[str]:
    return re.compile(rf"(^|/){re.escape(chapter)}($|[?#])")


def visible_figures(page: Page) -> list[str]:
    seen = "[...document.querySelectorAll('.book-figure img')].filter(i => i.offsetParent).map(i => i.src)"
    return page.evaluate(seen)


def test_the_switch_swaps_the_figures_and_is_remembered(watched, address):
    one = watched(address + CHAPTERS[0], color_scheme="dark")
    assert (seen := visible_figures(one.page)) and all(".dark." in source for source in seen)
    one.show(1280, "light")
    assert (seen := visible_figures(one.page)) and all(".light." in source for source in seen)
    switch = one.page.locator("form[data-md-component='palette'] label:visible")
    for _ in ("light", "dark"):  # system, then light, then dark
        switch.click()
    seen = visible_figures(one.page)
    assert seen and all(".dark." in source for source in seen)
    one.page.reload()
    assert all(".dark." in source for source in visible_figures(one.page))
    switch.click()
    assert all(".light." in source for source in visible_figures(one.page))


def test_printed_from_the_dark_it_is_light_with_one_picture_of_each_figure(watched, address):
    one = watched(address + CHAPTERS[0], color_scheme="dark")
    one.page.emulate_media(media="print", color_scheme="dark")
    seen = visible_figures(one.page)
    assert seen and all(".light." in source for source in seen)
    channels = "element => getComputedStyle(element).color.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    for text in ("h1", ".book-figure figcaption", "article pre code", "article p"):
        color = one.page.locator(text).first.evaluate(channels)
        assert max(color) < 140, f"{text} is printed in {color}, too light for paper"
    paper = one.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)", "rgb(253, 252, 249)"), paper


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_a_term_shows_its_definition_and_leads_to_it(watched, address, way):
    one = watched(address + "abrupt-learning/jump/")
    term = one.page.locator("article a.term").first
    getattr(term, way)()
    shown = one.page.locator(".md-tooltip2--active, .md-tooltip2[role=dialog]").last
    expect(shown).to_be_visible()
    anchor = (term.get_attribute("href") or "").partition("#")[2]
    hidden = one.page.locator(f".term-previews [id='{anchor}']").text_content() or ""
    assert len(hidden) > 20 and " ".join(hidden.split()) in " ".join((shown.text_content() or "").split())
    term.click()
    one.page.wait_for_url(f"**#{anchor}")
    expect(one.page.locator(f"dfn[id='{anchor}']")).to_be_in_viewport()
    assert one.errors == []


@pytest.mark.parametrize(("width", "drawing"), [(1280, "wide"), (360, "narrow")])
def test_the_map_fits_the_screen_and_leads_to_the_chapters(watched, address, width, drawing):
    one = watched(address + "map/", viewport={"width": width, "height": 900})
    assert one.page.locator(".book-map svg:visible").count() == 1
    entries = one.page.locator(f".map-{drawing} .map-chapter a")
    assert entries.count() == len(CHAPTERS)
    outside = """drawing => [...drawing.querySelectorAll('text')].filter(text => {
        const box = text.getBBox(); return box.x + box.width > drawing.viewBox.baseVal.width;
    }).map(text => text.textContent)"""
    assert one.page.locator(f".map-{drawing}").evaluate(outside) == []
    entries.last.locator(".map-title").click()
    expect(one.page.locator("article figure").first).to_be_attached()
    assert one.page.url.removeprefix(address) in CHAPTERS


def test_what_scrolls_sideways_can_be_reached_by_key(watched, address):
    one = watched(address + "algorithms/preconditioner/", viewport={"width": 360, "height": 740})
    boxes = one.page.locator(".formula[tabindex='0']")
    assert boxes.count() > 0
    boxes.first.focus()
    one.page.keyboard.press("ArrowRight")
    one.page.wait_for_function("document.activeElement.scrollLeft > 0")
    assert boxes.first.get_attribute("role") == "group" and boxes.first.get_attribute("aria-label")


def test_code_can_be_copied(watched, address):
    one = watched(address + CHAPTERS[0], permissions=["clipboard-read", "clipboard-write"])
    listing = one.page.locator("article .language-python.highlight:visible").first
    listing.hover()
    listing.locator("button[data-md-type='copy'], .md-clipboard").first.click()
    assert "for name" in one.page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("path", LABS)
def test_a_lab_is_folded_and_its_notebooks_can_be_downloaded(watched, address, path):
    one = watched(address + path)
    links = one.page.locator("article a[download]")
    name = path.split("/")[1]
    assert links.count() == 2
    for link in links.all():
        with one.page.expect_download() as found:
            link.click()
        assert found.value.suggested_filename in (f"{name}.ipynb", f"{name}-solution.ipynb")
        assert json.loads(Path(found.value.path()).read_text(encoding="utf-8"))["nbformat"] == 4
    folds = one.page.locator("article details")
    assert folds.count() > 4 and one.page.locator("article details[open]").count() == 0
    folds.first.locator("summary").click()
    expect(folds.first.locator("pre").first).to_be_visible()
    assert one.errors == []


def test_a_citation_shows_its_work_on_hover(watched, address):
    one = watched(address + "abrupt-learning/jump/")
    one.page.locator("sup a.footnote-ref").first.hover()
    expect(one.page.locator(".md-tooltip2--active, .md-tooltip2[role=dialog]").first).to_contain_text("Reddy")


def test_a_mark_leads_to_its_entry_in_the_ledger_and_unfolds_it(watched, address):
    one = watched(address + CHAPTERS[0])
    mark = one.page.locator("a.claim").first
    entry = (mark.get_attribute("href") or "").split("#")[1]
    mark.click()
    one.page.wait_for_url(f"**/ledger/#{entry}")
    expect(one.page.locator(f"details#{entry}")).to_be_in_viewport()
    expect(one.page.locator(f"#{entry} dl")).to_be_visible()


def test_a_number_shows_what_was_asked_of_it_on_hover_and_focus(watched, address):
    for way in ("hover", "focus"):
        one = watched(address + "abrupt-learning/jump/")
        getattr(one.page.locator("article a.claim").first, way)()
        expect(one.page.locator(".md-tooltip2--active").first).to_contain_text("Asked:")


def test_a_prediction_veils_its_figure_until_it_is_made(watched, address):
    one = watched(address + "abrupt-learning/jump/")
    asked = one.page.locator(".predict").first
    figure = one.page.locator(f"[id='{asked.get_attribute('data-unveils')}']")
    expect(figure.locator("img:visible")).to_have_count(0)
    wrong = {"1": 2}.get(asked.get_attribute("data-answer") or "", 1)
    asked.locator("li button").nth(wrong - 1).focus()
    one.page.keyboard.press("Enter")
    expect(figure.locator("img:visible")).to_have_count(1)
    expect(asked.get_by_role("status")).to_contain_text(f"Measured was number {asked.get_attribute('data-answer')}.")
    expect(asked.locator("li.right button")).to_have_count(1)
    plain = watched(address + "abrupt-learning/jump/", java_script_enabled=False)
    assert plain.page.locator(".veiled").count() == 0 and plain.page.locator(".predict li").count() >= 2
    linked = watched(address + f"abrupt-learning/jump/#{asked.get_attribute('data-unveils')}")
    expect(linked.page.locator(f"[id='{asked.get_attribute('data-unveils')}'] img:visible")).to_have_count(1)
    assert one.errors == []


def test_the_ledger_is_filtered_by_verdict_chapter_paper_and_words(watched, address):
    one = watched(address + "ledger/")
    told = one.page.locator("#ledger-filter").get_by_role("status")
    expect(told).to_contain_text("claims")
    one.page.get_by_label("Verdict").select_option("not reproduced")
    shown = one.page.locator("details.ledger-claim:visible")
    assert 0 < shown.count() == int((told.text_content() or "").split()[0])
    assert {claim.get_attribute("data-verdict") for claim in shown.all()} == {"not reproduced"}
    one.page.get_by_label("Words").fill("no such words anywhere")
    expect(told).to_contain_text("0 of")
    assert shown.count() == 0 and one.errors == []


def test_the_first_screen_says_what_it_is_and_shows_the_ways_in(watched, address):
    one = watched(address)
    expect(one.page.locator(".book-lead").first).to_be_in_viewport()
    expect(one.page.locator(".book-figure svg.diagram").first).to_be_in_viewport(ratio=1)
    for way in one.page.locator(".ways-in > div").all():
        expect(way).to_be_in_viewport(ratio=1)
    assert one.page.locator(".ways-in > div").count() == 4


def test_without_scripts_the_page_is_whole(watched, address):
    one = watched(address + CHAPTERS[0], java_script_enabled=False)
    expect(one.page.locator(".katex").first).to_be_visible()
    assert one.page.locator(".book-figure img").count() >= 2

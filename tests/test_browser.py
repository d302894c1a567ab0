"""The built site in a real browser: search, themes, narrow screens, console, accessibility."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from snippets.book.pages import labs, pages
from snippets.book.paths import ROOT, SITE
from tests import browser as chromium

pytestmark = [pytest.mark.results, pytest.mark.browser]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHAPTERS = [p.name.removeprefix("docs/").removesuffix(".md") + "/" for p in pages.read_all() if "number" in p.meta]
LABS = [f"labs/{lab}/" for lab in labs.discover()]
PARTS = [
    p.name.removeprefix("docs/").removesuffix("index.md")
    for p in pages.read_all()
    if "part" in p.meta and "number" not in p.meta
]
ADDRESSES = [
    "",
    "map/",
    "glossary/",
    "ledger/",
    "run-times/",
    "references/",
    "about/claims/",
    "labs/",
    *PARTS,
    *CHAPTERS,
    *LABS,
]
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the built site is served."""
    assert (SITE / "index.html").exists(), "there is no site; run `make book`"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. A missing one fails: what it checks is not checked elsewhere."""
    path = chromium.find()
    assert path, "there is no Chromium; run `make browser`"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield running
        running.close()


class Watched:
    """A page that remembers what went wrong on it."""

    def __init__(self, browser: Browser, **options) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", self.look)

    def look(self, response: Response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")


@pytest.fixture
def watched(browser) -> Iterator:
    opened: list[Watched] = []

    def open_page(url: str, **options) -> Watched:
        one = Watched(browser, **({"viewport": {"width": 1280, "height": 900}} | options))
        opened.append(one)
        one.page.goto(url)
        return one

    yield open_page
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_error_and_no_foreign_request(watched, address, path):
    one = watched(address + path)
    one.page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    one.page.wait_for_load_state("networkidle")
    assert one.errors == []
    assert all(url.startswith((address, "data:", "blob:")) for url in one.requests), one.requests
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert one.page.evaluate(broken) == []


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_sideways_scroll_at_360_pixels(watched, address, path, theme):
    one = watched(address + path, viewport={"width": 360, "height": 740}, color_scheme=theme)
    one.page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    width, room = one.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(watched, address, path, theme):
    one = watched(address + path, color_scheme=theme)
    one.page.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    one.page.add_script_tag(path=str(AXE))
    found = one.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])} times)"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], "\n".join(serious)


@pytest.mark.parametrize(
    ("words", "chapter"), [("induction head", "induction-heads/"), ("abrupt learning", "abrupt-learning/")]
)
def test_search_finds_a_chapter_and_opens_it(watched, address, words, chapter):
    one = watched(address)
    box = one.page.get_by_role("textbox", name="Search")
    box.click()
    box.press_sequentially(words, delay=20)
    result = one.page.locator(f".md-search-result__link[href*='{chapter}']").first
    expect(result).to_be_visible(timeout=10_000)
    result.click()
    one.page.wait_for_url(f"**/{chapter}**")
    expect(one.page.locator("h1")).to_be_visible()
    assert one.errors == []


def visible_figures(page: Page) -> list[str]:
    seen = "[...document.querySelectorAll('.book-figure img')].filter(i => i.offsetParent).map(i => i.src)"
    return page.evaluate(seen)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_follow_the_reader_s_system(watched, address, theme):
    seen = visible_figures(watched(address + CHAPTERS[0], color_scheme=theme).page)
    assert seen and all(f".{theme}." in source for source in seen)


def test_the_switch_swaps_the_figures_and_is_remembered(watched, address):
    one = watched(address + CHAPTERS[0], color_scheme="light")
    assert all(".light." in source for source in visible_figures(one.page))
    for title in ("Switch to light", "Switch to dark"):  # system, then light, then dark
        one.page.locator(f"label[title='{title}']").click()
    seen = visible_figures(one.page)
    assert seen and all(".dark." in source for source in seen)
    one.page.reload()
    assert all(".dark." in source for source in visible_figures(one.page))
    one.page.locator("label[title='Follow the system']").click()
    assert all(".light." in source for source in visible_figures(one.page))


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


def test_code_can_be_copied(watched, address):
    one = watched(address + CHAPTERS[0], permissions=["clipboard-read", "clipboard-write"])
    one.page.locator(".highlight").first.hover()
    one.page.locator(".highlight button[title='Copy to clipboard'], .md-clipboard").first.click()
    assert "def " in one.page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("path", LABS)
def test_the_notebooks_of_a_lab_can_be_downloaded(watched, address, path):
    one = watched(address + path)
    for link in one.page.locator(".admonition a[download]").all():
        with one.page.expect_download() as found:
            link.click()
        name = path.split("/")[1]
        assert found.value.suggested_filename in (f"{name}.ipynb", f"{name}-solution.ipynb")
        assert json.loads(Path(found.value.path()).read_text())["nbformat"] == 4
    assert one.page.locator(".admonition a[download]").count() == 2 and one.errors == []


@pytest.mark.parametrize("path", LABS)
def test_checks_and_hints_of_a_lab_are_folded(watched, address, path):
    one = watched(address + path)
    folds = one.page.locator("article details")
    assert folds.count() > 4 and one.page.locator("article details[open]").count() == 0
    summary = folds.first.locator("summary")
    summary.click()
    expect(folds.first.locator("pre")).to_be_visible()


def test_a_citation_shows_its_work_on_hover(watched, address):
    one = watched(address + "abrupt-learning/jump/")
    one.page.locator("sup a.footnote-ref").first.hover()
    expect(one.page.locator(".md-tooltip2--active, .md-tooltip2[role=dialog]").first).to_contain_text("Reddy")


def test_a_mark_leads_to_its_entry_in_the_ledger(watched, address):
    one = watched(address + CHAPTERS[0])
    mark = one.page.locator("a.claim-mark").first
    entry = mark.get_attribute("href").split("#")[1]
    mark.click()
    one.page.wait_for_url(f"**/ledger/#{entry}")
    expect(one.page.locator(f"#{entry}")).to_be_in_viewport()


def test_the_first_screen_says_what_it_is_and_shows_the_ways_in(watched, address):
    one = watched(address)
    expect(one.page.locator(".book-lead").first).to_be_in_viewport()
    expect(one.page.locator(".book-figure img:visible").first).to_be_in_viewport(ratio=1)
    for way in one.page.locator(".ways-in > div").all():
        expect(way).to_be_in_viewport(ratio=1)
    assert one.page.locator(".ways-in > div").count() == 3


def test_without_scripts_the_page_is_whole(watched, address):
    one = watched(address + CHAPTERS[0], java_script_enabled=False)
    expect(one.page.locator(".katex").first).to_be_visible()
    assert one.page.locator(".book-figure img").count() >= 2

"""A page in Chromium that can import the scripts of snippets/interactives/, with the book's colours."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from snippets.book.paths import ROOT
from tests import browser as chromium
from tests.site import OPTIONS, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, "there is no Chromium; run `make browser`"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the repository is served: scripts are imported from /snippets/interactives/."""
    with served(ROOT) as url:
        yield url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """An empty page of that origin, as narrow as a phone. A script that fails on it fails the test."""
    errors: list[str] = []
    with browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True) as context:
        opened = context.new_page()
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(f"{address}README.md")
        opened.set_content(
            '<link rel="stylesheet" href="/docs/assets/book.css">'
            '<body data-md-color-scheme="default" class="md-typeset">'
            '<div class="touch-place" id="place"></div></body>'
        )
        yield opened
    assert errors == []

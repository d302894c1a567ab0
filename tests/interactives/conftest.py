"""A bare page on which a figure to touch is mounted, in a real browser, from the folder that holds it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from snippets.book.pages import shown
from snippets.book.paths import ROOT
from tests.site import AXE, Watched, served

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A figure to touch</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="book.css">
<style>* { box-sizing: border-box; } html { font-size: 125%; }
body { margin: 0; font-size: 16px; background: var(--md-default-bg-color); color: var(--md-default-fg-color); }
</style>
<body data-md-color-scheme="default"><main class="md-typeset"><h1>Page</h1>
<figure class="touch"><div class="touch-place" role="group" aria-label="a figure">
<p>waiting</p></div></figure></main></body></html>"""
MOUNT = """async ([name, data]) => {
  const place = document.querySelector('.touch-place'), { mount } = await import(`./${name}.js`);
  place.replaceChildren();
  window.failures = [];
  await mount(place, data, (error) => window.failures.push(error.message));
  place.dataset.ready = '';
}"""


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


@pytest.fixture(scope="session")
def stage(tmp_path_factory) -> Iterator[str]:
    """Where snippets/interactives is served, beside an empty page with the book's looks."""
    root = tmp_path_factory.mktemp("stage")
    for path in shown.INTERACTIVES.iterdir():
        (root / path.name).symlink_to(path)
    for name, library in shown.LIBRARIES.items():
        (root / name).symlink_to(library / "dist")
    css = (ROOT / "docs" / "assets" / "book.css").read_text(encoding="utf-8")
    (root / "book.css").write_text(re.sub(r"@font-face \{.*?\}", "", css, flags=re.DOTALL), encoding="utf-8")
    (root / "index.html").write_text(PAGE, encoding="utf-8")
    with served(root) as url:
        yield url


class Figure(Watched):
    """A figure that was mounted."""

    def compute(self, module: str, call: str, argument: Any = None) -> Any:
        """What `call`, an arrow function of the module and an argument, returns."""
        script = f"async (given) => ({call})(await import('./{module}.js'), given)"
        return self.page.evaluate(script, argument)

    @property
    def note(self) -> str:
        return self.page.locator(".touch-note").inner_text()

    def slide(self, name: str, value: float) -> None:
        """Put a slider somewhere, as a reader does."""
        self.page.get_by_role("slider", name=name).evaluate(
            "(input, to) => { input.value = to; input.dispatchEvent(new Event('input', { bubbles: true })); }",
            str(value),
        )

    def not_a_number(self, name: str) -> None:
        """Force into a slider what its type would not let in."""
        self.page.get_by_role("slider", name=name).evaluate(
            """(input) => { Object.assign(input, { type: 'text', value: 'much' }).dispatchEvent(new Event('input'));
            input.type = 'range'; }"""
        )

    def problems(self) -> list[str]:
        """What is wrong with it in the light, in the dark, and on a narrow screen."""
        self.page.add_script_tag(path=str(AXE))
        found = []
        for scheme, width in (("default", 1280), ("slate", 1280), ("default", 360)):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.evaluate("to => document.body.setAttribute('data-md-color-scheme', to)", scheme)
            found += [f"{scheme}, {width}: {line}" for line in self.serious()]
            found += [f"{width}: scrolls sideways"] if self.overflow() else []
        return found + self.errors


@pytest.fixture
def mounted(browser, stage) -> Iterator:
    opened: list[Figure] = []

    def mount(name: str, data: Any = None, **options: Any) -> Figure:
        one = Figure(browser, **options)
        opened.append(one)
        one.page.goto(stage)
        one.page.evaluate(MOUNT, [name, data])
        return one

    yield mount
    for one in opened:
        one.context.close()


@pytest.fixture(scope="session")
def data_of():
    """The data of a figure, as the pipeline makes it from the record."""
    from snippets.book.pages.facts import Facts

    def made(name: str) -> Any:
        content = shown.interactive(name).data(Facts(draft=False).runs)
        return None if content is None else json.loads(content)

    return made

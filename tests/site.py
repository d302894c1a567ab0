"""The built site, served, and a browser to look at it with: what the tests of tests/test_browser.py share."""

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, sync_playwright

from snippets.book.pages import navigation, pages
from snippets.book.paths import ROOT
from tests import browser as chromium

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
ADDRESSES = [pages.address(file) for file in navigation.files()]
CHAPTERS = [page.url for page in pages.chapters()]
LABS = [pages.address(file) for file in navigation.files() if file.endswith(".ipynb")]
HEAVIEST = 400_000  # bytes of a chapter before a reader does anything
UNFOLD = "document.querySelectorAll('details').forEach(folded => folded.open = true)"
THIN = """() => {  // what one rule draws a hundred times axe need not ask a hundred times: that takes half of its time
  const seen = new Set();
  const again = (kind) => seen.has(kind) || !seen.add(kind);
  for (const piece of document.querySelectorAll('.highlight code span:not(:has(*))'))
    if (again(piece.className)) piece.replaceWith(...piece.childNodes);  // one piece of each class of a listing
  for (const drawn of document.querySelectorAll('.katex-html')) drawn.textContent = drawn.textContent;  // one colour
  for (const row of document.querySelectorAll('tbody:has(tr:nth-child(50)) tr, .ledger-claim'))
    if (again([row, ...row.querySelectorAll('*')].map(part => part.tagName + part.className).join())) row.remove();
}"""
EAGER = "document.querySelectorAll('img').forEach(image => image.loading = 'eager')"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder at an address of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def launched() -> Iterator[Browser]:
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
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
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

    def weight(self, address: str, folder: Path) -> int:
        """Bytes of what the page has asked of the site so far, text as a server packs it."""
        files = {folder / url.removeprefix(address).split("#")[0] for url in self.requests if url.startswith(address)}
        files = {file / "index.html" if file.is_dir() else file for file in files}
        return sum(
            file.stat().st_size if file.suffix in (".png", ".woff2") else len(gzip.compress(file.read_bytes()))
            for file in files
        )

    def foreign(self, address: str) -> list[str]:
        """The requests that left the site."""
        return [url for url in self.requests if not url.startswith((address, "data:", "blob:"))]

    def serious(self, options: str = "") -> list[str]:
        """What axe finds serious, and twin landmarks and empty headers; with options, such as one rule only."""
        # to say where each rule was kept takes axe longer than to find where it was broken
        found = self.page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], {options}}})")
        return [
            f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])} times)"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical") or v["id"] in ("landmark-unique", "empty-table-header")
        ]

    def show(self, width: int, theme: str) -> None:
        """The same page on another screen: the theme follows the system, the layout the width."""
        self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": width, "height": 900})
        scheme = {"light": "default", "dark": "slate"}[theme]
        self.page.wait_for_function(f"document.body.getAttribute('data-md-color-scheme') === '{scheme}'")
        self.page.wait_for_timeout(150)  # observers of sizes, and colours that fade

    def overflow(self) -> bool:
        """Whether the page as a whole scrolls sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

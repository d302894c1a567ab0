"""make serve: the book at once, in draft; figures and numbers appear as their runs end.

Two things go on side by side. The server expands and renders what has changed (of an edited page only that page),
reloads the browser, and answers /progress.json. The runner makes what is stale, in a process of its own.
"""

import json
import logging
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mkdocs.livereload import LiveReloadServer

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import catalogue
from snippets.book.pages import expand, glossary, pages, publish, references
from snippets.book.pages.finish import Finisher
from snippets.book.pages.generator import Generator
from snippets.book.pages.runner import Runner
from snippets.book.paths import BUILD, DOCS, ROOT, SNIPPETS

LOOK_EVERY = 0.3  # seconds
Snapshot = dict[Path, int]  # file -> when it was last written


def serve(address: str) -> None:
    """Serve until interrupted."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"address '{address}' cannot be read: write host:port, such as 127.0.0.1:8000")
    for closing in ("SIGTERM", "SIGHUP"):  # a stopped or closed terminal ends it as Ctrl-C does
        if hasattr(signal, closing):
            signal.signal(getattr(signal, closing), signal.default_int_handler)
    runner = Runner()
    try:
        server = BookServer(runner, host, int(port))
    except OSError as error:
        raise BookError(
            f"cannot serve at {address}: {error.strerror}; try `make serve ADDRESS=127.0.0.1:8001`"
        ) from error
    threading.Thread(target=runner.work, daemon=True).start()
    try:
        server.build()
        print(f"the book, in draft: http://{address}/  (stop with Ctrl-C)", flush=True)
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        runner.stop()
        server.shutdown()
        shutil.rmtree(server.folder, ignore_errors=True)


class BookServer(LiveReloadServer):
    """mkdocs' own live server, which knows what has changed, and has one more address: /progress.json."""

    def __init__(self, runner: Runner, host: str, port: int) -> None:
        self.folder = BUILD / "drafts" / str(port)  # of its own: a second server disturbs no first
        super().__init__(builder=self.build, host=host, port=port, root=str(self.folder / "site"))
        self.server_bind()  # before anything is made: a taken port costs nothing
        self.server_activate()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watched_paths = {str(DOCS): 1}  # then pages reload
        self.runner = runner
        self.seen: Snapshot = {}
        self.generator = Generator(self.folder / "pages", self.folder / "unfinished", strict=False, url=self.url)
        self.finisher: Finisher | None = None

    def serve(self, *, open_in_browser: bool = False) -> None:
        threading.Thread(target=self.look, daemon=True).start()
        self.serve_thread.start()
        self._build_loop()

    def look(self) -> None:
        """Ask for a build whenever a file has changed."""
        last = self.seen
        while not self._shutdown:
            time.sleep(LOOK_EVERY)
            if (now := snapshot()) != last:
                last = now
                with self._rebuild_cond:
                    self._want_rebuild = True
                    self._rebuild_cond.notify_all()

    def build(self) -> None:
        """Bring the draft up to date; a mistake in a page is printed, and the pages stay as they were."""
        now = snapshot()
        changed = {path for path in now.keys() | self.seen.keys() if now.get(path) != self.seen.get(path)}
        before, self.seen = self.seen, now
        logging.getLogger("mkdocs").setLevel(logging.WARNING)
        try:
            if not (before and self.finisher and all(map(is_page, changed)) and changed <= now.keys() & before.keys()):
                self.build_all(code=bool(before) and any(path.is_relative_to(SNIPPETS) for path in changed))
            elif not self.build_pages(sorted(path.relative_to(DOCS).as_posix() for path in changed)):
                self.build_all(code=False)
        except BookError as error:
            print(f"error: {error}\nerror: the draft shows the pages as they were before", file=sys.stderr, flush=True)
        if not all(map(is_page, changed)):
            self.runner.look_again()

    def build_all(self, code: bool) -> None:
        """Expand, render and finish every page."""
        if code:
            catalogue.forget()
        references.forget()
        expand.expand(self.generator.pages, draft=True)
        shutil.rmtree(self.folder / "unfinished", ignore_errors=True)
        self.generator.build()
        finisher = Finisher(self.folder / "unfinished")
        finisher.all()
        publish.replace(Path(self.root), finisher.site)
        finisher.site = Path(self.root)
        self.finisher, self.outlines = finisher, {page.file: outline(page.file) for page in pages.read_all()}

    def build_pages(self, files: list[str]) -> bool:
        """Make these pages again. Returns False where others show something of what has changed in them."""
        assert self.finisher
        if any(outline(file) != self.outlines.get(file) for file in files):
            return False
        for file in files:
            expand.expand_one(file, self.generator.pages, draft=True)
            page = self.generator.rebuild(file, Path(self.root))
            self.finisher.write({page: page.read_text(encoding="utf-8")})
        return True

    def serve_request(self, environ: dict, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/progress.json":
            start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
            return [json.dumps(self.runner.progress()).encode()]
        return super().serve_request(environ, start_response)


def snapshot() -> Snapshot:
    """When each file was last written that the pages are made of."""
    found: Snapshot = {}
    made = [BUILD / "figures", ROOT / "record", BUILD / "labs"]
    for path in [ROOT / "mkdocs.yml", *(file for folder in (DOCS, SNIPPETS, *made) for file in folder.rglob("*"))]:
        try:
            if path.is_file() and path.suffix != ".pyc" and not path.name.startswith("."):
                found[path] = path.stat().st_mtime_ns
        except OSError:
            pass  # gone between the look and the question
    return found


def is_page(path: Path) -> bool:
    return path.suffix == ".md" and path.is_relative_to(DOCS)


def outline(file: str) -> tuple:
    """What other pages show of this one: its front matter and the terms that it defines."""
    page = pages.read(DOCS / file)
    return page.meta, glossary.terms_of(file, page.body)

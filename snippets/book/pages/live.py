"""make serve: the book at once, in draft; figures and numbers appear as their runs end.

Two things go on side by side. The server rebuilds and reloads the pages when prose, code or figures change, and answers
/progress.json. The runner makes what is stale by `build` in a process of its own, now and whenever an experiment's code
changes.
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

os.environ["BOOK_DRAFT"] = "1"
os.environ["NO_MKDOCS_2_WARNING"] = "1"

from mkdocs.commands.build import build as build_pages
from mkdocs.config import load_config
from mkdocs.exceptions import MkDocsException
from mkdocs.livereload import LiveReloadServer

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import builder, catalogue, fingerprint, watch
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.pages import labs, publish, references
from snippets.book.paths import BUILD, DOCS, ROOT, SHOWN_PRESET, SNIPPETS

DRAFT = BUILD / "draft"


def serve(address: str) -> None:
    """Serve until interrupted."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"address '{address}' cannot be read: write host:port, such as 127.0.0.1:8000")
    runner = Runner()
    server = BookServer(runner, host, int(port))
    builder.link_figures()
    server.build()
    for path in (DOCS, SNIPPETS, ROOT / "mkdocs.yml"):
        server.watch(str(path))
    print(f"the book, in draft: http://{address}/  (stop with Ctrl-C)", flush=True)
    threading.Thread(target=runner.work, daemon=True).start()
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    except OSError as error:
        raise BookError(
            f"cannot serve at {address}: {error.strerror}; try `make serve ADDRESS=127.0.0.1:8001`"
        ) from error
    finally:
        runner.stop()
        server.shutdown()


class BookServer(LiveReloadServer):
    """mkdocs' own live server, with one more address: /progress.json."""

    def __init__(self, runner: "Runner", host: str, port: int) -> None:
        self.runner = runner
        shutil.rmtree(DRAFT, ignore_errors=True)
        super().__init__(builder=self.build, host=host, port=port, root=str(DRAFT))

    def build(self) -> None:
        """Build the draft; a mistake in a page is printed, and the pages stay as they were."""
        logging.getLogger("mkdocs").setLevel(logging.WARNING)
        fresh = BUILD / "draft-unfinished"
        catalogue.forget()
        references.forget()
        try:
            labs.hold_places()
            config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(fresh), strict=False)
            config.site_url = self.url
            config.extra_javascript.append("assets/draft.js")
            build_pages(config, serve_url=self.url)
            publish.finish(fresh)
            publish.replace(DRAFT, fresh)
        except BookError as error:
            print(f"error: {error}", file=sys.stderr)
        except (MkDocsException, SystemExit):  # mkdocs and its macros have said why
            print("error: the page above has a mistake; the draft shows it as it was before", file=sys.stderr)
        self.runner.look_again()

    def serve_request(self, environ: dict, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/progress.json":
            start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
            return [json.dumps(self.runner.progress()).encode()]
        return super().serve_request(environ, start_response)


class Runner:
    """Makes what is stale in a process of its own, again whenever the experiments' code has changed."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.process: subprocess.Popen | None = None
        self.problem = ""
        self.made: dict[str, str] = {}

    def work(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            self.run_once()

    def run_once(self) -> None:
        arguments = [sys.executable, "-m", "snippets", "build", "--no-site"]
        self.process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
        lines = [line.rstrip() for line in self.process.stderr or []]
        failed = self.process.wait()
        self.problem = next((line for line in lines if line.startswith("error: ")), "") if failed else ""
        if failed:
            print("\n".join(lines), file=sys.stderr, flush=True)
        else:
            print("every experiment is measured, every lab is made", flush=True)

    def look_again(self) -> None:
        """Start a run if the code of an experiment or a lab is not what it was at the last look."""
        try:
            now = {
                name: fingerprint.of_figures(name, SHOWN_PRESET, DEFAULT_SEEDS)
                + fingerprint.of_results(name, SHOWN_PRESET, DEFAULT_SEEDS)
                for name in catalogue.discover()
            } | {lab: fingerprint.of_lab(lab) for lab in labs.discover()}
        except BookError as error:
            self.problem = f"error: {error}"
            return
        if now != self.made:
            self.made = now
            self.wanted.set()

    def stop(self) -> None:
        """End the run; what it has finished is kept."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # the build, and the training that it started

    def progress(self) -> dict[str, Any]:
        """How far each experiment is: the share of its seeds' work that is done, and the last problem."""
        return watch.read() | {"of": len(DEFAULT_SEEDS), "problem": self.problem, "time": time.time()}

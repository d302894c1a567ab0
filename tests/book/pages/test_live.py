"""make serve, on a small book with nothing measured: pages at once, progress, figures; and a mistake that is mended."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.book.measure.conftest import LOOP, SLOW

pytestmark = pytest.mark.pipeline


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def wait_for(question, seconds: float = 90):
    """The first true answer."""
    end = time.time() + seconds
    while True:
        try:
            if answer := question():
                return answer
        except OSError:
            pass
        assert time.time() < end, "it did not come"
        time.sleep(0.1)


@pytest.fixture
def served(small_book):
    """The small book, nothing measured yet and slow to train, being served."""
    for made in ("record", "build/figures", "build/units"):
        shutil.rmtree(small_book.root / made, ignore_errors=True)
    small_book.edit(small_book.code, LOOP, SLOW)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = small_book.start("serve", "--address", f"127.0.0.1:{port}", start_new_session=True)
    small_book.process = process
    yield small_book, f"http://127.0.0.1:{port}/"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_the_draft_fills_in_as_runs_end(served):
    book, url = served
    page = f"{url}mechanisms/tiny/"
    draft = wait_for(lambda: get(page))
    assert "not drawn yet" in draft and "not measured yet" in draft and "assets/draft.js" in draft
    part = wait_for(
        lambda: (p := json.loads(get(url + "progress.json")))["experiments"]["mechanisms/tiny"]["share"] > 0 and p
    )
    assert part["of"] == 5
    whole = wait_for(lambda: "error.light.svg" in (text := get(page)) and text)
    assert "not drawn yet" not in whole and "claim-mark" in whole
    assert 'class="katex"' in whole
    # prose is rebuilt; a mistake leaves the page as it was, and mending it is enough
    book.edit(book.page, "settle more slowly", "settle much more slowly")
    wait_for(lambda: "settle much more slowly" in get(page))
    book.edit(book.page, 'claim("tiny", "square-root")', 'claim("tiny", "cube-root")')
    time.sleep(3)
    assert "settle much more slowly" in get(page)
    book.edit(book.page, 'claim("tiny", "cube-root")', 'claim("tiny", "square-root")')
    book.edit(book.page, "much more slowly", "far more slowly")
    wait_for(lambda: "settle far more slowly" in get(page))
    # code is measured again
    book.edit(book.code, "time.sleep(", "time.sleep(0.1 * ")
    wait_for(lambda: "not measured yet" in get(page) or None, 60)
    wait_for(lambda: "error.light.svg" in get(page))


def test_an_address_in_use_is_one_line_and_the_first_server_s_pages_stay(small_book):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        page = small_book.root / "build" / "drafts" / str(port) / "site" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("the first server's")
        line = small_book.fails("serve", "--address", f"127.0.0.1:{port}")
        assert page.read_text() == "the first server's"
    assert "cannot serve at" in line
    assert "write host:port" in small_book.fails("serve", "--address", "here", code=2)


def test_an_edit_renders_its_page_alone_and_a_new_title_all(small_book, monkeypatch):
    """In the small book's own process: which pages are made again."""
    script = """
import sys
from pathlib import Path
from snippets.book.pages import live, runner
runner.Runner.look_again = lambda self: None
server = live.BookServer(runner.Runner(), "127.0.0.1", 0)
server.build()
page = Path("docs/mechanisms/tiny.md")
made = []
generator, all_of = server.generator, server.generator.build
one_of = generator.rebuild
generator.rebuild = lambda file, site: made.append(file) or one_of(file, site)
generator.build = lambda: made.append("all") or all_of()
for old, new in (("more slowly", "far more slowly"), ('title: "Tiny"', 'title: "Small"')):
    page.write_text(page.read_text().replace(old, new))
    server.build()
server.build()
site = (server.folder / "site" / "mechanisms" / "tiny" / "index.html").read_text()
print(made, "far more slowly" in site, "1. Small" in site)
"""
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=small_book.root, capture_output=True, text=True, check=False
    )
    assert process.stdout.strip() == "['mechanisms/tiny.md', 'all'] True True", process.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_server_leaves_no_process_and_no_draft(served, how):
    book, url = served
    wait_for(lambda: get(url))
    wait_for(lambda: json.loads(get(url + "progress.json"))["experiments"])
    os.kill(book.process.pid, how)
    book.process.wait(timeout=30)
    left = subprocess.run(
        ["pgrep", "-f", "-a", "snippets build --no-site"], capture_output=True, text=True, check=False
    )
    of_ours = [line for line in left.stdout.splitlines() if is_in(book.root, line.split()[0])]
    assert of_ours == [] and not list((book.root / "build" / "drafts").iterdir())


def is_in(root, pid: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(root)
    except OSError:
        return False

"""make serve, on a small book with nothing measured: pages at once, progress, figures; and a mistake that is mended."""

import json
import os
import signal
import socket
import time
import urllib.request

import pytest

from tests.book.measure.test_pipeline import LOOP, SLOW

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
    for path in small_book.work.iterdir():
        path.unlink()
    for path in (small_book.root / "docs/figures/mechanisms/tiny").iterdir():
        path.unlink()
    small_book.edit(small_book.code, LOOP, SLOW)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = small_book.start("serve", "--address", f"127.0.0.1:{port}", start_new_session=True)
    yield small_book, f"http://127.0.0.1:{port}/"
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
    book.edit(book.code, "time.sleep(0.4)", "time.sleep(0.01)")
    wait_for(lambda: not (book.work / "results.json").exists() or "not measured yet" in get(page) or None, 30)
    wait_for(lambda: "error.light.svg" in get(page))


def test_an_address_in_use_is_one_line(small_book):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        line = small_book.fails("serve", "--address", f"127.0.0.1:{taken.getsockname()[1]}")
    assert "cannot serve at" in line
    assert "write host:port" in small_book.fails("serve", "--address", "here", code=2)

"""Shape checks for every test, and the few things that several tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from jaxtyping import install_import_hook

from snippets.book.measure import catalogue
from tests import libraries

ALL = catalogue.discover()

hypothesis.settings.register_profile("book", deadline=None, max_examples=50)  # a busy machine is no failure
hypothesis.settings.load_profile("book")

# Before an experiment is imported: from here on each call into one, or into icl, checks the shapes in its signature.
ROOMS = {f"snippets.{name.split('/')[0]}" for name in ALL} | {
    "snippets.icl",
    "snippets.benchmarks.ours",
    "snippets.live",
}
install_import_hook(sorted(ROOMS), "beartype.beartype")


# Files of long tests that share little. Their tests come last, each by itself, to whoever has time; all other files go
# to one worker whole, so that what is made once for a file is made once.
ONE_BY_ONE = (
    "tests/book/measure/test_endings.py",
    "tests/book/measure/test_engine.py",
    "tests/book/pages/test_labs.py",
    "tests/book/pages/test_live.py",
    "tests/test_browser.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.partition("::")[0] in ONE_BY_ONE)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if file in ONE_BY_ONE else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `name` runs for each experiment of the book."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", ALL)


@pytest.fixture(scope="session")
def plain_environment() -> dict[str, str]:
    """The environment without what another build might have set."""
    return {key: value for key, value in os.environ.items() if key not in ("BOOK_DRAFT", "SITE_URL", "REPO_URL")}


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """One Chromium for all tests of a process: there can be one Playwright at a time."""
    from tests.site import launched  # here, since most tests need no browser

    with launched() as running:
        yield running


@pytest.fixture
def watched(browser) -> Iterator:
    """Opens a page and remembers what goes wrong on it."""
    from tests.site import Watched

    opened: list[Watched] = []

    def open_page(url: str, **options: Any) -> Watched:
        one = Watched(browser, **options)
        opened.append(one)
        one.page.goto(url)
        return one

    yield open_page
    for one in opened:
        one.context.close()


@pytest.fixture(scope="session")
def python_with_libraries() -> Path:
    """An interpreter that has transformers and peft. Where they cannot be had there is nothing to test."""
    try:
        return libraries.interpreter()
    except RuntimeError as error:
        pytest.skip(str(error))

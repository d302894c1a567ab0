"""Shape checks for every test, and the few things that several tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

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


# What takes long to make and is made once for a module: a trained lab, a second site, models of our own.
SHARED = {"lab", "deployed", "folder", "found"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a module that share something dear go to one worker, so that it is made once and not by each."""
    for item in items:
        if SHARED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


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


@pytest.fixture(scope="session")
def python_with_libraries() -> Path:
    """An interpreter that has transformers and peft. Where they cannot be had there is nothing to test."""
    try:
        return libraries.interpreter()
    except RuntimeError as error:
        pytest.skip(str(error))

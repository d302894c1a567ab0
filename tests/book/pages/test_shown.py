"""What a figure to touch brings along: its script, and what that names beside it."""

import pytest

from snippets.book.errors import BookError
from snippets.book.pages import shown


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shown, "INTERACTIVES", tmp_path)

    def write(**scripts: str) -> None:
        for name, text in scripts.items():
            (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")

    return write


def names(of: str) -> set[str]:
    return {path.name for path in shown.interactive(of).scripts}


def test_a_script_brings_its_modules_and_theirs_once(folder):
    folder(one='import { a } from "./two.js";\nnew Worker(new URL("./three.js", import.meta.url));', two="")
    folder(two="export * from './three.js';", three='import "./two.js"; // in a circle', other="")
    assert names("one") == {"one.js", "two.js", "three.js"} and names("other") == {"other.js"}


@pytest.mark.parametrize("script", ['import "./gone.js";', 'import "../outside.js";'])
def test_what_is_not_beside_it_is_named(folder, tmp_path, script):
    folder(one=script)
    with pytest.raises(BookError, match=r"one\.js needs (gone|outside)\.js, which is not beside it"):
        names("one")


def test_an_unknown_figure_is_named(folder):
    with pytest.raises(BookError, match=r"no snippets/interactives/two\.js"):
        shown.interactive("two")


def test_every_script_of_the_book_finds_its_modules():
    for path in shown.INTERACTIVES.glob("*.js"):
        assert shown.Interactive(path.stem).scripts

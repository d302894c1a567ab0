"""The order of the book: parts and chapters' numbers from the navigation alone."""

import pytest

from snippets.book import scaffold
from snippets.book.errors import BookError, UsageError
from snippets.book.pages import navigation

NAV = """
site_url: !ENV [SITE_URL, ""]
nav:
  - Start: index.md
  - Part one:
      - one/index.md
      - one/b.md
      - A name: one/a.md
  - About:
      - about/claims.md
      - ledger.md
  - Labs:
      - labs/index.md
"""


@pytest.fixture
def docs(tmp_path, monkeypatch):
    monkeypatch.setattr(navigation, "DOCS", tmp_path)
    monkeypatch.setattr(navigation, "settings_text", lambda: NAV)
    (tmp_path / "one").mkdir()
    for key in ("a", "b"):
        (tmp_path / f"one/{key}.md").write_text("---\ntitle: A\nmechanism: none\n---\n")
    navigation.forget()
    yield tmp_path
    navigation.forget()


def test_a_chapter_s_number_is_its_place(docs):
    assert navigation.chapter_numbers() == {"one/b.md": 1, "one/a.md": 2}
    assert navigation.chapter_file("a") == "one/a.md"
    with pytest.raises(BookError, match=r"no chapter 'c' in the navigation; mkdocs\.yml has b, a"):
        navigation.chapter_file("c")


def test_a_section_whose_pages_lie_in_one_folder_is_a_part(docs):
    assert navigation.parts() == {"one": "Part one"}


def test_pages_in_reading_order(docs):
    assert navigation.files()[:4] == ["index.md", "one/index.md", "one/b.md", "one/a.md"]


def test_a_navigation_that_cannot_be_read_is_named(monkeypatch):
    monkeypatch.setattr(navigation, "settings_text", lambda: "nav: [")
    with pytest.raises(BookError, match=r"mkdocs\.yml cannot be read"):
        navigation.files()


def test_a_new_chapter_needs_a_part_that_there_is(docs):
    with pytest.raises(UsageError, match="the parts are one"):
        scaffold.make("two/thing")


def test_a_new_chapter_types_no_number(docs, tmp_path, monkeypatch):
    monkeypatch.setattr(scaffold, "DOCS", tmp_path)
    monkeypatch.setattr(scaffold, "SNIPPETS", tmp_path / "snippets")
    said = scaffold.make("one/my_question")
    chapter = (tmp_path / "one/my-question.md").read_text(encoding="utf-8")
    assert "number" not in chapter.split("---")[1] and "# My question" in chapter
    assert '{{{ claim("my_question", "square-root") }}}' in chapter and "NAME" not in chapter
    assert any("- one/my-question.md" in line for line in said)
    assert (tmp_path / "snippets/one/figures/my_question.py").exists()
    with pytest.raises(UsageError, match="is there already"):
        scaffold.make("one/my_question")

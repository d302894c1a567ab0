"""The map: every chapter is a link, every need an arc, every word is there."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from snippets.book.pages import book_map, checks, navigation, pages

SVG = "{http://www.w3.org/2000/svg}"


def node(key: str, number: int, needs: list[str], title: str = "A & B", mechanism: str = "a " * 60) -> book_map.Node:
    meta = {"number": number, "title": title, "mechanism": mechanism, "evidence": "curves <here>", "needs": needs}
    return book_map.Node(key, meta, f"../{key}/")


PARTS = {"one": [node("one/a", 1, []), node("one/b", 2, ["one/a"])], "two": [node("two/c", 3, ["one/a", "one/b"])]}


def test_the_core_path_has_full_dots():
    first = node("one/a", 1, [])
    first.meta["core"] = True
    text = book_map.drawing({"one": [first, node("one/b", 2, ["one/a"])]}, str.upper)
    assert re.findall(r'<circle class="(map-\w+)"', text) == ["map-core", "map-further"] * 2


def drawings() -> list[ET.Element]:
    text = book_map.drawing(PARTS, str.upper)
    return list(ET.fromstring(text))


def test_there_is_one_drawing_for_wide_and_one_for_narrow_screens():
    assert [one.get("class") for one in drawings()] == ["map-wide", "map-narrow"]


@pytest.mark.parametrize("which", [0, 1])
def test_every_chapter_is_a_link_with_all_its_words(which):
    links = list(drawings()[which].iter(f"{SVG}a"))
    assert [link.get("href") for link in links] == ["../one/a/", "../one/b/", "../two/c/"]
    for link, number in zip(links, (1, 2, 3), strict=True):
        words = " ".join("".join(text.itertext()).strip() for text in link.iter(f"{SVG}text"))
        assert " ".join(words.split()) == f"{number}. A & B {('a ' * 60).strip()} curves <here>"


@pytest.mark.parametrize("which", [0, 1])
def test_arcs_join_a_chapter_to_those_it_needs(which):
    svg = drawings()[which]
    dots = {link.get("href"): float(next(link.iter(f"{SVG}circle")).get("cy")) for link in svg.iter(f"{SVG}a")}
    ends = set()
    for path in svg.iter(f"{SVG}path"):
        _, y0, *_, y1 = (float(number) for number in re.findall(r"-?[\d.]+", path.get("d")))
        ends.add((y0, y1))
        assert all(float(x) > 0 for x in re.findall(r"C([\d.-]+)", path.get("d"))), "an arc leaves the drawing"
    a, b, c = (dots[f"../{key}/"] for key in ("one/a", "one/b", "two/c"))
    assert ends == {(a, b), (a, c), (b, c)} and a < b < c


@pytest.mark.parametrize("which", [0, 1])
def test_rows_do_not_overlap(which):
    boxes = [next(link.iter(f"{SVG}rect")) for link in drawings()[which].iter(f"{SVG}a")]
    edges = [(float(box.get("y")), float(box.get("y")) + float(box.get("height"))) for box in boxes]
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))


@pytest.fixture(autouse=True)
def two_chapters(monkeypatch):
    monkeypatch.setattr(navigation, "chapter_numbers", lambda: {"one/a.md": 1, "one/b.md": 2})


def page(key: str, **meta) -> pages.Page:
    return pages.Page(path=pages.DOCS / f"{key}.md", meta=meta)


@pytest.mark.parametrize(
    ("needs", "problem"),
    [
        ({}, "has no list 'needs'"),
        ({"needs": "one/a"}, "has no list 'needs'"),
        ({"needs": ["one/z"]}, "needs 'one/z', which is no chapter; there are one/a, one/b"),
        ({"needs": ["one/b"]}, "needs 'one/b', which comes after it"),
    ],
)
def test_a_need_that_cannot_be_drawn_is_named(needs, problem):
    found = list(checks.problems_of_map([page("one/a", needs=[]), page("one/b", **needs)]))
    assert len(found) == 1 and found[0].startswith("docs/one/b.md") and problem in found[0]


def test_needs_that_come_before_are_no_problem():
    assert not list(checks.problems_of_map([page("one/a", needs=[]), page("one/b", needs=["one/a"])]))

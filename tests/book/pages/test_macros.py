"""How numbers are printed, and how pages are read."""

import pytest
from pybtex.database import parse_string

from snippets.book.errors import BookError
from snippets.book.pages import numbers, pages, references


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0625, 2, "0.062"),
        (0.06, 2, "0.06"),
        (1250.0, 4, "1,250"),
        (57545, 6, "57,545"),
        (57545, 2, "57,545"),
        (0, 2, "0"),
        (1, 3, "1"),
        (0.9964, 3, "0.996"),
        (12.345, 3, "12.3"),
        (123.456, 2, "120"),
        (-0.5, 2, "−0.5"),
        (2.5e-9, 2, "2.5 × 10<sup>−9</sup>"),
        ("never", 2, "never"),
    ],
)
def test_numbers_are_printed_to_significant_digits(value, digits, text):
    assert numbers.shown(value, digits) == text


def test_a_spread_without_a_range_is_one_number():
    claim = {"median": 0.5, "low": 0.5, "high": 0.5, "digits": 2, "unit": "nats", "kind": "measured"}
    assert numbers.spread(claim) == "0.5 nats"
    assert numbers.spread(claim | {"high": "never", "unit": ""}) == "0.5 (0.5 to never)"


def claim(**changes) -> dict:
    made = {
        "says": "It falls.", "predicate": "< 0.2", "unit": "nats", "digits": 2, "kind": "measured", "verdict": "ours",
        "passed": [True, True, True, True, False], "applies": 5, "median": 0.1, "low": 0.05, "high": 0.3, "holds": True,
    }  # fmt: skip
    return made | changes


@pytest.mark.parametrize(
    ("made", "mark"),
    [
        (claim(), "✓ 4/5"),
        (claim(passed=[True, None, True, None, None], applies=2), "✓ 2 of 2 where it applies"),
        (claim(kind="exact", passed=[True] * 5), "exact"),
        (claim(holds=False, passed=[False] * 5), "✗ 0/5"),
        (claim(kind="exact", holds=False), "✗ exact"),
    ],
)
def test_a_mark_says_what_kind_of_claim_it_stands_for(made, mark):
    assert numbers.mark(made) == mark


def test_what_a_mark_says_when_pointed_at():
    assert numbers.judged(claim()) == (
        "It falls. Asked: < 0.2 nats. Measured: 0.1 nats (0.05 to 0.3). Holds on 4 of 5 seeds; ours."
    )
    some = numbers.judged(claim(passed=[True, None, True, None, None], applies=2))
    assert "Holds on 2 of 2 seeds to which it applies, of 5; ours." in some
    exact = numbers.judged(claim(kind="exact", high=2.5e-9))
    assert exact == "It falls. Exact: the largest error is 2.5 × 10⁻⁹ nats (asked: < 0.2)."


def test_a_call_may_run_over_lines():
    call = pages.read_call("page", ' figure("jump", "curves",\n    alt="one\n    two") ')
    assert (call.name, call.arguments, call.options) == ("figure", ["jump", "curves"], {"alt": "one two"})


@pytest.mark.parametrize("source", ["claim", "claim(", "claim(x)", "1 + 1", "a.b('c')"])
def test_what_is_no_call_is_named(source):
    with pytest.raises(BookError, match="is not a call"):
        pages.read_call("docs/page.md", source)


def test_calls_and_citations_in_code_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    path = tmp_path / "page.md"
    path.write_text('---\ntitle: A\n---\n\nSee[^a2020].\n\n```md\n{{{ claim("x", "y") }}} [^b2020]\n```\n')
    page = pages.read(path)
    assert page.meta == {"title": "A"} and page.calls == [] and page.citations == {"a2020"}


def test_a_page_is_read_again_when_it_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    path = tmp_path / "page.md"
    path.write_text("---\ntitle: A\n---\n")
    assert pages.read(path) is pages.read(path) and pages.read(path).meta == {"title": "A"}
    path.write_text("---\ntitle: Another\n---\n")
    assert pages.read(path).meta == {"title": "Another"}


def test_a_figure_in_a_note_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    path = tmp_path / "page.md"
    path.write_text('??? note\n\n    {{{ figure("x", "y",\n        alt="", caption="") }}}\n')
    with pytest.raises(BookError, match=r'docs/page.md: \{\{\{ figure\("x", "y"...\) is indented'):
        pages.read(path)


def test_only_cited_works_become_footnotes():
    key, *others = references.entries()
    text = references.footnotes(f"As said[^{key}].")
    assert f"[^{key}]: " in text
    assert not any(f"[^{other}]: " in text for other in others)


def test_a_colon_after_a_citation_does_not_make_it_a_definition():
    key = next(iter(references.entries()))
    assert references.CITATION.findall(f"As said[^{key}]: yes.\n\n[^{key}]: A book.") == [key]


def test_the_ledger_s_names_are_text(monkeypatch):
    entry = parse_string(r"""@misc{a, author = {Aky{\"u}rek, Ekin and Garc{\'\i}a, B.}, year = 2023}""", "bibtex")
    monkeypatch.setattr(references, "bibliography", lambda: entry)
    assert references.short("a") == "Akyürek and García 2023"


def test_no_entry_begins_a_formula():
    for key, text in references.entries().items():
        assert "\\(" not in text and "\\[" not in text, key
        assert references.author_year(key)[-4:].isdigit(), key


def test_no_two_works_are_called_alike():
    names = [references.short(key) for key in references.entries()]
    assert len(set(names)) == len(names)

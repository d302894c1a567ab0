"""From docs/ to plain Markdown: what is filled in, what is left alone, and how a mistake is named."""

import os
import re

import pytest

from snippets import diagrams
from snippets.book.errors import BookError
from snippets.book.measure import catalogue
from snippets.book.pages import expand, facts, macros, navigation, pages, shown
from snippets.book.paths import DOCS, SNIPPETS

CLAIM = {
    "id": "sharp", "says": "It is sharp.", "predicate": "< 0.2", "unit": "", "digits": 2, "kind": "measured",
    "verdict": "ours", "reported": None, "values": [0.07, 0.05, 0.1, 0.2, "never"], "passed": [True] * 5, "applies": 5,
    "needed": 4, "median": 0.1, "low": 0.05, "high": "never", "holds": True,
}  # fmt: skip
RESULTS = {
    "seeds": [0, 1, 2, 3, 4], "claims": [CLAIM], "fingerprint": "abc",
    "numbers": {"n8.loss": {"values": [2.5e-9, 2.0, 3.0, 4.0, 5.0], "median": 3.0}},
    "provenance": {"command": "run", "core_seconds": [1.0], "commit": "c", "torch": "2"},
}  # fmt: skip


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """A folder of pages of its own, with the results of one experiment."""
    for module in (expand, pages, navigation):
        monkeypatch.setattr(module, "DOCS", tmp_path)
    monkeypatch.setattr(
        navigation, "settings_text", lambda: "nav:\n  - Part one:\n    - one/first.md\n    - one/jump.md"
    )
    monkeypatch.setattr(catalogue, "resolve", lambda name: f"part/{name}")
    monkeypatch.setattr(facts.Facts, "results", lambda self, experiment: RESULTS)
    images = {theme: SNIPPETS / "figures" / f"curve.{theme}.svg" for theme in ("light", "dark")}
    data = {"data": SNIPPETS / "figures" / "curve.json"}
    monkeypatch.setattr(facts.Facts, "images", lambda self, experiment, name: (images | data, (864, 432)))
    (tmp_path / "one").mkdir()
    for key in ("first", "jump"):
        front = f"title: The {key}\nlevel: some Python\nmechanism: none"
        (tmp_path / f"one/{key}.md").write_text(f"---\n{front}\n---\n\n# The {key}\n")
    navigation.forget()
    yield tmp_path
    navigation.forget()


def page(docs, text: str, file: str = "one/first.md") -> str:
    front = "---\ntitle: A\nlevel: some Python\nmechanism: none\n---\n"
    (docs / file).write_text(text if text.startswith("---") else front + text)
    return expand.page(file, facts.Facts(draft=False))[0]


def test_macros_are_filled_in_and_code_is_left_alone(docs):
    code = '```md\n{{{ chapter("jump") }}}\n```\n'
    text = page(docs, 'See {{{ chapter("jump") }}}.\n\n' + code + "$\\mathbf{{x}}^{{2}}$ {% {#\n")
    assert "See [chapter 2](jump.md)." in text
    assert code in text and "$\\mathbf{{x}}^{{2}}$ {% {#" in text


def test_a_chapter_has_its_number_in_title_heading_and_figures(docs):
    figure = '{{{ figure("x", "curve", alt="A", caption="B") }}}\n'
    front = "---\ntitle: The jump\nlevel: calculus\nmechanism: a\nneeds: [one/first]\ncore: true\n---\n"
    text = page(docs, f"{front}\n# The jump\n\n{figure}\n{figure}", "one/jump.md")
    assert "core path · calculus · 1 minutes · after [chapter 1](first.md)</p>" in text
    assert "title: 2. The jump\n" in text and "\n# 2. The jump\n" in text
    assert "**Figure 2.1.** B" in text and "**Figure 2.2.** B" in text
    assert text.count("{ width=864 height=432 }") == 1 and text.count("{ width=864 height=432 loading=lazy }") == 3


@pytest.mark.parametrize(
    ("slot", "alt", "caption"),
    [
        ("x:sharp", "0.1", "0.1"),
        ("x:sharp:low", "0.05", "0.05"),
        ("x:sharp:high", "never", "never"),
        ("x:sharp:3", "0.2", "0.2"),
        ("x:n8.loss", "3", "3"),
        ("x:n8.loss:low", "2.50 × 10⁻⁹", "2.50 × 10<sup>−9</sup>"),
        ("chapter:jump", "chapter 2", "[chapter 2](jump.md)"),
    ],
)
def test_alt_texts_and_captions_are_filled_in(docs, slot, alt, caption):
    text = page(docs, f'{{{{{{ figure("x", "curve", alt="A [[{slot}]] b", caption="C [[{slot}]] d") }}}}}}')
    assert f"![A {alt} b](" in text and f"C {caption} d</figcaption>" in text


@pytest.mark.parametrize(
    ("macro", "says"),
    [
        ("nothing()", "docs/one/first.md: 'nothing' is undefined; the macros are claim, "),
        ('claim("x", "blunt")', "docs/one/first.md: claim('x', 'blunt'): part/x makes no claim 'blunt'"),
        ('claim("x")', "docs/one/first.md: claim('x'): missing 1 required positional argument: 'id'"),
        ('measured("x", "y")', "docs/one/first.md: measured('x', 'y'): part/x does not measure 'y'; it has n8.loss"),
        ('chapter("hop")', "first.md: chapter('hop'): no chapter 'hop' in the navigation; mkdocs.yml has first, jump"),
        ('figure("x", "c", alt="[[x:blunt]]", caption="")',
         "docs/one/first.md: figure('x', 'c'): [[x:blunt]]: part/x has neither a claim nor a measured number 'blunt'"),
        ('figure("x", "c", alt="[[sharp]]", caption="")', "[[sharp]] is not such as [[jump:sharp]]"),
        ('figure("x", "c", alt="[[x:sharp:9]]", caption="")', "[[x:sharp:9]]: part/x reports no seed 9"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_page_and_macro(docs, macro, says):
    with pytest.raises(BookError) as error:
        page(docs, f"{{{{{{ {macro} }}}}}}")
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_section_of_code_stands_where_it_is_named(docs, monkeypatch):
    monkeypatch.setattr(pages, "SNIPPETS", docs)
    (docs / "a.py").write_text(
        "x = 0\nclass A:\n    # --8<-- [start:f]\n    def f():\n\n        pass\n    # --8<-- [end:f]\n"
    )
    text = page(docs, '??? note\n\n    ```python\n    --8<-- "a.py:f"\n    ```\n')
    assert "    ```python\n    def f():\n\n        pass\n    ```\n" in text
    assert pages.section("a.py") == "x = 0\nclass A:\n    def f():\n\n        pass"
    with pytest.raises(BookError, match=r'docs/one/first\.md shows "a\.py:g", which is not a file or section'):
        page(docs, '--8<-- "a.py:g"\n')


def test_only_what_changes_is_written_and_what_is_gone_is_removed(docs, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(expand.lab_pages, "all_files", lambda draft: {})
    target = tmp_path_factory.mktemp("pages")
    (docs / "picture.svg").write_text("<svg/>")
    assert expand.expand(target) == {"one/first.md", "one/jump.md", "picture.svg"}
    assert expand.expand(target) == set()
    (docs / "one/first.md").write_text("# Another\n")
    (docs / "picture.svg").unlink()
    assert expand.expand(target) == {"one/first.md", "one/jump.md", "picture.svg"}, (
        "the second chapter is now the first"
    )
    assert not (target / "picture.svg").exists()


def test_every_page_with_a_mistake_is_named_and_nothing_is_written(docs, tmp_path_factory):
    target = tmp_path_factory.mktemp("pages")
    for key in ("first", "jump"):
        (docs / f"one/{key}.md").write_text("{{{ nothing() }}}\n")
    with pytest.raises(BookError, match=r"docs/one/first\.md: .*\nerror: docs/one/jump\.md: "):
        expand.expand(target)
    assert not list(target.iterdir())


# the book's own pages


def test_no_chapter_number_is_typed():
    for path in [*DOCS.rglob("*.md"), *(SNIPPETS / "book").rglob("*.py")]:
        typed = re.findall(r"\b[Cc]hapters? \d+|\bPart \d+|\bnumber: \d+", path.read_text(encoding="utf-8"))
        assert not typed or path.parts[-2] in LABS, f"{path.name} types {typed}; name the chapter by its key"


LABS = {path.stem for path in (SNIPPETS / "labs").glob("[a-z]*.py")}  # their pages are made


# numbers that are settings, bounds or definitions of a drawing and no result
SETTINGS = {
    "0.003",
    "0.03",
    "0.3",
    "0.7",
    "1.4",
    "0.01",
    "0.001",
    "0.1",
    "0.2",
    "0.25",
    "0.5",
    "0.75",
    "0.9",
    "0.95",
    "1.0",
    "1.5",
    "2.0",
    "2.5",
}


@pytest.mark.parametrize("page", [p for p in pages.read_all() if any(c.name == "figure" for c in p.calls)],
                         ids=lambda p: p.file)  # fmt: skip
def test_no_result_is_typed_in_an_alt_text_or_a_caption(page):
    """A decimal there is a setting, or it comes through [[...]]."""
    typed = {}
    for call in page.calls:
        if call.name == "figure":
            text = macros.SLOT.sub("", f"{call.options.get('alt', '')} {call.options.get('caption', '')}")
            text = re.sub(r"\$[^$]*\$", "", text)
            if found := [number for number in re.findall(r"\d+\.\d+", text) if number not in SETTINGS]:
                typed[call.arguments[1]] = found
    assert not typed, f"{page.name}: {typed}"


def test_a_claim_says_its_number_and_shows_the_rest_on_hover(docs):
    text = page(docs, '{{{ claim("x", "sharp", show="times") }}}')
    assert (
        ">a tenth (seed 4 never)\u2060<span" in text
        and 'title="It is sharp. Asked: &lt; 0.2. Measured: 0.1 (0.05' in text
    )


def test_a_prediction_stands_on_its_claim_and_names_the_figure_it_veils(docs):
    options = 'answer=2, because=("x", "{}"), unveils="x:curve", why="It is [[x:sharp]]."'
    call = f'predict("How?", ["a ramp", "at $x$"], {options})'
    text = page(docs, "{{{ " + call.format("sharp") + " }}}")
    assert 'data-answer="2" data-unveils="x-curve"' in text and "It is 0.1." in text
    assert '<span class="arithmatex">\\(x\\)</span>' in text
    with pytest.raises(BookError, match="makes no claim 'smooth'"):
        page(docs, "{{{ " + call.format("smooth") + " }}}")
    with pytest.raises(BookError, match="the answer is option 3 of 2"):
        page(docs, "{{{ " + call.format("sharp").replace("answer=2", "answer=3") + " }}}")


def test_a_diagram_and_a_figure_to_touch_that_are_not_there_are_named(docs):
    with pytest.raises(BookError, match=r"there is no snippets/diagrams/nowhere\.py"):
        page(docs, '{{{ diagram("nowhere", "a", alt="A", caption="B") }}}')
    with pytest.raises(BookError, match=r"there is no snippets/interactives/nowhere\.js"):
        page(docs, '{{{ touch("nowhere", "a", height=100) }}}')


def test_a_figure_to_touch_brings_its_script_and_its_data(docs, tmp_path, monkeypatch):
    (tmp_path / "toy.js").write_text("export function mount() {}")
    monkeypatch.setattr(shown, "INTERACTIVES", tmp_path)
    text = page(docs, '{{{ touch("toy", "a <toy>", height=100, caption="It is [[x:sharp]].") }}}')
    assert 'data-script="../../assets/interactives/toy.js"' in text and "data-data" not in text
    assert 'aria-label="a &lt;toy&gt;"' in text and "<figcaption markdown>It is 0.1.</figcaption>" in text


def test_a_figure_to_touch_whose_data_are_not_measured_waits_in_a_draft(docs, monkeypatch):
    def runs(self, experiment):
        raise facts.NotMeasured("nothing yet")

    monkeypatch.setattr(shown.Interactive, "data", lambda self, runs: runs("jump"))
    monkeypatch.setattr(facts.Facts, "runs", runs)
    text = page(docs, '{{{ touch("soft_dictionary", "a", height=100) }}}')
    assert "not measured yet" in text and "data-script" not in text


def test_an_edited_diagram_is_drawn_anew(docs, tmp_path, monkeypatch):
    module = "from snippets.diagrams.vocabulary import Drawing\n\nDIAGRAMS = {'a': lambda: Drawing(height=%d)}\n"
    monkeypatch.setattr(shown, "SNIPPETS", tmp_path)
    monkeypatch.setattr(diagrams, "__path__", [str(tmp_path / "diagrams"), *diagrams.__path__])
    path = tmp_path / "diagrams" / "edited.py"
    path.parent.mkdir()
    for height, mtime in ((100, 1), (222, 2)):
        path.write_text(module % height)
        os.utime(path, ns=(mtime * 10**10, mtime * 10**10))
        assert f"0 0 344 {height}" in shown.diagram("edited", "a", "A drawing")

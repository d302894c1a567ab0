"""Terms: how definitions are found, printed alone, and linked from elsewhere."""

import pytest

from snippets.book.errors import BookError
from snippets.book.pages import glossary

PAGE = """---
title: A page
---

# Attention

Attention weighs. A **head**{ .term .unlinked } is one attention with weights $W_Q$, e.g. $a. B$, of its
own[^elhage2021]; see [chapter 14](../x.md). It may be *large*.

- **Layer norm**{ .term also="LN, layer normalisation" } scales a vector.

```md
**Not a term**{ .term } in code.
```
"""


@pytest.fixture
def docs(tmp_path, monkeypatch):
    monkeypatch.setattr(glossary, "DOCS", tmp_path)
    (tmp_path / "part").mkdir()
    return tmp_path


def test_a_definition_is_the_sentence_around_its_mark():
    head, norm = glossary.terms_of("part/page.md", PAGE)
    assert head.sentence == "A **head** is one attention with weights $W_Q$, e.g. $a. B$, of its own; see chapter 14."
    assert (head.name, head.also, head.linked, head.anchor) == ("head", (), False, "term-head")
    assert norm.sentence == "**Layer norm** scales a vector."
    assert (norm.also, norm.linked, norm.url) == (("LN", "layer normalisation"), True, "part/page/")


def test_two_terms_of_one_sentence_are_each_bold_in_their_own_entry():
    one, two = glossary.terms_of("a.md", "The **nat**{ .term } is $\\ln 2$ of a **bit**{ .term .unlinked }.")
    assert one.sentence == "The **nat** is $\\ln 2$ of a bit." and two.sentence == "The nat is $\\ln 2$ of a **bit**."


def test_entries_of_a_list_are_apart_also_without_an_empty_line():
    one, two = glossary.terms_of(
        "a.md", "- A **nat**{ .term } is a unit\n  of loss\n- a **bit**{ .term } is another.\n"
    )
    assert (one.sentence, two.sentence) == ("A **nat** is a unit of loss", "a **bit** is another.")


def test_the_first_page_of_a_part_has_the_address_of_its_folder():
    (term,) = glossary.terms_of("part/index.md", "A **token**{ .term } is a vector.")
    assert term.url == "part/"


@pytest.mark.parametrize("again", ["token", "Token"])
def test_a_term_is_defined_once(docs, again):
    (docs / "part/a.md").write_text("A **token**{ .term } is a vector.")
    (docs / "part/b.md").write_text(f"A **{again}**{{ .term }} is a symbol.")
    with pytest.raises(BookError, match=rf"docs/part/b.md defines '{again}', which docs/part/a.md defines too"):
        glossary.read_terms()


def test_another_spelling_is_a_definition_too(docs):
    (docs / "part/a.md").write_text('The **multilayer perceptron**{ .term also="MLP" } has two layers.')
    (docs / "part/b.md").write_text("An **MLP**{ .term } is a network.")
    with pytest.raises(BookError, match="MLP"):
        glossary.read_terms()


def test_a_definition_holds_no_number_of_ours():
    with pytest.raises(BookError, match=r"docs/a\.md defines 'token' in a sentence with a macro"):
        glossary.terms_of("a.md", 'A **token**{ .term } is one of {{{ setting("jump", "n") }}}.')


def test_a_mark_becomes_an_anchor():
    marked = 'The **residual stream**{ .term also="stream" } is a sum.'
    assert glossary.with_anchors(marked) == 'The <dfn id="term-residual-stream">residual stream</dfn> is a sum.'


def test_an_entry_lists_other_spellings_but_the_plural():
    (term,) = glossary.terms_of("a.md", 'An **MLP**{ .term also="MLPs, multilayer perceptron" } is a network.')
    text = glossary.entry(term, "[Chapter 2](a.md)")
    assert 'id="term-mlp"' in text and "[Chapter 2](a.md) Also: multilayer perceptron.\n" in text


TERMS = glossary.terms_of(
    "part/page.md",
    "A **head**{ .term } looks. A **bit**{ .term .unlinked } is small. "
    'An **induction head**{ .term also="copier" } copies. **ANIL**{ .term } moves one layer.',
)
SHOWN = {term.anchor: f"<p>{term.name}!</p>" for term in TERMS}


def linked(prose: str, url: str = "other/page/") -> str:
    return glossary.link_page(f"<body><article>{prose}</article><p>a head</p></body>", url, TERMS, SHOWN)


def test_the_first_mention_is_linked_and_brings_its_definition():
    text = linked("<p>An Induction\nheads &amp; a head, a head.</p>")
    assert (
        '<a class="term footnote-ref" href="../../part/page/#term-induction-head">Induction\nheads</a> &amp; a' in text
    )
    assert text.count('href="../../part/page/#term-head"') == 1
    assert '<div id="term-head"><p>head!</p></div>' in text and '<div id="term-induction-head">' in text
    assert text.endswith("</article><p>a head</p></body>")  # what is no article is left alone


@pytest.mark.parametrize(
    "prose",
    [
        "<h2>A head</h2>",
        "<pre><code>head</code></pre>",
        '<p><a href="x">a head</a></p>',
        '<p><span class="arithmatex">\\(head\\)</span></p>',
        '<div class="footnote"><p>A head for numbers.</p></div>',
        "<p>A header, a sub-head, a bit.</p>",
        "<p>Anil and others</p>",
        '<img alt="a head"><!-- a head -->',
        "<p><dfn>head</dfn></p>",
        '<div class="highlight"><span class="filename">icl/head.py</span></div>',
    ],
)
def test_what_is_no_mention_is_copied_as_it_is(prose):
    assert linked(prose) == f"<body><article>{prose}</article><p>a head</p></body>"


def test_the_page_that_defines_a_term_does_not_link_it():
    assert "<a " not in linked("<p>A head.</p>", url="part/page/")


def test_a_page_is_copied_character_by_character():
    article = (
        "<br><img src='x' /><p class=a>1 &lt; 2 &#8212; &amp;\n<pre class='b'>a <b>head</pre><!-- a --><h2>A<p></h2> b"
    )
    page = f"<!doctype html>\n<html><body><article>{article}</article></body></html>\n"
    assert glossary.link_page(page, "x/", TERMS, SHOWN) == page


def test_an_element_that_was_never_closed_hides_nothing_after_its_parent():
    assert '#term-head">head</a>' in linked("<h2>A <i>bit</h2><p>a head</p>")


def test_previews_are_the_definitions_of_the_built_glossary():
    built = '<div class="glossary-term" id="term-head">\n<p>A <b>head</b>\nlooks.</p>\n<p>Chapter 2</p>\n</div>'
    assert glossary.previews(built) == {"term-head": "<p>A <b>head</b>\nlooks.</p>"}

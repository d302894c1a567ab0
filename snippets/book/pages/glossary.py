"""The glossary: terms as the chapters define them, and links from the rest of the book to the definitions.

A chapter marks a term once, where it defines it: `**ICL score**{ .term also="score of learning" }`. The
sentence that holds the mark is the definition. `also` lists other spellings, between commas; `.unlinked` keeps a common
word from being linked wherever it stands.
"""

import html
import posixpath
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise

from snippets.book.errors import BookError
from snippets.book.pages import pages
from snippets.book.paths import DOCS

MARK = re.compile(r'\*\*([^*]+)\*\*\{ \.term( \.unlinked)?(?: also="([^"]*)")? \}')
BLOCK_EDGE = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)")  # an empty line, or the next entry of a list
SENTENCE_END = re.compile(r'(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)[*"”)]*\s+(?=[A-Z*"“(\[$])')
NOT_PROSE = {"a", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "code", "dfn", "summary", "svg", "button", "label", "th"}
NOT_PROSE_CLASSES = {"arithmatex", "filename", "footnote", "md-code__nav", "provenance", "lab-output"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(frozen=True)
class Term:
    """A term, the page that defines it (its path under docs/), and the sentence that does, in Markdown."""

    name: str
    also: tuple[str, ...]
    linked: bool
    page: str
    sentence: str

    @property
    def anchor(self) -> str:
        return anchor_of(self.name)

    @property
    def url(self) -> str:
        """The address of its page within the site."""
        return pages.address(self.page)


def read_terms() -> list[Term]:
    """Every term of the book, by name. Raises BookError where a term is defined twice."""
    found: dict[str, Term] = {}
    for path in sorted(DOCS.rglob("*.md")):
        page = path.relative_to(DOCS).as_posix()
        for term in terms_of(page, path.read_text(encoding="utf-8")):
            for name in (term.name, *term.also):
                if other := found.get(name.lower()):
                    raise BookError(
                        f"docs/{page} defines '{name}', which docs/{other.page} defines too; "
                        "keep one mark and link to it"
                    )
                found[name.lower()] = term
    return sorted(set(found.values()), key=lambda term: term.name.lower())


def terms_of(page: str, text: str) -> list[Term]:
    """The terms that one page defines. Raises BookError where a definition cannot stand alone."""
    found = []
    for paragraph in BLOCK_EDGE.split(pages.FENCE.sub("", text)):
        for sentence in sentences(paragraph):
            for match in MARK.finditer(sentence):
                name = pages.flat(match[1])
                if "{{{" in sentence:
                    raise BookError(
                        f"docs/{page} defines '{name}' in a sentence with a macro; "
                        "the glossary prints that sentence, so say the number in another one"
                    )
                also = tuple(part.strip() for part in (match[3] or "").split(",") if part.strip())
                found.append(Term(name, also, not match[2], page, alone(sentence, name)))
    return found


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, on one line each. A stop within a formula ends none."""
    flat = re.sub(r"^(?:[-*>]|\d+\.|:)\s+", "", pages.flat(paragraph))
    hidden = re.sub(r"\$[^$]+\$", lambda match: "$" + "x" * (len(match[0]) - 2) + "$", flat)
    ends = [0, *(match.end() for match in SENTENCE_END.finditer(hidden)), len(flat)]
    return [flat[start:end].strip() for start, end in pairwise(ends)]


def alone(sentence: str, name: str) -> str:
    """The sentence as the glossary prints it: the term bold, other terms plain, no links and no citations."""
    sentence = MARK.sub(lambda match: f"**{match[1]}**" if pages.flat(match[1]) == name else match[1], sentence)
    sentence = re.sub(r"\[\^[^\]]+\]", "", sentence)
    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", sentence)
    return re.sub(r":$", ".", plain)  # a formula follows in the chapter, and none here


def with_anchors(markdown: str) -> str:
    """A page with each mark made into a definition that links can lead to."""
    return MARK.sub(lambda match: f'<dfn id="{anchor_of(match[1])}">{match[1]}</dfn>', markdown)


def anchor_of(name: str) -> str:
    return "term-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


class Linker(HTMLParser):
    """Copies HTML and links the first mention of each term in its prose to the definition."""

    def __init__(self, terms: dict[str, Term], to: dict[Term, str]) -> None:
        super().__init__(convert_charrefs=False)
        self.terms, self.to = terms, to  # spelling in lower case -> term; term -> address from this page
        self.out: list[str] = []
        self.open: list[str] = []  # the elements around, from the outermost that is no prose
        self.used: list[Term] = []
        names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(terms, key=len, reverse=True))
        self.mention = re.compile(rf"(?<![\w-])({names})(?![\w-])", re.IGNORECASE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = set((dict(attrs).get("class") or "").split())
        if tag not in VOID and (self.open or tag in NOT_PROSE or classes & NOT_PROSE_CLASSES):
            self.open.append(tag)
        self.out.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:  # an element within that was never closed
                pass
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(data if self.open else self.mention.sub(self.link, data))

    def link(self, match: re.Match[str]) -> str:
        term = self.terms[pages.flat(match[1].lower())]
        a_name = term.name.isupper() and match[1] == term.name.capitalize()  # Anil is an author, ANIL a method
        if a_name or term in self.used:
            return match[0]
        self.used.append(term)
        # the theme shows the element of the same id on hover and focus, as it does for a footnote
        return f'<a class="term footnote-ref" href="{self.to[term]}#{term.anchor}">{match[0]}</a>'

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")


def previews(glossary: str) -> dict[str, str]:
    """What the built glossary says of each term: anchor -> the paragraph of its definition."""
    return dict(re.findall(r'<div class="glossary-term" id="([^"]+)">\s*(<p>.*?</p>)', glossary, re.DOTALL))


def link_page(page: str, url: str, terms: list[Term], shown: dict[str, str]) -> str:
    """The HTML of a page with the terms in its article linked, and their definitions at its end, hidden."""
    here = [term for term in terms if term.linked and term.url != url]
    article = re.search(r"(<article[^>]*>)(.*)(</article>)", page, re.DOTALL)
    if not here or not article:
        return page
    spelled = {pages.flat(name.lower()): term for term in here for name in spellings(term)}
    linker = Linker(spelled, {term: posixpath.relpath(term.url, url or ".") + "/" for term in here})
    for piece in re.split(r"(<pre[ >].*?</pre>)", article[2], flags=re.DOTALL):
        if piece.startswith("<pre"):
            linker.out.append(piece)  # code is most of a page's tags, and holds no mention
        else:
            linker.feed(piece)
    linker.close()
    if linker.used:
        hidden = "".join(f'<div id="{term.anchor}">{shown[term.anchor]}</div>' for term in linker.used)
        linker.out.append(f'<div class="term-previews" hidden>{hidden}</div>')
    return page[: article.start(2)] + "".join(linker.out) + page[article.end(2) :]


def spellings(term: Term) -> list[str]:
    """A term as it may be spelled: itself, its plural, and what `also` lists."""
    plural = term.name if term.name.endswith("s") else f"{term.name}s"
    return list(dict.fromkeys([term.name, plural, *term.also]))


def entry(term: Term, where: str) -> str:
    """One term of the glossary page; `where` is the Markdown that leads back."""
    others = [name for name in term.also if name.lower() != f"{term.name}s".lower()]
    also = f" Also: {html.escape(', '.join(others))}." if others else ""
    return f'<div class="glossary-term" id="{term.anchor}" markdown>\n\n{term.sentence}\n\n{where}{also}\n\n</div>\n'

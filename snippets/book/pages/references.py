"""docs/references.bib as footnotes: a page cites [^reddy2024], and the definition is put at its end."""

import re
from functools import cache
from string import ascii_lowercase

from pybtex.database import BibliographyData, parse_file
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

from snippets.book.errors import BookError
from snippets.book.paths import DOCS

BIBLIOGRAPHY = DOCS / "references.bib"
CITATION = re.compile(r"(?!^\[\^[^\]\s]+\]:)\[\^([^\]\s]+)\]", re.MULTILINE)  # at a line's start, [^key]: defines


@cache
def bibliography() -> BibliographyData:
    """The parsed bibliography. Raises BookError where it cannot be read."""
    try:
        return parse_file(str(BIBLIOGRAPHY))
    except Exception as error:
        raise BookError(f"docs/references.bib cannot be read: {error}; mend the entry") from error


def known() -> set[str]:
    """The keys of all entries. To format the entries takes a second, to know their keys does not."""
    return set(bibliography().entries.keys())


@cache
def entries() -> dict[str, str]:
    """Every entry by key, as a line of Markdown."""
    style = find_plugin("pybtex.style.formatting", "unsrt")()
    backend = find_plugin("pybtex.backends", "markdown")()
    formatted = style.format_entries(list(bibliography().entries.values()))
    # the backend escapes brackets, and \\( would begin a formula
    return {
        entry.key: re.sub(r"\\([()\[\]])", r"\1", " ".join(entry.text.render(backend).split())) for entry in formatted
    }


def forget() -> None:
    """Forget the bibliography, so that the next look reads the file anew."""
    bibliography.cache_clear()
    author_year.cache_clear()
    entries.cache_clear()


def short(key: str) -> str:
    """First author and year, such as 'Garg et al. 2022', with a letter where two works would read alike."""
    return f"{author_year(key)}{letter(key)}"


def letter(key: str) -> str:
    """a, b, ... in the order of the keys where several works have this author and year; else nothing."""
    alike = sorted(other for other in bibliography().entries if author_year(other) == author_year(key))
    return ascii_lowercase[alike.index(key)] if len(alike) > 1 else ""


@cache
def author_year(key: str) -> str:
    """First author and year, as they stand in the bibliography."""
    entry = bibliography().entries[key]
    names = [
        str(Text.from_latex(" ".join([*person.prelast_names, person.last_names[-1]])))
        for person in entry.persons["author"]
    ]
    people = names[0] if len(names) == 1 else f"{names[0]} and {names[1]}" if len(names) == 2 else f"{names[0]} et al."
    return f"{people} {entry.fields['year']}"


def footnotes(markdown: str) -> str:
    """The definitions of the works that a page cites, to stand at its end."""
    cited = [key for key in dict.fromkeys(CITATION.findall(markdown)) if key in entries()]
    return "".join(f"\n\n[^{key}]: {entries()[key]}" for key in cited) + "\n"

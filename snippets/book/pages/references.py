"""docs/references.bib as footnotes: a page cites [^reddy2024], and the definition is put at its end."""

import re
from functools import cache

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
    entries.cache_clear()


def short(key: str) -> str:
    """First author and year, such as 'von Oswald et al. 2023'."""
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

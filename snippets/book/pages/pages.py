"""What the Markdown pages say to the macros, read without building them."""

import ast
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from snippets.book.errors import BookError
from snippets.book.pages.pages.references import CITATION
from snippets.book.paths import DOCS, ROOT, SNIPPETS

MACROS = (
    "claim",
    "measured",
    "setting",
    "figure",
    "run_it",
    "lab",
    "ledger",
    "run_times",
    "bibliography",
    "chapter",
    "chapters",
    "book_map",
    "glossary",
    "counts",
)

MACRO = re.compile(r"\{\{\{(.*?)\}\}\}", re.DOTALL)
SECTION = re.compile(r"^\s*--8<--\s+\"([^\"]+)\"", re.MULTILINE)
INDENTED_FIGURE = re.compile(r"^[ \t]+\{\{\{\s*figure\([^,]*,[^,]*", re.MULTILINE)
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2\s*$", re.DOTALL | re.MULTILINE)


@dataclass
class Call:
    """One macro call: {{{ name(*arguments, **options) }}}."""

    name: str
    arguments: list[Any]
    options: dict[str, Any]


@dataclass
class Page:
    path: Path
    meta: dict[str, Any]
    calls: list[Call] = field(default_factory=list)
    citations: set[str] = field(default_factory=set)
    sections: set[str] = field(default_factory=set)  # "abrupt_learning/jump.py:run"

    @property
    def name(self) -> str:
        return f"docs/{self.path.relative_to(DOCS)}"

    @property
    def key(self) -> str:
        """As front matter names it: abrupt-learning/jump."""
        return self.path.relative_to(DOCS).with_suffix("").as_posix()


def read(path: Path) -> Page:
    """Read one page. Raises BookError where its front matter or a macro call cannot be read."""
    found = path.stat()
    return read_version(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1000)
def read_version(path: Path, mtime_ns: int, size: int) -> Page:
    """The page as it is since then: a build asks for every page a hundred times."""
    text = path.read_text()
    name = f"docs/{path.relative_to(DOCS)}"
    meta: dict[str, Any] = {}
    if text.startswith("---\n"):
        front, _, text = text[4:].partition("\n---\n")
        try:
            meta = yaml.safe_load(front) or {}
        except yaml.YAMLError as error:
            raise BookError(f"{name}: its front matter is not YAML: {' '.join(str(error).split())}") from error
    if number := chapter_numbers().get(path.relative_to(DOCS).as_posix()):
        meta["number"] = number
    prose = FENCE.sub("", text)
    if match := INDENTED_FIGURE.search(prose):
        raise BookError(
            f"{name}: {flat(match[0])}...) is indented; a figure cannot stand in a note or list, move it out"
        )
    return Page(
        path=path,
        meta=meta,
        calls=[read_call(name, match[1]) for match in MACRO.finditer(prose)],
        citations=set(CITATION.findall(prose)),
        sections=set(SECTION.findall(text)),
    )


def read_call(page: str, source: str) -> Call:
    """A macro call as Python reads it; its arguments are plain values."""
    try:
        call = ast.parse(flat(source), mode="eval").body  # a call may run over several lines, its texts too
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        arguments = [ast.literal_eval(argument) for argument in call.args]
        options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise BookError(
            f'{page}: {{{{{{ {flat(source)[:60]} }}}}}} is not a call such as claim("jump", "sharp")'
        ) from error
    return Call(call.func.id, arguments, options)


def flat(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


NAVIGATION = re.compile(r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", re.MULTILINE)


def chapter_numbers() -> dict[str, int]:
    """Each chapter's number by its file: its place among the chapters of the navigation."""
    settings = ROOT / "mkdocs.yml"
    return numbers_of(settings.read_text() if settings.exists() else "")


@lru_cache(maxsize=10)
def numbers_of(settings: str) -> dict[str, int]:
    nav = settings.partition("\nnav:\n")[2].partition("\n\n")[0]
    files = [file for file in NAVIGATION.findall(nav) if is_chapter(DOCS / file)]
    return {file: number for number, file in enumerate(files, 1)}


def is_chapter(path: Path) -> bool:
    """Whether a page's front matter names a mechanism, as a chapter's does."""
    return path.exists() and "\nmechanism:" in path.read_text().partition("\n---\n")[0]


def read_all() -> list[Page]:
    return [read(path) for path in sorted(DOCS.rglob("*.md"))]


def chapters() -> list[Page]:
    """The pages that are chapters, in the order of their numbers."""
    return sorted((page for page in read_all() if "number" in page.meta), key=lambda page: page.meta["number"])


def section_exists(section: str) -> bool:
    """Whether snippets/ has that file and, behind a colon, both marks of that section."""
    file, _, name = section.partition(":")
    path = SNIPPETS / file
    if not path.is_file():
        return False
    text = path.read_text()
    return not name or all(f"--8<-- [{edge}:{name}]" in text for edge in ("start", "end"))

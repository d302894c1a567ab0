"""What the Markdown pages say to the macros, read without building them."""

import ast
import re
import textwrap
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from snippets.book.errors import BookError
from snippets.book.pages import navigation
from snippets.book.pages.references import CITATION
from snippets.book.paths import DOCS, SNIPPETS

MACRO = re.compile(r"\{\{\{(.*?)\}\}\}", re.DOTALL)
INCLUDE = re.compile(r"^([ \t]*)--8<-- \"([^\"\n]+)\"[ \t]*$", re.MULTILINE)
MARK = re.compile(r"^[^\n]*--8<-- \[(?:start|end):[\w-]+\][^\n]*\n?", re.MULTILINE)
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
    body: str = ""  # what follows the front matter
    calls: list[Call] = field(default_factory=list)
    citations: set[str] = field(default_factory=set)
    sections: set[str] = field(default_factory=set)  # "abrupt_learning/jump.py:run"

    @property
    def file(self) -> str:
        """Its path under docs/: abrupt-learning/jump.md."""
        return self.path.relative_to(DOCS).as_posix()

    @property
    def name(self) -> str:
        return f"docs/{self.file}"

    @property
    def key(self) -> str:
        """As front matter names it: abrupt-learning/jump."""
        return self.file.removesuffix(".md")

    @property
    def url(self) -> str:
        """Its address within the site: abrupt-learning/jump/, and of docs/index.md nothing."""
        return address(self.file)

    @property
    def number(self) -> int | None:
        """Its place among the chapters; None where it is no chapter."""
        return navigation.chapter_numbers().get(self.file)

    @property
    def title(self) -> str:
        """Such as '12. The jump'."""
        own = str(self.meta.get("title") or self.key)
        return f"{self.number}. {own}" if self.number else own


def address(file: str) -> str:
    """Where the page of a file under docs/ is on the site."""
    folder, _, name = file.removesuffix(".md").removesuffix(".ipynb").rpartition("/")
    return "".join(f"{part}/" for part in (folder, "" if name == "index" else name) if part)


def read(path: Path) -> Page:
    """Read one page. Raises BookError where its front matter or a macro call cannot be read."""
    found = path.stat()
    return read_version(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1000)
def read_version(path: Path, mtime_ns: int, size: int) -> Page:
    """The page as it is since then: a build asks for every page a hundred times."""
    text = path.read_text(encoding="utf-8")
    name = f"docs/{path.relative_to(DOCS).as_posix()}"
    meta: dict[str, Any] = {}
    if text.startswith("---\n"):
        front, _, text = text[4:].partition("\n---\n")
        try:
            meta = yaml.safe_load(front) or {}
        except yaml.YAMLError as error:
            raise BookError(f"{name}: its front matter is not YAML: {flat(str(error))}") from error
    prose = FENCE.sub("", text)
    if match := INDENTED_FIGURE.search(prose):
        raise BookError(
            f"{name}: {flat(match[0])}...) is indented; a figure cannot stand in a note or list, move it out"
        )
    return Page(
        path=path,
        meta=meta,
        body=text,
        calls=[read_call(name, match[1]) for match in MACRO.finditer(prose)],
        citations=set(CITATION.findall(prose)),
        sections={match[2] for match in INCLUDE.finditer(text)},
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


def at(url: str) -> Page | None:
    """The page at an address of the site; None where it is made of something else, such as a notebook."""
    paths = (DOCS / f"{url.rstrip('/')}.md", DOCS / url / "index.md")
    return next((read(path) for path in paths if path.exists()), None)


def read_all() -> list[Page]:
    return [read(path) for path in sorted(DOCS.rglob("*.md"))]


def chapters() -> list[Page]:
    """The pages that are chapters, in the order of their numbers."""
    return [read(DOCS / file) for file in navigation.chapter_numbers()]


def section(name: str) -> str | None:
    """The text of "file.py:section" in snippets/, without marks and common indent; None where it is not there."""
    file, _, part = name.partition(":")
    path = SNIPPETS / file
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    if part:
        edge = r"^[^\n]*--8<-- \[{}:" + re.escape(part) + r"\][^\n]*\n"
        found = re.search(edge.format("start") + r"(.*?)" + edge.format("end"), f"{text}\n", re.DOTALL | re.MULTILINE)
        if not found:
            return None
        text = found[1]
    return textwrap.dedent(MARK.sub("", text)).strip("\n")

"""From docs/ to plain Markdown: every macro filled in, every section of code in its place, every citation defined.

What comes out, under build/pages/, any generator of sites can read. Only files whose content changes are written.
"""

import filecmp
import re
import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError

from snippets.book.errors import BookError
from snippets.book.pages import glossary, lab_pages, macros, navigation, pages, printed, references, shown
from snippets.book.pages.facts import Facts
from snippets.book.paths import BUILD, DOCS

PAGES = BUILD / "pages"
# delimiters that leave LaTeX in prose alone
MARKS = {
    "variable_start_string": "{{{", "variable_end_string": "}}}", "block_start_string": "{%%",
    "block_end_string": "%%}", "comment_start_string": "{##", "comment_end_string": "##}",
}  # fmt: skip
JINJA = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, **MARKS)  # type: ignore[arg-type]


def expand(target: Path = PAGES, draft: bool = False) -> set[str]:
    """Expand all of docs/ into a folder. Returns the files that are new or have changed there, as paths within it.

    Raises BookError with a line for each page that cannot be expanded; the folder then stays as it was.
    """
    navigation.forget()
    facts, problems = Facts(draft), list[str]()
    texts: dict[str, str] = {}
    copies: dict[str, Path] = {}
    made: dict[str, bytes] = {}
    for path in sorted(p for p in DOCS.rglob("*") if p.is_file() and p.relative_to(DOCS).parts[0] != "figures"):
        file = path.relative_to(DOCS).as_posix()
        if path.suffix != ".md":
            copies[file] = path
            continue
        try:
            texts[file], calls = page(file, facts)
            copies |= calls._figures
            made |= calls._made
        except BookError as error:
            problems += str(error).splitlines()
    try:
        made |= lab_pages.all_files(draft)
    except BookError as error:
        problems += str(error).splitlines()
    if problems:
        raise BookError("\nerror: ".join(problems))
    changed = {file for file, content in made.items() if write_bytes(target / file, content)}
    changed |= {file for file, text in texts.items() if write(target / file, text)}
    changed |= {file for file, path in copies.items() if copy(path, target / file)}
    for path in [p for p in target.rglob("*") if p.is_file()]:
        if (file := path.relative_to(target).as_posix()) not in texts | copies | made:
            path.unlink()
            changed.add(file)
    return changed


def expand_one(file: str, target: Path, draft: bool) -> bool:
    """Expand a single page, where nothing else has changed. Returns whether its text is another than before."""
    text, calls = page(file, Facts(draft))
    for place, path in calls._figures.items():
        copy(path, target / place)
    for place, content in calls._made.items():
        write_bytes(target / place, content)
    return write(target / file, text)


def page(file: str, facts: Facts) -> tuple[str, macros.Macros]:
    """One page as plain Markdown, and its macros, which know what figures and data it shows."""
    read = pages.read(DOCS / file)
    calls = macros.Macros(file, facts)
    body = included(file, filled(read, calls))
    body = glossary.with_anchors(body) + references.footnotes(body)
    if read.number:
        needs = ", ".join(calls.chapter(key.rpartition("/")[2]) for key in read.meta.get("needs") or [])
        below = shown.below_title(read, shown.minutes(body), needs)
        body = re.sub(r"^# (.+)$", rf"# {read.number}. \1\n\n{below}", body, count=1, flags=re.MULTILINE)
    meta = read.meta | ({"title": read.title} if "title" in read.meta else {})
    front = yaml.safe_dump(meta, sort_keys=False, allow_unicode=True, width=1000) if meta else ""
    return (f"---\n{front}---\n{body}" if front else body), calls


def filled(read: pages.Page, calls: macros.Macros) -> str:
    """The body of a page with its macros filled in; code in fences stays as it is."""
    fences: list[str] = []

    def hide(match: re.Match[str]) -> str:
        fences.append(match[0])
        return f"\0{len(fences) - 1}\0"

    text = pages.FENCE.sub(hide, read.body)
    named = {name: naming(read.name, getattr(calls, name)) for name in macros.NAMES}
    try:
        text = JINJA.from_string(text).render(named)
    except (TemplateSyntaxError, UndefinedError) as error:
        raise BookError(f"{read.name}: {error.message}; the macros are {', '.join(macros.NAMES)}") from error
    return re.sub("\0(\\d+)\0", lambda match: fences[int(match[1])], text)


def naming(page: str, macro: Callable[..., str]) -> Callable[..., str]:
    """The macro, in whose errors page and call are named."""

    @wraps(macro)
    def call(*arguments: Any, **options: Any) -> str:
        try:
            return macro(*arguments, **options)
        except (BookError, TypeError, ValueError) as error:
            said = ", ".join(repr(argument) for argument in arguments)
            why = pages.flat(str(error).replace(f"Macros.{macro.__name__}() ", ""))
            raise BookError(f"{page}: {macro.__name__}({said}): {why}") from error

    return call


def included(page: str, text: str) -> str:
    """The text with each line --8<-- "file.py:section" replaced by that section of snippets/, as far indented."""

    def section(match: re.Match[str]) -> str:
        if (code := printed.section(match[2])) is None:
            raise BookError(f'docs/{page} shows "{match[2]}", which is not a file or section in snippets/')
        return "\n".join(match[1] + line if line else "" for line in code.split("\n"))

    return pages.INCLUDE.sub(section, text)


def write(path: Path, text: str) -> bool:
    """Write a file unless it says that already."""
    return write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> bool:
    """Write a file unless it holds that already."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def copy(path: Path, target: Path) -> bool:
    """Copy a file unless it is there already."""
    if target.exists() and filecmp.cmp(path, target, shallow=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return True

"""The order of the book: mkdocs.yml's `nav:` says which parts there are, and which chapter comes where.

A chapter's number is its place among the chapters of the navigation. It is typed nowhere.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from snippets.book.errors import BookError
from snippets.book.measure.catalogue import ROOMS_WITHOUT_EXPERIMENTS
from snippets.book.paths import DOCS, ROOT


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags (!ENV and others) are of no concern here."""


Loader.add_multi_constructor("", lambda loader, suffix, node: None)


def settings_text() -> str:
    path = ROOT / "mkdocs.yml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


@lru_cache(maxsize=10)
def sections(settings: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The navigation as (title, files) pairs, in order; what stands outside a section has no title."""
    try:
        nav = (yaml.load(settings, Loader) or {}).get("nav") or []
    except yaml.YAMLError as error:
        raise BookError(f"mkdocs.yml cannot be read: {' '.join(str(error).split())}") from error
    found = []
    for entry in nav:
        title, inside = next(iter(entry.items())) if isinstance(entry, dict) else ("", entry)
        found.append((title, tuple(files_in(inside))) if isinstance(inside, list) else ("", (inside,)))
    return tuple(found)


def files_in(entry: Any) -> list[str]:
    """Every file that an entry of the navigation names, however deep."""
    if isinstance(entry, dict):
        return [file for inside in entry.values() for file in files_in(inside)]
    return [file for inside in entry for file in files_in(inside)] if isinstance(entry, list) else [str(entry)]


def files() -> list[str]:
    """The pages in reading order, as paths under docs/."""
    return [file for _, inside in sections(settings_text()) for file in inside]


def parts() -> dict[str, str]:
    """The parts of the book, in order: the folder of each, and its title, which is that of its section."""
    found: dict[str, str] = {}
    for title, inside in sections(settings_text()):
        folders = {file.partition("/")[0] for file in inside if "/" in file}
        if len(folders) == 1 and all("/" in file for file in inside):
            folder = folders.pop()
            if title or (inside[0] in chapter_numbers()):
                found.setdefault(folder, title or folder.replace("-", " ").capitalize())
    return {folder: title for folder, title in found.items() if folder not in ROOMS_WITHOUT_EXPERIMENTS}


@cache
def chapter_numbers() -> dict[str, int]:
    """Each chapter's number by its file, as of the last `forget`."""
    return {file: number for number, file in enumerate(filter(lambda file: is_chapter(DOCS / file), files()), 1)}


def is_chapter(path: Path) -> bool:
    """Whether a page's front matter names a mechanism, as a chapter's does."""
    return path.exists() and "\nmechanism:" in path.read_text(encoding="utf-8").partition("\n---\n")[0]


def forget() -> None:
    """Forget which chapters there are, so that the next look reads mkdocs.yml and the pages anew."""
    chapter_numbers.cache_clear()


def chapter_file(key: str) -> str:
    """The file of the chapter with this key, the last part of its address. Raises BookError where there is none."""
    by_key = {file.rpartition("/")[2].removesuffix(".md"): file for file in chapter_numbers()}
    if key not in by_key:
        raise BookError(f"no chapter '{key}' in the navigation; mkdocs.yml has {', '.join(by_key) or 'none'}")
    return by_key[key]

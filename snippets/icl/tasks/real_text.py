"""Real text, the same bytes on every machine: a novel, speeches, and source code.

The prose comes with two packages of package-lock.json, the code is the source of SymPy
as requirements.txt pins it; none is imported. Each corpus is hashed: what differs from
what the book was measured on is an error, not another result.
"""

import hashlib
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sympy  # noqa: F401 - read, not run; its pin is a cause of what is measured

NPM = Path(__file__).resolve().parents[3] / "node_modules" / "@stdlib"
PARTS_OF_SYMPY = ("functions", "geometry")  # about as much text as the novel


class Document(NamedTuple):
    name: str
    text: str
    held_out: bool  # a whole document is trained on, or none of it


def novel() -> list[Document]:
    """Moby-Dick, by Herman Melville, 1851: 135 chapters, every tenth held out."""
    folder = NPM / "datasets-moby-dick" / "data"
    chapters = [(n, folder / f"chapter_{n}.txt") for n in range(1, 136)]
    return documents(
        [(f"chapter {n}", path, n % 10 == 5) for n, path in chapters],
        "the novel",
        "6155ad86287f70c4d7cd6cb4be2d7676327c52cfc15d0471698dc47ef3472359",
    )


def speeches() -> list[Document]:
    """The yearly speeches of presidents of the United States, 1790 to 2021; the years
    that end in 5 are held out."""
    folder = NPM / "datasets-sotu" / "data"
    paths = sorted(folder.glob("*.txt"))
    return documents(
        [(path.stem, path, path.stem[3] == "5") for path in paths],
        "the speeches",
        "dbfe4edf8ad0bf5e5c4c7f0c32d21ef8eba8941b14bdb922d7f8050049d415c5",
    )


def code() -> list[Document]:
    """Some of SymPy's source, without its tests; every fifth file is held out."""
    folder = sympy_folder()
    paths = sorted(
        path
        for part in PARTS_OF_SYMPY
        for path in (folder / part).rglob("*.py")
        if not {"tests", "benchmarks"} & set(path.parts)
    )
    names = [path.relative_to(folder).as_posix() for path in paths]
    return documents(
        [(n, path, i % 5 == 2) for i, (n, path) in enumerate(zip(names, paths))],
        "the code",
        "f7e8a6c1e3c3396bd4511f4d124f95085e8d236c69162c1fbdac49d6952c6171",
    )


CORPORA: dict[str, Callable[[], list[Document]]] = {
    "novel": novel,
    "speeches": speeches,
    "code": code,
}


@cache
def corpus(name: str) -> list[Document]:
    """A corpus by its name, read once. Raises ValueError for an unknown name."""
    if name not in CORPORA:
        raise ValueError(f"no corpus '{name}': choose from {', '.join(CORPORA)}")
    return CORPORA[name]()


def sympy_folder() -> Path:
    """Where SymPy's source lies, without running it."""
    found = importlib.util.find_spec("sympy")
    if found is None or found.origin is None:
        raise ValueError("the code is not there: run `make environment`")
    return Path(found.origin).parent


def documents(
    files: list[tuple[str, Path, bool]], what: str, sha256: str
) -> list[Document]:
    """The files' texts, if together they are the bytes with this hash.

    Raises ValueError, with the remedy, where a file is missing or differs."""
    whole, found = hashlib.sha256(), []
    for name, path, held_out in files:
        if not path.is_file():
            raise ValueError(f"{what} is not there ({name}): run `make environment`")
        content = path.read_bytes()
        whole.update(name.encode() + b"\0" + content + b"\0")
        found.append(Document(name, content.decode("utf-8"), held_out))
    if whole.hexdigest() != sha256:
        raise ValueError(
            f"{what} differs from what the book was measured on (sha256 "
            f"{whole.hexdigest()[:12]}, not {sha256[:12]}): run `make environment`"
        )
    return found

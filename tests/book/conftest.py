"""A small book of its own for the tests that run the pipeline: the real code, one experiment that trains in no time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from snippets.book.paths import ROOT

TINY = "mechanisms/tiny"
FIXED = (
    "index",
    "map",
    "ledger",
    "papers",
    "run-times",
    "references",
    "glossary",
    "about/claims",
)  # pages of every book


class SmallBook:
    """A copy of the project with the scaffold's experiment as its only one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "snippets").mkdir(parents=True)
        for room in ("book", "icl", "live"):
            shutil.copytree(
                ROOT / "snippets" / room, root / "snippets" / room, ignore=shutil.ignore_patterns("__pycache__")
            )
        (root / "snippets" / "diagrams").mkdir()
        top = [f"snippets/{name}.py" for name in ("__init__", "__main__", "contract", "style", "progress")]
        top += [f"snippets/diagrams/{name}.py" for name in ("__init__", "vocabulary")]
        for file in (*top, "Snakefile", "package-lock.json", "requirements.txt", "mkdocs.yml"):
            shutil.copy(ROOT / file, root / file)
        (root / "node_modules").symlink_to(ROOT / "node_modules")
        docs = root / "docs"
        shutil.copytree(ROOT / "docs" / "assets", docs / "assets")
        for file in (f"{name}.md" for name in FIXED[1:]):
            (docs / file).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "docs" / file, docs / file)
        works = (ROOT / "docs" / "references.bib").read_text().split("\n\n")
        (docs / "references.bib").write_text("\n\n".join(works[:10]))
        (docs / "index.md").write_text("# A small book\n\n{{{ chapters() }}}\n")
        made = self.run("new", TINY)
        assert made.returncode == 0, made.stderr
        self.navigation("tiny")

    def navigation(self, *chapters: str) -> None:
        """Write the navigation with these chapters of the part `mechanisms`."""
        settings = (ROOT / "mkdocs.yml").read_text()
        before, _, rest = settings.partition("\nnav:\n")
        entries = "".join(f"  - mechanisms/{name}.md\n" for name in chapters)
        fixed = "".join(f"  - {name}.md\n" for name in FIXED)
        (self.root / "mkdocs.yml").write_text(f"{before}\nnav:\n{fixed}{entries}\n{rest.partition(chr(10) * 2)[2]}")

    @property
    def code(self) -> Path:
        return self.root / "snippets" / f"{TINY}.py"

    @property
    def page(self) -> Path:
        return self.root / "docs" / "mechanisms" / "tiny.md"

    @property
    def work(self) -> Path:
        return self.root / "record" / TINY

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new))

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        environment = {k: v for k, v in os.environ.items() if k != "BOOK_DRAFT"} | {"PYTHONPATH": ""}
        return subprocess.Popen(
            [sys.executable, "-m", "snippets", *arguments],
            cwd=self.root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def fails(self, *arguments: str, code: int = 1) -> str:
        """Run a command that must fail with this exit code, and return its one error line."""
        process = self.run(*arguments)
        assert process.returncode == code, f"exit code {process.returncode}, not {code}\n{process.stderr}"
        lines = [line for line in process.stderr.splitlines() if line.startswith("error: ")]
        assert lines, f"no error line in:\n{process.stderr}"
        assert "Traceback" not in process.stderr
        return lines[0]

    def times(self) -> dict[str, int]:
        """When each kept file was last written, by name."""
        return {path.name: path.stat().st_mtime_ns for path in self.work.glob("*") if path.name[0] != "."}


@pytest.fixture(scope="session")
def small_book_template(tmp_path_factory) -> Path:
    """A small book, built once."""
    book = SmallBook(tmp_path_factory.mktemp("template") / "book")
    made = book.run("build")
    assert made.returncode == 0, made.stderr
    return book.root


@pytest.fixture
def small_book(small_book_template, tmp_path) -> SmallBook:
    """A built small book that a test may damage."""
    root = tmp_path / "book"
    shutil.copytree(small_book_template, root, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    book = SmallBook.__new__(SmallBook)
    book.root = root
    return book


Edit = Callable[[SmallBook], None]

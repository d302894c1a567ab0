"""A small book for the tests of the engine: the real code, two cells measured in no time, no pages, no torch."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snippets.book.paths import ROOT

EXPERIMENT = '''"""How fast does the mean of n draws settle?

Source: none, a textbook law.
"""

from dataclasses import dataclass

import numpy as np

from snippets.contract import Claim, Measurements, between
from snippets.icl.sample import errors_of_means
from snippets.progress import steps


@dataclass(frozen=True)
class Config:
    largest: int = 1024  # draws in the longest sample
    repeats: int = 200  # samples of each length


PRESETS = {
    "laptop": {"few": Config(64), "many": Config(256)},
    "paper": Config(2048),
}


def run(config: Config, seed: int) -> Measurements:
    """Errors of the mean."""
    generator = np.random.default_rng(seed)
    sizes = 2 ** np.arange(int(np.log2(config.largest)) + 1)
    errors = []
    for i in steps(len(sizes)):
        draws = generator.standard_normal((config.repeats, int(sizes[i])))
        errors.append(errors_of_means(draws))  # root of the mean squared error
    return {"size": sizes, "error": np.array(errors), "last": errors[-1]}


def slope(m: Measurements) -> float:
    """The exponent of the power law that fits best."""
    m = m.get("many", m)
    return float(np.polyfit(np.log(m["size"]), np.log(m["error"]), 1)[0])


CLAIMS = [
    Claim("square-root", slope, between(-0.6, -0.4), "",
          "The error falls with the number of draws to the power of minus a half."),
]
'''
SAMPLE = '''"""What the experiment shares."""

import numpy as np


def errors_of_means(draws: np.ndarray) -> float:
    return float(np.sqrt(np.square(draws.mean(1)).mean()))
'''
FIGURE = '''"""The figure of mechanisms/tiny."""

from matplotlib.figure import Figure

from snippets import style
from snippets.contract import Measurements


def draw(runs: list[Measurements]) -> dict[str, Figure]:
    figure, axes = style.panels(1)
    m = runs[0].get("many", runs[0])
    axes[0, 0].plot(m["size"], m["error"])
    axes[0, 0].set(xlabel="draws")
    return {"error": figure}
'''
LOOP = "for i in steps(len(sizes)):"
SLOW = "for i in steps(len(sizes)):\n        import time; time.sleep(0.15)"
UNITS = [f"{seed}.{cell}" for seed in range(5) for cell in ("few", "many")]


class Book:
    """A copy of the machinery with one experiment, mechanisms/tiny, in a folder with a space in its name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.code = root / "snippets/mechanisms/tiny.py"
        self.drawing = root / "snippets/mechanisms/figures/tiny.py"
        self.shared = root / "snippets/icl/sample.py"
        self.record = root / "record/mechanisms/tiny"
        self.results = self.record / "results.json"
        self.measurements = self.record / "measurements.npz"

    def make(self) -> None:
        ignore = shutil.ignore_patterns("__pycache__", "pages")
        for room in ("snippets/book", "snippets/live"):  # the commands stand in both
            shutil.copytree(ROOT / room, self.root / room, ignore=ignore)
        for file in ("snippets/__main__.py", "snippets/contract.py", "snippets/progress.py", "snippets/style.py",
                     "requirements.txt", "Snakefile", ".gitignore"):  # fmt: skip
            shutil.copy(ROOT / file, self.root / file)
        for path, text in ((self.code, EXPERIMENT), (self.shared, SAMPLE), (self.drawing, FIGURE)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            (path.parent / "__init__.py").touch()
        (self.root / "snippets/__init__.py").touch()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.org"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "as it is")

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "snippets", *arguments],
            cwd=self.root, env=os.environ | {"PYTHONPATH": ""}, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, **options,
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def passes(self, *arguments: str) -> str:
        """Run a command that must succeed; what it says."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def fails(self, *arguments: str, code: int = 1) -> str:
        """Run a command that must fail with this exit code, and return its error lines."""
        done = self.run(*arguments)
        assert done.returncode == code, f"exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert lines and "Traceback" not in done.stderr, done.stderr
        return "\n".join(lines)

    def build(self) -> str:
        return self.passes("build", "--no-site")

    def units(self) -> dict[str, int]:
        """The units that lie under build/, and when each was written."""
        return {path.name: path.stat().st_mtime_ns for path in self.root.glob("build/units/laptop/*/*/*.npz")}

    def trained(self, before: dict[str, int]) -> list[str]:
        """The units that were measured since then."""
        return sorted(name.rsplit(".", 2)[0] for name, when in self.units().items() if before.get(name) != when)

    def kept(self) -> dict[str, bytes]:
        """Everything that was made."""
        paths = [*self.root.glob("record/**/*"), *self.root.glob("build/figures/**/*")]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A small book, built once."""
    book = Book(tmp_path_factory.mktemp("a template") / "book")
    book.make()
    assert "git add record/mechanisms/tiny" in book.build()
    book.commit()
    return book.root


@pytest.fixture
def book(template, tmp_path) -> Book:
    """A built small book that a test may damage."""
    root = tmp_path / "a book"
    shutil.copytree(template, root, ignore=shutil.ignore_patterns("__pycache__"))
    return Book(root)


def wait_for(condition, seconds: float = 60) -> None:
    """Wait until something is so; the time is for a busy machine, no test asserts it."""
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "it did not come"
        time.sleep(0.02)


def children_of(group: int) -> list[int]:
    """The processes of a session that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def kill_tree(process: subprocess.Popen) -> None:
    """kill -9 to a command and all it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

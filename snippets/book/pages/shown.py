"""What a page shows besides numbers: predictions, diagrams, things to touch, how it was made, the title's line."""

import html
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module, reload
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from snippets.book.errors import BookError
from snippets.book.measure.seeds import DEFAULT_SEEDS, spell
from snippets.book.pages import pages
from snippets.book.paths import ROOT, SNIPPETS
from snippets.contract import Measurements

INTERACTIVES = SNIPPETS / "interactives"
RELATIVE = re.compile(r"""["'](\.{1,2}/[\w./-]+\.js)["']""")  # in a script: a file beside it that it imports or starts
LIBRARIES = {"jax": ROOT / "node_modules" / "@jax-js" / "jax"}  # what a script may import besides, as ./jax/index.js
LEVELS = ("no code", "some Python", "some PyTorch", "linear algebra", "calculus")
WORDS_A_MINUTE = 180  # of a page with formulas and code
FIGURE_MINUTES = 0.5


def prediction(question: str, options: Sequence[str], answer: int, because: str, unveils: str) -> str:
    """A question with its options, as a list; the page's script makes buttons of it and veils the figure until one is
    chosen. Without the script it is a question and a list.
    """
    if not 2 <= len(options) <= 5:
        raise BookError(f"a prediction has two to five options, not {len(options)}")
    if not 1 <= answer <= len(options):
        raise BookError(f"the answer is option {answer} of {len(options)}; the first is 1")
    listed = "\n".join(f"<li>{inline(option)}</li>" for option in options)
    return (
        f'<div class="predict" data-answer="{answer}" data-unveils="{unveils}" markdown>\n'
        f'<p class="predict-question" markdown>**Before you look.** {pages.flat(question)}</p>\n'
        f'<ol class="predict-options">\n{listed}\n</ol>\n'
        f'<p class="predict-because" hidden>{inline(because)}</p>\n</div>\n'
    )


def inline(text: str) -> str:
    """A text in HTML whose formulas stay formulas: $...$ as the formulas' pass finds them."""
    parts = re.split(r"\$([^$]+)\$", pages.flat(text))
    return "".join(
        f'<span class="arithmatex">\\({html.escape(part)}\\)</span>' if place % 2 else part
        for place, part in enumerate(parts)
    )


class Drawing(Protocol):
    """A diagram, as snippets/diagrams/vocabulary.py makes it."""

    def svg(self, alt: str) -> str: ...


@lru_cache(maxsize=100)
def version(name: str, mtime_ns: int) -> ModuleType:
    """A module as its file is since then: `make serve` sees it edited."""
    return reload(sys.modules[name]) if name in sys.modules else import_module(name)


def drawings(key: str) -> dict[str, Drawing]:
    """The diagrams of a chapter, from snippets/diagrams/<key>.py. Raises BookError where there are none."""
    path = SNIPPETS / "diagrams" / f"{key.replace('-', '_')}.py"
    if not path.is_file():
        raise BookError(f"there is no snippets/diagrams/{path.name}")
    module = version(f"snippets.diagrams.{path.stem}", path.stat().st_mtime_ns)
    return {name: make() for name, make in module.DIAGRAMS.items()}


def diagram(key: str, name: str, alt: str) -> str:
    """A diagram as SVG within the page: its colours are the theme's, and its words are read out as `alt`."""
    found = drawings(key)
    if name not in found:
        raise BookError(f"snippets/diagrams has no '{name}' for '{key}'; it has {', '.join(found)}")
    return found[name].svg(alt)


Runs = Callable[[str], list[Measurements]]  # from the name of an experiment to the measurements of its seeds


@dataclass(frozen=True)
class Interactive:
    """A figure one can touch: a script, and the data that the pipeline makes for it."""

    name: str  # "soft_dictionary"

    @property
    def script(self) -> Path:
        return INTERACTIVES / f"{self.name}.js"

    @property
    def scripts(self) -> list[Path]:
        """The script, and what it and those name by a relative path: modules that are imported, workers."""
        found, waiting = list[Path](), [self.script]
        while waiting:
            if (path := waiting.pop()) in found or library(path):
                continue
            if not path.is_file() or not path.is_relative_to(INTERACTIVES):
                raise BookError(f"snippets/interactives/{self.name}.js needs {path.name}, which is not beside it")
            found.append(path)
            waiting += beside(path)
        return found

    @property
    def libraries(self) -> dict[str, Path]:
        """The files of the libraries that its scripts import, by their places beside them, and their licences."""
        named = {name for path in self.scripts for name in beside(path) if library(name)}
        found: dict[str, Path] = {}
        for name in sorted({path.parent.name for path in named}):
            files = [*(LIBRARIES[name] / "dist").glob("*.js"), LIBRARIES[name] / "LICENSE"]
            if len(files) == 1:
                raise BookError(f"node_modules lacks {LIBRARIES[name].name}; run `make environment`")
            found |= {f"{name}/{path.name}": path for path in files}
        return found

    def data(self, runs: Runs) -> bytes | None:
        """What snippets/interactives/<name>.py returns from data(runs), as JSON; None where it has no such file."""
        path = INTERACTIVES / f"{self.name}.py"
        if not path.is_file():
            return None
        made = version(f"snippets.interactives.{self.name}", path.stat().st_mtime_ns).data(runs)
        return (json.dumps(made, separators=(",", ":"), allow_nan=False) + "\n").encode()


def beside(script: Path) -> list[Path]:
    """The files that a script names by relative paths."""
    return [(script.parent / name).resolve() for name in RELATIVE.findall(script.read_text(encoding="utf-8"))]


def library(path: Path) -> bool:
    """Whether a path beside the scripts is that of a library, which lies in node_modules."""
    return path.parent.parent == INTERACTIVES and path.parent.name in LIBRARIES


def interactive(name: str) -> Interactive:
    found = Interactive(name.replace("-", "_"))
    if not found.script.is_file():
        raise BookError(f"there is no snippets/interactives/{found.name}.js")
    return found


def below_title(page: pages.Page, minutes: int, needs: str) -> str:
    """Level, minutes and path of a chapter, in one line."""
    level = str(page.meta.get("level", ""))
    if level not in LEVELS:
        raise BookError(f"{page.name}: its front matter's 'level' is '{level}'; it is one of {', '.join(LEVELS)}")
    path = "core path" if page.meta.get("core") else "further in"
    after = f" · after {needs}" if needs else ""
    return f'<p class="chapter-line" markdown>{path} · {level} · {minutes} minutes{after}</p>'


def minutes(text: str) -> int:
    """How long a page takes: its words in sight, and half a minute a figure."""
    seen = in_sight(text)
    return max(1, round(len(words(seen)) / WORDS_A_MINUTE + FIGURE_MINUTES * seen.count("book-figure")))


def in_sight(text: str) -> str:
    """What of an expanded page is seen before anything is unfolded."""
    text = re.sub(r"^( *)\?\?\? .*\n(?:\1    .*\n|\s*\n)*", "", text, flags=re.MULTILINE)
    fold = re.compile(r"<details(?:(?!<details).)*?</details>", re.DOTALL)  # the innermost first: folds hold folds
    while fold.search(text):
        text = fold.sub("", text)
    return text


def words(text: str) -> list[str]:
    """The words of prose: no code, formulas, tags, footnotes' texts."""
    text = pages.FENCE.sub(" ", text)
    text = re.sub(
        r"<svg.*?</svg>|\$\$.*?\$\$|^\[\^[^\n]*|!\[[^\]]*\]\([^)]*\)(\{[^}]*\})?",
        " ",
        text,
        flags=re.DOTALL | re.MULTILINE,
    )
    text = re.sub(r"<[^>]*>|\]\([^)]*\)|\$[^$]*\$", " ", text)
    return re.findall(r"[^\W_][\w'’,.-]*", text)


def provenance(data: str, results: dict[str, Any]) -> str:
    """What stands under a figure: command, cost, seeds, source hash, data."""
    made = results["provenance"]
    return (
        f'<details class="provenance"><summary>How this was made</summary>'
        f"<code>{html.escape(made['command'])}</code>: {sum(made['core_seconds']):.0f} core-seconds, seeds "
        f"{spell(results['seeds'])}, source {results['fingerprint']}, commit {made['commit']}, "
        f'torch {made["torch"]}. <a href="{data}" download>The plotted data</a>.</details>'
    )


def run_cost(made: dict[str, Any]) -> str:
    """What the five seeds of an experiment took."""
    return (
        f"It took {sum(made['core_seconds']):.0f} core-seconds for {len(DEFAULT_SEEDS)} seeds "
        f"and {made['peak_memory_mb']} MB at most, on {made['cpu'].strip()}. No GPU."
    )


def run_box(name: str, cost: str) -> str:
    """The box that says how to run an experiment, and what it took here."""
    return (
        f'!!! example "Run it yourself: `{name}`"\n\n'
        f"    ```sh\n    .venv/bin/python -m snippets run {name}\n"
        f"    .venv/bin/python -m snippets verify {name} --seeds 100-104\n    ```\n\n"
        "    The first line makes the numbers and figures of this page; what is there already is kept. "
        f"The second checks the claims on seeds of your choice. {cost}\n"
    )

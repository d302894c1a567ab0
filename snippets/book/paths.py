"""Where things are. What took long to measure is kept in record/, in the repository; everything else that is made lives
under build/ and site/, and can be deleted at any time.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = ROOT / "snippets"
DOCS = ROOT / "docs"
BUILD = ROOT / "build"
SITE = ROOT / "site"
RECORD = ROOT / "record"
UNITS = BUILD / "units"  # measurements of single seeds, until all seeds of an experiment are there

SHOWN_PRESET = "laptop"  # the preset whose results the pages print


def relative(path: Path) -> str:
    """The path as a reader would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def work(experiment: str, preset: str) -> Path:
    """Where an experiment's measurements and verdicts are kept: in the record for the preset that the book shows."""
    return RECORD / experiment if preset == SHOWN_PRESET else BUILD / preset / experiment


def unit(seed: int, cell: str) -> str:
    """What is trained in one go: a seed, or in a sweep one cell of it."""
    return f"{seed}.{cell}" if cell else f"{seed}"


def figures(experiment: str, preset: str) -> Path:
    """Where an experiment's figures are kept, with the list of them (figures.json)."""
    if preset == SHOWN_PRESET:
        return BUILD / "figures" / experiment
    return BUILD / preset / experiment / "figures"


def module_of(experiment: str) -> str:
    """snippets/part/name.py, as Python names it."""
    return "snippets." + experiment.replace("/", ".")


def figures_module(experiment: str) -> str:
    """The module that draws an experiment: snippets/part/figures/name.py."""
    part, name = experiment.split("/")
    return f"snippets.{part}.figures.{name}"

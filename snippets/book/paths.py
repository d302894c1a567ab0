"""Where things are. Everything made lives under build/, docs/figures/ and site/, and can be deleted at any time."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = ROOT / "snippets"
DOCS = ROOT / "docs"
BUILD = ROOT / "build"
SITE = ROOT / "site"

SHOWN_PRESET = "laptop"  # the preset whose results the pages print


def work(experiment: str, preset: str) -> Path:
    """Where an experiment's measurements and verdicts are kept."""
    return BUILD / preset / experiment


def unit(seed: int, cell: str) -> str:
    """What is trained in one go: a seed, or in a sweep one cell of it."""
    return f"{seed}.{cell}" if cell else f"{seed}"


def figures(experiment: str, preset: str) -> Path:
    """Where an experiment's figures are kept: among the pages for the preset that the book shows."""
    if preset == SHOWN_PRESET:
        return DOCS / "figures" / experiment
    return work(experiment, preset) / "figures"

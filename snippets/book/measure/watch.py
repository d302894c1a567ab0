"""How far a training run is, told through small files, so that a terminal and a page in draft can both show it.

build/<preset>/<experiment>/progress-<seed>.json           while that seed trains
build/<preset>/<experiment>/progress-<seed>.<cell>.json    while that cell of a sweep trains
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snippets.book.paths import unit, work

EVERY = 0.5  # seconds between two writes
SILENT = 60  # seconds after which a file is taken for one that a killed run left behind


def progress_path(experiment: str, preset: str, seed: int, cell: str) -> Path:
    return work(experiment, preset) / f"progress-{unit(seed, cell)}.json"


@contextmanager
def telling(experiment: str, preset: str, seed: int, cell: str = "") -> Iterator[Any]:
    """A function to call with the share that is done; what it writes is gone when the block ends."""
    path = progress_path(experiment, preset, seed, cell)
    began, last = time.time(), 0.0

    def tell(share: float) -> None:
        nonlocal last
        if time.time() - last >= EVERY:
            last = time.time()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"share": share, "seconds": last - began, "pid": os.getpid()}))

    try:
        yield tell
    finally:
        path.unlink(missing_ok=True)


def share_done(experiment: str, preset: str, seed: int, cell: str = "") -> float | None:
    """The share of a run that is done, None where it is not running."""
    path = progress_path(experiment, preset, seed, cell)
    try:
        if time.time() - path.stat().st_mtime > SILENT:
            return None
        return float(json.loads(path.read_text())["share"])
    except (OSError, ValueError, KeyError):
        return None

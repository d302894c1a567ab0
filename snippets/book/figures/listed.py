"""Which figures were drawn, and whether they still are what the code draws. Needs neither matplotlib nor torch."""

import hashlib
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure import fingerprint, store
from snippets.book.paths import figures, relative


def read(experiment: str, preset: str, seeds: list[int]) -> dict[str, Any] | None:
    """The list of an experiment's figures: `figures` (name -> file -> hash) and `sizes` (name -> width, height in CSS
    pixels); None where there are none yet. Raises BookError where they are stale, or a file is missing or another.
    """
    folder = figures(experiment, preset)
    about = store.read_json(folder / "figures.json")
    if about is None:
        return None
    if about.get("fingerprint") != fingerprint.of_figures(experiment, preset, seeds):
        raise BookError(f"the figures of {experiment} are stale, its code has changed since; run `make book`")
    for files in about["figures"].values():
        for file, sha in files.items():
            path = folder / file
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha:
                raise BookError(
                    f"{relative(path)} is missing or not the file that was drawn; "
                    f"run `python -m snippets draw {experiment}`"
                )
    return about


def is_fresh(experiment: str, preset: str, seeds: list[int]) -> bool:
    try:
        return read(experiment, preset, seeds) is not None
    except BookError:
        return False

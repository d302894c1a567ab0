"""`build`: all that is stale, in one go: measurements, verdicts, figures, labs, and the site from them."""

import hashlib
import os
from pathlib import Path

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import catalogue, make, state, store
from snippets.book.measure.lock import alone
from snippets.book.measure.pool import Task
from snippets.book.paths import BUILD, RECORD, ROOT, SHOWN_PRESET, SITE, SNIPPETS

SETTINGS = ("SITE_URL", "REPO_URL", "EDIT_URI")  # what a site's pages say depends on these variables


def build(preset: str, cores: int, site: bool = True, profile: str = "") -> list[str]:
    """Make what is stale of a preset; returns what is to be committed. Raises BookError with a line for each problem;
    what was finished is kept.
    """
    names = state.measurable(preset, catalogue.discover())
    if not names:
        raise UsageError(f"no experiment has a preset '{preset}'")
    with alone():
        if profile:
            from snippets.book.measure import cluster

            cluster.train(names, preset, profile)
        shown = preset == SHOWN_PRESET
        problems = make.results_and_figures(names, preset, cores, extra=lab_tasks() if shown else ())
        if problems:
            raise BookError("\nerror: ".join(problems))
        if site and shown:
            build_site()
    return make.to_commit() if shown else []


def lab_tasks() -> list[Task]:
    """A task for each lab that is not made yet."""
    if not (SNIPPETS / "labs").exists():
        return []
    from snippets.book.pages import lab_runs, labs

    return [
        Task(f"lab {lab}", "snippets.book.pages.lab_runs:make", (lab,), make.LAB_COST)
        for lab in labs.discover()
        if not lab_runs.is_fresh(lab)
    ]


def build_site() -> None:
    """Build the pages, unless they are built already from what is there now."""
    from snippets.book.pages import publish

    note = BUILD / "site.json"
    stamp = site_stamp(publish.sources())
    try:
        before = store.read_json(note)
    except BookError:
        before = None
    if before is not None and before["stamp"] == stamp and (SITE / ".complete").exists():
        return
    publish.build(draft=False)
    store.write_json(note, {"stamp": stamp})


def site_stamp(sources: list[str]) -> str:
    """One hash of all that the site is made from: files by content, and the settings of the place it will lie at."""
    made = [*RECORD.rglob("results.json"), *RECORD.glob("*.json"), *BUILD.glob("figures/*/*/figures.json"),
            *RECORD.glob("labs/*.ipynb")]  # fmt: skip
    found = hashlib.sha256("\n".join(os.environ.get(name, "") for name in SETTINGS).encode())
    for path in sorted({ROOT / source for source in sources} | {ROOT / "requirements.txt"} | set(made)):
        if path.exists():
            found.update(f"{path.relative_to(ROOT)}\n".encode() + hash_of(path))
    return found.hexdigest()


def hash_of(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()

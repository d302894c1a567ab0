"""Make what is stale: one build at a time, through Snakemake."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import catalogue, fingerprint, pipeline, store
from snippets.book.measure.seeds import DEFAULT_SEEDS, parse
from snippets.book.pages import labs
from snippets.book.paths import BUILD, ROOT, SHOWN_PRESET, figures, work


@contextmanager
def alone() -> Iterator[None]:
    """Hold the build to ourselves. The system lets go of the lock when this process ends, however it ends."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BookError(
                f"another build is running (process {holder}); wait for it, or stop it, and run again"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def build(preset: str, cores: int, site: bool = True, profile: str = "") -> None:
    """Make what is stale of a preset, the site too if asked for. Raises BookError where a step failed and said why."""
    if preset != "laptop" and not any(fingerprint.preset_expression(name, preset) for name in catalogue.discover()):
        raise UsageError(f"no experiment has a preset '{preset}'")
    with alone():
        stale = outdated(preset)
        for name in catalogue.discover():
            folder = work(name, preset)
            made = all((folder / file).exists() for file in ("results.json", "figures.json"))
            if not made or not fingerprint.preset_expression(name, "laptop") or any(folder in p.parents for p in stale):
                catalogue.load(name)  # a broken experiment stops the build before any of it is run
        for path in stale:
            path.unlink()
        labs.forget_removed()
        if snakemake(preset, cores, "all" if site else "results", profile):
            raise BookError("the build stopped at the lines above; what was finished is kept: mend them and run again")


def snakemake(preset: str, cores: int, target: str, profile: str) -> int:
    """Run Snakemake; returns its exit code. The caller holds the lock."""
    arguments = [sys.executable, "-m", "snakemake", target, "--rerun-incomplete", "--keep-going", "--quiet", "all"]
    arguments += ["--nolock"]  # our own lock stands in for Snakemake's, which a killed build leaves behind
    arguments += ["--profile", profile] if profile else ["--cores", str(cores)]
    arguments += ["--config", f"preset={preset}", *(["seeds_per_job=1"] if profile else [])]
    return subprocess.run(arguments, cwd=ROOT).returncode


def outdated(preset: str) -> list[Path]:
    """Files that Snakemake must not take for finished: damaged, or made by code that has changed.

    Snakemake sees such a change only where it made the file itself. `python -m snippets run` makes the same files, and
    a restored cache brings them without Snakemake's notes; the fingerprints inside tell in every case.
    """
    found: list[Path] = []
    for name in catalogue.discover():
        if not fingerprint.preset_expression(name, preset):
            continue
        folder = work(name, preset)
        units = [(seed, cell) for seed in DEFAULT_SEEDS for cell in fingerprint.cells(name, preset)]
        missing = [unit for unit in units if not pipeline.is_trained(name, preset, *unit)]
        found += [flag for flag in folder.glob("trained-*") if covers(flag, missing)]
        stamps = {
            folder / "results.json": fingerprint.of_results(name, preset, DEFAULT_SEEDS),
            folder / "figures.json": fingerprint.of_figures(name, preset, DEFAULT_SEEDS),
        }
        drawn = figures(name, preset)
        made = [(path, stamp) for path, stamp in stamps.items() if path.exists()]
        found += [path for path, stamp in made if missing or not is_fresh(path, stamp, drawn)]
    if preset == SHOWN_PRESET:
        found += [labs.stamp(lab) for lab in labs.discover() if labs.stamp(lab).exists() and not labs.is_fresh(lab)]
    return found


def covers(flag: Path, missing: list[tuple[int, str]]) -> bool:
    """Whether trained-<seeds> or trained-<seed>.<cell> promises one of these seeds and cells."""
    seeds, _, only = flag.name.removeprefix("trained-").partition(".")
    return any(seed in parse(seeds) and only in ("", cell) for seed, cell in missing)


def is_fresh(path: Path, stamp: str, drawn: Path) -> bool:
    """Whether a file is whole and carries this fingerprint, and the figures that it lists are in the folder `drawn`."""
    try:
        content = store.read_json(path)
    except BookError:
        print(f"{store.relative(path)} was cut or edited by hand: it is made again", file=sys.stderr)
        return False
    if content is None or content.get("fingerprint") != stamp:
        return False
    return all((drawn / file).exists() for files in content.get("figures", {}).values() for file in files)

"""The way to a cluster: Snakemake submits a job for each unit, and a job is one call of `python -m snippets train`.

A unit's file has its fingerprint in its name, so to Snakemake a unit is there or it is not; it decides nothing else.
"""

import subprocess
import sys
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.measure import state, units
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.paths import BUILD, ROOT, relative


def jobs(names: list[str], preset: str) -> dict[str, tuple[str, int, str]]:
    """The file that each missing unit will be, and its experiment, seed and cell."""
    found = {}
    for name in names:
        known = state.look(name, preset, DEFAULT_SEEDS)
        for which in known.missing:
            path = units.path(name, preset, *which, known.stamps[which])
            path.unlink(missing_ok=True)  # a file that cannot be read back must not be taken for finished
            found[relative(path)] = (name, *which)
    return found


def call(preset: str, experiment: str, name: str) -> list[str]:
    """The command that makes one unit; `name` is `<seed>[.<cell>]`."""
    seed, _, cell = name.partition(".")
    options = ["--preset", preset, "--seeds", seed, *(["--cells", cell] if cell else [])]
    return [sys.executable, "-m", "snippets", "train", experiment, *options]


def train(names: list[str], preset: str, profile: str) -> None:
    """Measure what is missing through Snakemake, with this profile. Raises BookError where jobs failed."""
    if " " in sys.executable:
        where = f"from a path with a space, {sys.executable}"
        raise BookError(f"Snakemake cannot submit jobs {where}; move the book and install it there")
    if not Path(profile).exists():
        raise BookError(f"there is no profile '{profile}'; profiles/slurm is one to begin with")
    wanted = list(jobs(names, preset))
    if not wanted:
        return
    listed = BUILD / "jobs.txt"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    # our own lock stands in for Snakemake's, which a killed build leaves behind
    arguments = ["--profile", profile, "--rerun-incomplete", "--keep-going", "--nolock", "--rerun-triggers", "mtime"]
    command = [sys.executable, "-m", "snakemake", "units", *arguments]
    try:
        failed = subprocess.run(command, cwd=ROOT).returncode
    except FileNotFoundError:
        failed = 1
    if failed:
        raise BookError("jobs failed, the lines above say which; what was finished is kept: mend them and run again")

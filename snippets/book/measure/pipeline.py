"""The three steps between an experiment and its pages: train each seed, judge the claims, draw the figures.

In a sweep, each cell of each seed is trained, kept and resumed by itself; a seed is done when all its cells are.

Each step is safe to repeat: what is already there and fresh is kept, the rest is made. Snakemake only decides the order
and runs seeds side by side; `python -m snippets run` takes the same steps for one experiment without Snakemake.
"""

import dataclasses
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from snippets import progress
from snippets.book.errors import BookError
from snippets.book.measure import fingerprint, store, watch
from snippets.book.measure.catalogue import Experiment
from snippets.book.measure.seeds import DEFAULT_SEEDS, spell
from snippets.book.paths import ROOT, unit, work
from snippets.contract import Claim, Measurements

Progress = Callable[[float], None]  # told the share of a run's work that is done
Kept = tuple[Measurements, dict[str, Any]]  # measurements, and what is known of their making


def train(
    experiment: Experiment, preset: str, seed: int, cell: str = "", tell: Progress = lambda share: None
) -> dict[str, Any]:
    """Train and measure one seed, in one cell of a sweep, unless that is done already. Returns what is known of the
    run, without its arrays.
    """
    config = experiment.cells(preset)[cell]
    path = store.seed_path(experiment.name, preset, unit(seed, cell))
    stamp = fingerprint.of_run(experiment.name, preset, seed, cell)
    if (kept := store.read_seed(path, stamp)) is not None:
        return kept[1]

    import torch  # here, because reading kept results needs none of it

    torch.set_num_threads(1)  # small models gain nothing from two; seeds run side by side instead
    began, wall = time.process_time(), time.time()
    with progress.watched_by(tell):
        measured = experiment.module.run(config, seed)
    measurements = checked(experiment.name, f"seed {seed}" + (f", cell {cell}" if cell else ""), measured)
    about = {
        "experiment": experiment.name,
        "preset": preset,
        "seed": seed,
        "cell": cell,
        "fingerprint": stamp,
        "core_seconds": round(time.process_time() - began, 2),
        "wall_seconds": round(time.time() - wall, 2),
        "peak_memory_mb": round(peak_memory_mb()),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
    }
    store.write_seed(path, measurements, about)
    return about


def is_trained(name: str, preset: str, seed: int, cell: str = "") -> bool:
    """Whether a seed's measurements are there, in one cell of a sweep, made by the code as it is now."""
    found = store.seed_fingerprint(store.seed_path(name, preset, unit(seed, cell)))
    return found is not None and found == fingerprint.of_run(name, preset, seed, cell)


def share_done(name: str, preset: str, seed: int) -> float:
    """How much of a seed is done, 0 to 1: the mean over its cells."""
    shares = []
    for cell in fingerprint.cells(name, preset):
        running = watch.share_done(name, preset, seed, cell)
        shares.append(is_trained(name, preset, seed, cell) if running is None else running)
    return float(np.mean(shares))


def checked(experiment: str, where: str, measured: Any) -> dict[str, np.ndarray]:
    """The measurements as arrays. Raises BookError naming one that is not numbers, or holds a NaN."""
    if not isinstance(measured, dict) or not measured:
        raise BookError(f"{experiment}: run returned no named measurements on {where}; return a dictionary of arrays")
    arrays = {}
    for name, value in measured.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise BookError(
                f"{experiment}: measurement '{name}' is {array.dtype}, not numbers; return arrays of numbers"
            )
        if np.isnan(array).any():
            first = np.argwhere(np.isnan(np.atleast_1d(array)))[0].tolist()
            raise BookError(
                f"{experiment}: measurement '{name}' is NaN on {where}, first at {first}; nothing was kept of this "
                "run, mend the training or measure 'never' as infinity"
            )
        arrays[name] = array
    return arrays


def peak_memory_mb() -> float:
    """The largest memory this process has held, in MB (macOS counts in bytes, Linux in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def machine() -> dict[str, str]:
    """What the numbers were made with."""
    packages = ("torch", "numpy", "scipy", "matplotlib")
    versions = {name: version(name) for name in packages}
    return {"cpu": cpu_name(), "python": platform.python_version(), "commit": commit(), **versions}


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def cpu_name() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def commit() -> str:
    """The commit the code was at, with a plus where files differ from it; 'none' outside a checkout."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def runs(experiment: Experiment, preset: str, seeds: Iterable[int]) -> tuple[list[Measurements], list[dict[str, Any]]]:
    """The measurements of all seeds, in order; what is missing, damaged or stale is trained here and now. In a sweep a
    seed's measurements are those of its cells, by name.
    """
    found = []
    for seed in seeds:
        cells = {cell: read(experiment, preset, seed, cell) for cell in experiment.cells(preset)}
        found.append(cells[""] if "" in cells else together(cells))
    return [measurements for measurements, _ in found], [about for _, about in found]


def read(experiment: Experiment, preset: str, seed: int, cell: str) -> Kept:
    """What is kept of one seed in one cell, trained first where it is not there."""
    train(experiment, preset, seed, cell)
    path = store.seed_path(experiment.name, preset, unit(seed, cell))
    found = store.read_seed(path, fingerprint.of_run(experiment.name, preset, seed, cell))
    if found is None:
        raise BookError(f"{store.relative(path)} cannot be read back; check the disk and run the same command again")
    return found


def together(cells: dict[str, Kept]) -> Kept:
    """One seed of a sweep: its cells' measurements by name, their cost added up."""
    abouts = [about for _, about in cells.values()]
    about = max(abouts, key=lambda about: about["made_at"]) | {
        "fingerprint": fingerprint.digest("cells", [about["fingerprint"] for about in abouts]),
        "core_seconds": round(sum(about["core_seconds"] for about in abouts), 2),
        "wall_seconds": round(sum(about["wall_seconds"] for about in abouts), 2),
        "peak_memory_mb": max(about["peak_memory_mb"] for about in abouts),
    }
    return {cell: measurements for cell, (measurements, _) in cells.items()}, about


# --8<-- [start:judge]
def verdict(experiment: str, claim: Claim, seeds: list[int], measurements: list[Measurements]) -> dict[str, Any]:
    """One claim on every seed: its values, on which seeds it holds, and whether that is enough of them. On a seed to
    which it does not apply, both are None.
    """
    values: list[float | None] = []
    passed: list[bool | None] = []
    for seed, measured in zip(seeds, measurements, strict=True):
        value = asked(experiment, claim, seed, measured)
        values.append(value)
        passed.append(None if value is None else claim.holds(value))
    applying = [value for value in values if value is not None]
    held = sum(passed_on is True for passed_on in passed)
    return {
        "id": claim.id,
        "says": claim.says,
        "unit": claim.unit,
        "digits": claim.digits,
        "predicate": str(claim.holds),
        "kind": "exact" if claim.exact else "measured",
        "reported": dataclasses.asdict(claim.reported) if claim.reported else None,
        "verdict": claim.reported.verdict if claim.reported else "exact" if claim.exact else "ours",
        "values": [None if value is None else portable(value) for value in values],
        "passed": passed,
        "applies": len(applying),
        "needed": claim.needed(len(applying)),
        "median": portable(float(np.median(applying))) if applying else None,
        "low": portable(min(applying)) if applying else None,
        "high": portable(max(applying)) if applying else None,
        "holds": bool(applying) and held >= claim.needed(len(applying)),
    }


def asked(experiment: str, claim: Claim, seed: int, measured: Measurements) -> float | None:
    """The value of a claim on one seed; None where it does not apply."""
    try:
        if claim.applies is not None and not claim.applies(measured):
            return None
        value = float(claim.value(measured))
    except Exception as error:
        raise BookError(
            f"claim '{claim.id}' of {experiment} raised {type(error).__name__} on seed {seed}: {error}; mend its value"
        ) from error
    if np.isnan(value):
        raise BookError(f"claim '{claim.id}' of {experiment} is NaN on seed {seed}; say by `applies` where it has none")
    return value


# --8<-- [end:judge]


def portable(value: float) -> float | str:
    """JSON has no infinity: it is written as a word."""
    return value if np.isfinite(value) else ("never" if value > 0 else "-infinity")


def judge(experiment: Experiment, preset: str, seeds: list[int]) -> dict[str, Any]:
    """Judge every claim and write results.json. A claim that fails is written down as failing, and stops the build
    later.
    """
    measurements, abouts = runs(experiment, preset, seeds)
    flat = [flattened(m) for m in measurements]
    numbers = {}
    for name in flat[0]:
        if np.ndim(flat[0][name]) == 0:  # a list of one is a list
            values = [float(m[name]) for m in flat]
            numbers[name] = {
                "values": [portable(value) for value in values],
                "median": portable(float(np.median(values))),
            }
    newest = max(abouts, key=lambda about: about["made_at"])
    results = {
        "experiment": experiment.name,
        "question": experiment.question,
        "preset": preset,
        "seeds": seeds,
        "fingerprint": fingerprint.of_results(experiment.name, preset, seeds),
        "settings": settings(experiment, preset),
        "claims": [verdict(experiment.name, claim, seeds, measurements) for claim in experiment.claims],
        "numbers": numbers,
        "provenance": {
            "source": [about["fingerprint"] for about in abouts],
            "command": command(experiment.name, preset, seeds),
            "core_seconds": [about["core_seconds"] for about in abouts],
            "wall_seconds": [about["wall_seconds"] for about in abouts],
            "peak_memory_mb": max(about["peak_memory_mb"] for about in abouts),
            "made_at": newest["made_at"],
            **newest["machine"],
        },
    }
    store.write_json(work(experiment.name, preset) / "results.json", results)
    return results


def flattened(measurements: Measurements) -> dict[str, np.ndarray]:
    """A sweep's measurements as `cell.name`; any other's as they are."""
    flat: dict[str, np.ndarray] = {}
    for name, value in measurements.items():
        flat |= {f"{name}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def settings(experiment: Experiment, preset: str) -> dict[str, Any]:
    """The configuration as JSON holds it; of a sweep, by cell."""
    cells = {cell: dataclasses.asdict(config) for cell, config in experiment.cells(preset).items()}
    return json.loads(json.dumps(cells.get("", cells), default=str))


def command(experiment: str, preset: str, seeds: list[int]) -> str:
    """What a reader types to make the same numbers."""
    options = ("" if preset == "laptop" else f" --preset {preset}") + (
        "" if seeds == DEFAULT_SEEDS else f" --seeds {spell(seeds)}"
    )
    return f"python -m snippets run {experiment}{options}"


def read_results(experiment: str, preset: str, seeds: list[int]) -> dict[str, Any] | None:
    """Fresh results, or None where there are none. Raises BookError where they are stale or damaged."""
    results = store.read_json(work(experiment, preset) / "results.json")
    if results and results.get("fingerprint") != fingerprint.of_results(experiment, preset, seeds):
        raise BookError(f"the results of {experiment} are stale, its code has changed since; run `make book`")
    return results

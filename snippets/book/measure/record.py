"""The record: what was measured, kept in the repository with the fingerprint of its cause.

record/<part>/<experiment>/measurements.npz    all seeds, all cells, exactly as `run` returned them
record/<part>/<experiment>/results.json        the verdicts on them, the numbers, and how they came about

Measurements are judged and drawn from these files, so what is judged is what is kept. An array keeps the type that
`run` gave it: to make the record smaller, return float32. The bytes of both files depend on nothing but the
measurements, and each tells when it was edited: measurements.npz carries the checksum of its content, results.json its
own and the hash of measurements.npz. Other presets are kept in the same form under build/<preset>/.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from snippets.book.errors import BookError
from snippets.book.measure import fingerprint, judge, store
from snippets.book.measure.catalogue import Experiment
from snippets.book.measure.units import Kept
from snippets.book.paths import RECORD, SHOWN_PRESET, relative, unit, work

LARGEST = 150_000  # bytes of one experiment: each version is in the repository for ever
LARGEST_IN_ALL = 8_000_000


@dataclass
class Record:
    """The measurements of one experiment as they lie in a file."""

    arrays: dict[str, np.ndarray]  # by unit/name
    about: dict[str, Any]
    sha: str  # of the whole file

    @property
    def units(self) -> dict[str, dict[str, Any]]:
        """What is known of each unit's making, by name (see `paths.unit`)."""
        return self.about["units"]

    def kept(self, seed: int, cell: str) -> Kept:
        """One unit's measurements, and what is known of their making."""
        name = unit(seed, cell)
        prefix = f"{name}/"
        arrays = {key.removeprefix(prefix): a for key, a in self.arrays.items() if key.startswith(prefix)}
        about = dict(self.units[name])
        return arrays, about | {"machine": self.about["machines"][about["machine"]], "seed": seed, "cell": cell}


def files(experiment: str, preset: str, folder: Path | None = None) -> tuple[Path, Path]:
    """measurements.npz and results.json of an experiment."""
    folder = folder or work(experiment, preset)
    return folder / "measurements.npz", folder / "results.json"


def read(experiment: str, preset: str, folder: Path | None = None) -> Record | None:
    """What is kept of an experiment; None where there is nothing. Raises BookError where it was cut or edited."""
    measurements, results = files(experiment, preset, folder)
    try:
        found = store.unpack(measurements)
        if found is None:
            if results.exists():
                raise BookError(f"{relative(measurements)} is missing beside its results.json")
            return None
        return Record(*found, hashlib.sha256(measurements.read_bytes()).hexdigest())
    except BookError as error:
        back = f"`git checkout -- {relative(measurements.parent)}` brings it back" if preset == SHOWN_PRESET else ""
        raise BookError(f"{error}; {back or 'it is of no use'}, or `make book` trains it again") from error


def read_results(experiment: str, preset: str, record: Record, folder: Path | None = None) -> dict[str, Any] | None:
    """The verdicts on a record; None where there are none. Raises BookError where they were edited, are in conflict
    after a merge, or are those of other measurements.
    """
    path = files(experiment, preset, folder)[1]
    results = store.read_json(path)
    if results is not None and results.get("measurements") != record.sha:
        raise BookError(
            f"{relative(path)} and the measurements.npz beside it do not belong together; run `make book`: they are "
            "judged again, nothing is re-trained"
        )
    return results


def write(experiment: Experiment, preset: str, seeds: list[int], kept: Mapping[fingerprint.Unit, Kept],
          folder: Path | None = None) -> dict[str, Any]:  # fmt: skip
    """Keep the measurements of all seeds in all cells and the verdicts on them; returns the verdicts.

    The same measurements give the same bytes. Raises BookError where they are too large for the repository.
    """
    measurements, _ = files(experiment.name, preset, folder)
    arrays = {
        f"{unit(*which)}/{name}": array for which, (measured, _) in kept.items() for name, array in measured.items()
    }
    content = store.pack(arrays, about_all(experiment.name, preset, seeds, kept))
    if preset == SHOWN_PRESET:
        stop_if_too_large(experiment.name, content, arrays)
    if not measurements.exists() or measurements.read_bytes() != content:
        store.write(measurements, content)
    record = read(experiment.name, preset, folder)  # what is judged is what is kept
    assert record is not None
    return judge_record(experiment, preset, seeds, record, folder)


def judge_record(experiment: Experiment, preset: str, seeds: list[int], record: Record,
                 folder: Path | None = None) -> dict[str, Any]:  # fmt: skip
    """Judge what is kept and write results.json, unless it says the same already. Nothing is trained."""
    path = files(experiment.name, preset, folder)[1]
    measured = [by_cell({cell: record.kept(seed, cell)[0] for cell in cells_in(record)}) for seed in seeds]
    results = judge.results(experiment, preset, seeds, measured, {
        "fingerprint": fingerprint.of_measurements(
            {(seed, cell): record.units[unit(seed, cell)]["fingerprint"] for seed in seeds for cell in cells_in(record)}
        ),
        "judged_by": fingerprint.of_claims(experiment.name),
        "measurements": record.sha,
        "provenance": provenance(record, seeds),
    })  # fmt: skip
    try:
        before = store.read_json(path)
    except BookError:
        before = None
    if before is None or before["checksum"] != store.checksum(results):
        store.write_json(path, results)
    return results


def cells_in(record: Record) -> list[str]:
    return record.about["cells"]


def by_cell(cells: Mapping[str, Any]) -> Any:
    """A seed's measurements: those of its one cell, or of a sweep by cell."""
    return cells[""] if "" in cells else dict(cells)


def about_all(experiment: str, preset: str, seeds: list[int], kept: Mapping[fingerprint.Unit, Kept]) -> dict[str, Any]:
    """What is known of the making of all units, and the digests of what they were made by, to say one day why not."""
    causes = fingerprint.causes(experiment, preset)
    machines: list[dict[str, Any]] = []
    units = {}
    for which, (_, about) in kept.items():
        if about["machine"] not in machines:
            machines.append(about["machine"])
        told = {key: about[key] for key in ("fingerprint", "core_seconds", "wall_seconds", "peak_memory_mb", "made_at")}
        units[unit(*which)] = told | {"machine": machines.index(about["machine"])}
    return {
        "preset": preset,
        "seeds": seeds,
        "cells": list(causes),
        "units": units,
        "machines": machines,
        "definitions": {name: text for cause in causes.values() for name, text in cause.definitions.items()},
        "configurations": {cell: cause.configuration for cell, cause in causes.items()},
        "pins": {package: line for cause in causes.values() for package, line in cause.pins.items()},
    }


def provenance(record: Record, seeds: list[int]) -> dict[str, Any]:
    """How all units came about, added up seed by seed; and unit by unit."""
    by_seed = [[record.units[unit(seed, cell)] for cell in cells_in(record)] for seed in seeds]
    newest = max(record.units.values(), key=lambda about: about["made_at"])
    made_on = record.about["machines"][newest["machine"]]
    return {
        "source": [fingerprint.digest("cells", [about["fingerprint"] for about in abouts]) for abouts in by_seed],
        "core_seconds": [round(sum(about["core_seconds"] for about in abouts), 2) for abouts in by_seed],
        "wall_seconds": [round(sum(about["wall_seconds"] for about in abouts), 2) for abouts in by_seed],
        "peak_memory_mb": max(about["peak_memory_mb"] for about in record.units.values()),
        "made_at": newest["made_at"],
        **{key: made_on[key] for key in ("cpu", "capability", "threads", "python", "commit")},
        **made_on["packages"],
        **{key: record.about[key] for key in ("units", "machines", "definitions", "configurations", "pins")},
    }


def stop_if_too_large(experiment: str, content: bytes, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise BookError where an experiment, or all together, would weigh too much, with its largest arrays."""
    sums: dict[str, int] = {}
    for key, array in arrays.items():
        name = key.split("/", 1)[1]
        sums[name] = sums.get(name, 0) + array.nbytes
    largest = ", ".join(
        f"'{name}' {size / 1000:.0f} kB" for name, size in sorted(sums.items(), key=lambda pair: -pair[1])[:3]
    )
    if len(content) > LARGEST:
        raise BookError(
            f"{experiment} measures {len(content) / 1000:.0f} kB, the record takes {LARGEST / 1000:.0f}; its largest "
            f"arrays before compression are {largest}: return float32, fewer points, or only what is claimed and drawn"
        )
    others = sum(
        path.stat().st_size for path in RECORD.rglob("*") if path.is_file() and path.parent != RECORD / experiment
    )
    if others + len(content) > LARGEST_IN_ALL:
        raise BookError(
            f"the record would take {(others + len(content)) / 1e6:.1f} MB with {experiment}, and may take "
            f"{LARGEST_IN_ALL / 1e6:.0f}; its largest arrays before compression are {largest}"
        )

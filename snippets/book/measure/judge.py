"""From measurements to verdicts: each claim is asked on every seed, and holds on enough of them or fails."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from snippets.book.errors import BookError
from snippets.book.measure.catalogue import Experiment
from snippets.book.measure.seeds import DEFAULT_SEEDS, spell
from snippets.contract import Claim, Measurements


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


def verdicts(experiment: Experiment, seeds: list[int], measurements: list[Measurements]) -> list[dict[str, Any]]:
    """Every claim of an experiment."""
    return [verdict(experiment.name, claim, seeds, measurements) for claim in experiment.claims]


def results(
    experiment: Experiment, preset: str, seeds: list[int], measurements: list[Measurements], made: Mapping[str, Any]
) -> dict[str, Any]:
    """What results.json holds: verdicts, numbers, settings and, in `made`, how they came about."""
    return {
        "experiment": experiment.name,
        "question": experiment.question,
        "preset": preset,
        "seeds": seeds,
        "fingerprint": made["fingerprint"],
        "judged_by": made["judged_by"],
        "measurements": made["measurements"],
        "settings": settings(experiment, preset),
        "claims": verdicts(experiment, seeds, measurements),
        "numbers": numbers(measurements),
        "provenance": {"command": command(experiment.name, preset, seeds), **made["provenance"]},
    }


def numbers(measurements: list[Measurements]) -> dict[str, dict[str, Any]]:
    """Each measurement that is one number: its value on every seed, and their median."""
    flat = [flattened(m) for m in measurements]
    found = {}
    for name in flat[0]:
        if np.ndim(flat[0][name]) == 0:  # a list of one is a list
            values = [float(m[name]) for m in flat]
            found[name] = {
                "values": [portable(value) for value in values],
                "median": portable(float(np.median(values))),
            }
    return found


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

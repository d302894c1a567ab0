"""A unit: what is measured in one go, a seed of an experiment or, in a sweep, a seed of one cell.

build/units/<preset>/<part>/<experiment>/<seed>[.<cell>].<fingerprint>.npz
    one unit's measurements and what is known of their making. The name tells whether it is fresh, so nothing is ever
    stale here: what code of another day made lies beside, and is found again when that code comes back.
"""

import gc
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snippets import progress
from snippets.book.errors import BookError
from snippets.book.measure import catalogue, fingerprint, machine, pins, store
from snippets.book.paths import UNITS, unit
from snippets.contract import Measurements

Kept = tuple[Measurements, dict[str, Any]]  # measurements, and what is known of their making
Progress = Callable[[float], None]  # told the share of a run's work that is done


def path(experiment: str, preset: str, seed: int, cell: str, stamp: str, folder: Path = UNITS) -> Path:
    return folder / preset / experiment / f"{unit(seed, cell)}.{stamp}.npz"


def spell(seed: int, cell: str) -> str:
    """A unit as an error names it."""
    return f"seed {seed}" + (f", cell {cell}" if cell else "")


def read(file: Path) -> Kept | None:
    """One unit; None where it is absent or damaged: then it is measured again."""
    try:
        return store.unpack(file)
    except BookError:
        return None


def measure(
    experiment: str, preset: str, seed: int, cell: str, folder: str = "", tell: Progress = lambda share: None
) -> dict[str, Any]:
    """Run an experiment on one seed, in one cell, and keep what it returns; returns what is known of the run.

    A unit that is there already is kept. `folder` stands in for build/units where the work is to be done anew.
    """
    cause = fingerprint.causes(experiment, preset)[cell]
    stamp = cause.stamp(seed)
    file = path(experiment, preset, seed, cell, stamp, Path(folder) if folder else UNITS)
    if (kept := read(file)) is not None:
        return kept[1]
    loaded = catalogue.load(experiment)
    pins.say_what_is_no_pin(tuple(cause.pins))
    settle(seed)
    machine.forget_peak_memory()
    began, wall = time.process_time(), time.time()
    with progress.watched_by(tell):
        measured = loaded.module.run(loaded.cells(preset)[cell], seed)
    spent, waited = time.process_time() - began, time.time() - wall
    about = {
        "experiment": experiment,
        "preset": preset,
        "seed": seed,
        "cell": cell,
        "fingerprint": stamp,
        "core_seconds": round(spent, 2),
        "wall_seconds": round(waited, 2),
        "peak_memory_mb": round(machine.peak_memory_mb()),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine.about_this({"torch", "numpy", *cause.pins}),
    }
    store.write(file, store.pack(checked(experiment, spell(seed, cell), measured), about))
    return about


def settle(seed: int) -> None:
    """Give every unit the same start, whatever this process measured before."""
    gc.collect()
    np.random.seed(seed % 2**32)
    random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is None:
        return
    torch.set_num_threads(1)  # small models gain nothing from two; units run side by side instead
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.manual_seed(seed)


def checked(experiment: str, where: str, measured: Any) -> dict[str, np.ndarray]:
    """The measurements as arrays. Raises BookError naming one that is not numbers, or holds a NaN."""
    if not isinstance(measured, dict) or not measured:
        raise BookError(f"{experiment}: run returned no named measurements on {where}; return a dictionary of arrays")
    arrays = {}
    for name, value in measured.items():
        array = np.asarray(value)
        if "/" in name:
            raise BookError(f"{experiment}: measurement '{name}' has a slash in its name; choose another")
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

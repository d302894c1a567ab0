"""Is the record what the code measures? Units are measured again from nothing, beside the record, and compared.

On a machine of the same class (processor, instructions, versions) equal bits are demanded. On another the claims must
still hold with the new value in the old one's place.
"""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, fingerprint, judge, machine, make, record, units, watch
from snippets.book.measure.compare import differences, newly_failing
from snippets.book.measure.pool import Pool, Task
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.measure.state import State
from snippets.book.measure.units import Kept
from snippets.book.paths import BUILD, SHOWN_PRESET, unit

Unit = fingerprint.Unit
BESIDE = BUILD / "audit"


def sample(minutes: float, commit: str, cores: int) -> None:
    """Audit units drawn by a commit's hash. Raises BookError with a line for each that disagrees."""
    commit = commit or machine.commit().rstrip("+")
    states, problems = make.looks(catalogue.discover(), SHOWN_PRESET, DEFAULT_SEEDS)
    chosen = draw(states, minutes * 60 * cores, commit)
    fresh = {found.name: found for found in states}
    for found in states:
        if not found.is_fresh:
            print(f"note: {found.name} is not audited, its record is not fresh", file=sys.stderr)
    shutil.rmtree(BESIDE, ignore_errors=True)
    agreed: list[str] = []

    def done(task: Task, about: Any) -> None:
        name, which = task.about
        said, rule = compared(fresh[name], which, again(BESIDE, fresh[name], which))
        if said:
            raise BookError(f"{name} on {units.spell(*which)}: {said} ({rule})")
        agreed.append(rule)

    problems += remeasured([(fresh[name], which) for name, which in chosen], BESIDE, cores, done)
    seconds = sum(about_of(fresh[name], which)["core_seconds"] for name, which in chosen)
    print(f"audit of {commit}: {len(chosen)} units of {len({name for name, _ in chosen})} experiments, recorded as "
          f"{seconds:.0f} core-seconds, measured from nothing")  # fmt: skip
    for rule in sorted(set(agreed)):
        print(f"  {agreed.count(rule)} agree; {rule}")
    stop_at(problems)


def stop_at(problems: list[str]) -> None:
    if problems:
        raise BookError("\nerror: ".join(problems))


def draw(states: list[State], seconds: float, commit: str) -> list[tuple[str, Unit]]:
    """Units of fresh records that together cost at most so many core-seconds, in an order that the commit decides."""
    pairs = [(found, which) for found in states if found.is_fresh for which in found.stamps]

    def place(pair: tuple[State, Unit]) -> str:
        return hashlib.sha256(f"{commit} {pair[0].name} {unit(*pair[1])}".encode()).hexdigest()

    chosen = []
    for found, which in sorted(pairs, key=place):
        cost = about_of(found, which)["core_seconds"]
        if cost <= seconds:
            seconds -= cost
            chosen.append((found.name, which))
    return chosen


def about_of(found: State, which: Unit) -> dict[str, Any]:
    assert found.record is not None
    return found.record.units[unit(*which)]


def remeasured(wanted: list[tuple[State, Unit]], folder: Path, cores: int, done: Any) -> list[str]:
    """Measure these units in `folder`; returns a line for each that failed, or whose result `done` refused."""
    begun: dict[str, tuple[int, int]] = {}
    for found, _ in wanted:
        begun[found.name] = (begun.get(found.name, (0, 0))[0] + 1, 0)
    with watch.board(begun, len(DEFAULT_SEEDS), told=False) as board:
        return Pool(cores, board).run([make.unit_task(found, which, str(folder)) for found, which in wanted], done)


def again(folder: Path, found: State, which: Unit) -> Kept:
    """What was measured anew of a unit."""
    kept = units.read(units.path(found.name, found.preset, *which, found.stamps[which], folder))
    if kept is None:
        raise BookError(f"what was measured anew of {found.name} on {units.spell(*which)} cannot be read back")
    return kept


def compared(found: State, which: Unit, new: Kept) -> tuple[str, str]:
    """What is wrong with a unit of the record, '' where nothing is; and by which rule."""
    assert found.record is not None
    old = found.record.kept(*which)
    differing = differences(old[0], new[0])
    if machine.is_same_class(old[1]["machine"], new[1]["machine"]):
        return str(differing[0]) if differing else "", "same processor class and versions: equal bits demanded"
    rule = "another processor class or versions: the claims must hold with the new value"
    if differing:
        experiment = catalogue.load(found.name)
        before = judge.verdicts(experiment, found.seeds, measured(found, found.kept()))
        after = judge.verdicts(experiment, found.seeds, measured(found, found.kept() | {which: new}))
        if failing := newly_failing(before, after):
            return f"{differing[0]}, and claims no longer hold: {', '.join(c['id'] for c in failing)}", rule
    return "", rule


def measured(found: State, kept: dict[Unit, Kept]) -> list[Any]:
    """The measurements of each seed, as claims take them."""
    return [record.by_cell({cell: kept[seed, cell][0] for cell in found.causes}) for seed in found.seeds]


def everything(publish: bool, cores: int) -> None:
    """Measure all of it from nothing, and say of each experiment what differs from the record; with `publish`, take
    what was measured as the book's. Raises BookError where something stopped, or a claim fails.
    """
    folder = BUILD / "remeasured"
    shutil.rmtree(folder, ignore_errors=True)
    states, problems = make.looks(catalogue.discover(), SHOWN_PRESET, DEFAULT_SEEDS)
    waiting = {found.name: set(found.stamps) for found in states}
    by_name = {found.name: found for found in states}

    def done(task: Task, about: Any) -> None:
        name, which = task.about
        waiting[name].discard(which)
        if not waiting[name]:
            report(by_name[name], folder)

    problems += remeasured(
        [(found, which) for found in states for which in found.stamps], folder / "units", cores, done
    )
    stop_at(problems)
    if publish:
        for found in states:
            for new, old in zip(record.files(found.name, SHOWN_PRESET, folder / found.name),
                                record.files(found.name, SHOWN_PRESET), strict=True):  # fmt: skip
                record.store.write(old, new.read_bytes())
        print("the record now holds what was measured")


def report(found: State, folder: Path) -> None:
    """Judge what was measured anew of an experiment, keep it in `folder`, and print how it differs from the record.
    Raises BookError naming claims that fail.
    """
    kept = {which: again(folder / "units", found, which) for which in found.stamps}
    results = record.write(catalogue.load(found.name), found.preset, found.seeds, kept, folder / found.name)
    print(f"{found.name}: {said_of(found, kept)}", flush=True)
    if failing := [claim["id"] for claim in results["claims"] if not claim["holds"]]:
        raise BookError(f"measured anew, claims of {found.name} do not hold: {', '.join(failing)}")


def said_of(found: State, kept: dict[Unit, Kept]) -> str:
    """How new measurements differ from the record, in a line."""
    if found.record is None:
        return "not in the record"
    largest: dict[str, float] = {}
    others = 0
    for which, (new, _) in kept.items():
        if unit(*which) not in found.record.units:
            others += 1
            continue
        for one in differences(found.record.kept(*which)[0], new):
            name = one.name.split(" at ")[0]
            largest[name] = max(largest.get(name, 0.0), one.by)
    if not largest and not others:
        return "equal, to the last bit" + ("" if found.is_fresh else " (and the record is stale)")
    parts = [f"'{name}' by up to {by:.3g}" for name, by in sorted(largest.items(), key=lambda pair: -pair[1])]
    parts += [f"{others} units are not in the record"] if others else []
    return f"differs: {', '.join(parts)}" + changed_claims(found, kept)


def changed_claims(found: State, kept: dict[Unit, Kept]) -> str:
    """Claims that hold on other seeds than they did."""
    if not found.is_fresh:
        return ""
    experiment = catalogue.load(found.name)
    before = judge.verdicts(experiment, found.seeds, measured(found, found.kept()))
    after = judge.verdicts(experiment, found.seeds, measured(found, kept))
    changed = [now["id"] for was, now in zip(before, after, strict=True) if was["passed"] != now["passed"]]
    return f"; claims that changed on a seed: {', '.join(changed)}" if changed else "; every claim as before"

"""Make what is stale: measure units in the pool, put complete experiments into the record, draw their figures."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from snippets.book.errors import BookError
from snippets.book.figures import listed
from snippets.book.measure import catalogue, fingerprint, machine, pins, record, state, units, watch
from snippets.book.measure.pool import Pool, Task
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.measure.state import State
from snippets.book.paths import RECORD, ROOT, SHOWN_PRESET, unit

DRAWING_COST = 4.0  # core-seconds, about
LAB_COST = 30.0


def unit_task(found: State, which: fingerprint.Unit, folder: str = "") -> Task:
    """The task that measures one unit."""
    return Task(
        f"{found.name} on {units.spell(*which)}",
        "snippets.book.measure.units:measure",
        (found.name, found.preset, *which, folder),
        cost_of(found, which),
        about=(found.name, which),
    )


def cost_of(found: State, which: fingerprint.Unit) -> float | None:
    """What a unit will cost: what it cost when it was last measured, or the mean of its experiment's others."""
    known = {name: about["core_seconds"] for name, about in (found.record.units if found.record else {}).items()}
    known |= {unit(*other): about["core_seconds"] for other, (_, about) in found.loose.items()}
    if not known:
        return None
    return known.get(unit(*which), sum(known.values()) / len(known))


def measure(
    states: Iterable[State],
    cores: int,
    finished: Callable[[State, Pool], None],
    extra: Iterable[Task] = (),
) -> list[str]:
    """Measure the missing units of all states; `finished` is called with each experiment whose units are all there, and
    may give the pool more to do. Returns a line for each problem; what is not concerned by it is finished.
    """
    states = list(states)
    missing = {found.name: set(found.missing) for found in states}
    begun = {found.name: (len(found.stamps), len(found.stamps) - len(missing[found.name])) for found in states}
    by_name = {found.name: found for found in states}
    with watch.board(begun, len(states[0].seeds) if states else 0) as board:
        pool = Pool(cores, board)

        def finish(found: State) -> None:
            try:
                finished(found, pool)
            except BookError as error:
                pool.problems.append(str(error))

        def done(task: Task, result: Any) -> None:
            if task.about is None:
                return
            name, which = task.about
            missing[name].discard(which)
            if not missing[name]:
                found = by_name[name]
                finish(state.look(name, found.preset, found.seeds))

        for found in states:
            if not missing[found.name]:
                finish(found)
        tasks = [unit_task(found, which) for found in states for which in found.missing]
        problems = pool.run([*tasks, *extra], done)
        board.write(pool.tasks, running=False, problem=f"error: {problems[0]}" if problems else "")
    return problems


def looks(names: Iterable[str], preset: str, seeds: list[int]) -> tuple[list[State], list[str]]:
    """The state of each experiment, and a line for each whose code cannot be read."""
    found, problems = [], []
    for name in names:
        try:
            found.append(state.look(name, preset, seeds))
        except BookError as error:
            problems.append(str(error))
            continue
        if found[-1].damage:
            print(f"note: {found[-1].damage}", file=sys.stderr)
    return found, problems


def keep(found: State) -> dict[str, Any]:
    """Put complete measurements into the record, or judge again what is there; returns the verdicts."""
    results = None
    if found.is_fresh and found.record is not None:
        try:
            results = record.read_results(found.name, found.preset, found.record)
        except BookError as error:
            if "in conflict" in str(error):
                raise
            print(f"note: {error}", file=sys.stderr)
        if results is not None and results["judged_by"] == fingerprint.of_claims(found.name):
            return results
        return record.judge_record(catalogue.load(found.name), found.preset, found.seeds, found.record)
    stop_at_conflict(found)
    return record.write(catalogue.load(found.name), found.preset, found.seeds, found.kept())


def stop_at_conflict(found: State) -> None:
    """Raise BookError where the verdicts that would be overwritten hold the marks of a merge."""
    try:
        record.store.read_json(record.files(found.name, found.preset)[1])
    except BookError as error:
        if "in conflict" in str(error):
            raise


def results_and_figures(
    names: list[str], preset: str, cores: int, seeds: list[int] = DEFAULT_SEEDS, extra: Iterable[Task] = ()
) -> list[str]:
    """Bring the record and the figures of these experiments up to date; returns a line for each problem."""
    states, problems = looks(names, preset, seeds)

    def finished(found: State, pool: Pool) -> None:
        keep(found)
        if not listed.is_fresh(found.name, preset, seeds):
            name = f"the figures of {found.name}"
            pool.add([Task(name, "snippets.book.figures.drawing:draw_by_name", (found.name, preset, seeds),
                           DRAWING_COST)])  # fmt: skip

    say_what_is_unusual(states)
    return problems + measure(states, cores, finished, extra)


def gather(preset: str, cores: int) -> None:
    """Judge and draw what is complete. Raises BookError naming the experiments that are not, and a unit that they lack.
    Nothing is trained: a cluster's jobs did that.
    """
    states, problems = looks(state.measurable(preset, catalogue.discover()), preset, DEFAULT_SEEDS)
    problems += [
        f"{found.name} lacks {len(found.missing)} of {len(found.stamps)} units, first {units.spell(*found.missing[0])}"
        for found in states
        if found.missing
    ]
    problems += results_and_figures([found.name for found in states if not found.missing], preset, cores)
    if problems:
        raise BookError("\nerror: ".join(problems))


def say_what_is_unusual(states: list[State]) -> None:
    """A line where something is to be measured with packages that are no pins; one where the record is another's."""
    if any(found.missing for found in states):
        pins.say_what_is_no_pin(tuple(sorted({p for s in states for c in s.causes.values() for p in c.pins})))
    others = {
        about["cpu"] for found in states if found.is_fresh and found.record for about in found.record.about["machines"]
    } - {machine.processor()}
    if others:
        print(f"note: the record holds measurements of another processor ({', '.join(sorted(others))}): they are used "
              "as they are, `python -m snippets audit` compares", file=sys.stderr)  # fmt: skip


def to_commit() -> list[str]:
    """What in the record differs from what is committed, by folder; nothing outside a checkout."""
    git = ["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=all", "--", str(RECORD)]
    try:
        said = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    paths = [line[3:].strip('"') for line in said.splitlines()]
    return sorted({str(Path(path).parent) for path in paths})


def check(preset: str = SHOWN_PRESET) -> list[str]:
    """A line for each experiment whose record is not fresh, and for each file that is not committed as it is."""
    problems = []
    for name in catalogue.discover():
        try:
            found = state.look(name, preset, DEFAULT_SEEDS)
            if not found.is_fresh:
                problems.append(f"the record of {name} is stale: {'; '.join(found.why()[:3])}; run `make book`")
            elif found.record is not None:
                results = record.read_results(name, preset, found.record)
                if results is None or results["judged_by"] != fingerprint.of_claims(name):
                    problems.append(f"the verdicts of {name} are not those of its claims; run `make book`")
        except BookError as error:
            problems.append(str(error))
    return problems + [f"{path} is not committed as it is here; `git add {path}`" for path in to_commit()]

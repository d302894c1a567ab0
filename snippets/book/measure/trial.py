"""Claims on seeds of the reader's choice: `run` and `verify`. What the book shows stays as it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, judge, make, record, store
from snippets.book.measure.pool import Pool
from snippets.book.measure.state import State
from snippets.book.paths import RECORD

KEPT = RECORD / "fresh_seeds.json"


@dataclass
class Tally:
    """How many pairs of a measured claim and a seed hold; exact claims are no pairs."""

    held: int = 0
    tried: int = 0
    under: list[str] = field(default_factory=list)  # claims that fail, exact ones too

    def add(self, experiment: str, claims: list[dict[str, Any]]) -> None:
        for claim in claims:
            if not claim["holds"]:
                self.under.append(f"{experiment.split('/')[1]}:{claim['id']}")
            if claim["kind"] == "measured":
                self.held += sum(passed is True for passed in claim["passed"])
                self.tried += sum(passed is not None for passed in claim["passed"])

    def __str__(self) -> str:
        share = f", {100 * self.held / self.tried:.1f} %" if self.tried else ""
        under = f"; under their quorum: {', '.join(self.under)}" if self.under else ""
        return f"{self.held} of {self.tried} claim-seed pairs hold{share}{under}"


def verify(
    names: list[str], preset: str, seeds: list[int], cores: int, show: Callable[[str, list[dict[str, Any]]], None]
) -> tuple[Tally, list[str]]:
    """Judge every claim on these seeds, measuring what is not measured yet; `show` is called as experiments end.
    Returns how many pairs hold, and a line for each experiment that stopped.
    """
    states, problems = make.looks(names, preset, seeds)
    tally = Tally()

    def finished(found: State, pool: Pool) -> None:
        kept = found.kept()
        measured = [record.by_cell({cell: kept[seed, cell][0] for cell in found.causes}) for seed in seeds]
        claims = judge.verdicts(catalogue.load(found.name), seeds, measured)
        tally.add(found.name, claims)
        show(found.name, claims)

    make.say_what_is_unusual(states)
    return tally, problems + make.measure(states, cores, finished)


def keep(tally: Tally, names: list[str], seeds: str) -> None:
    """Put the tally into the record, for the page on how a claim is made. It takes the place of kept trials of the
    same experiments. Raises BookError where one of them was kept together with others that are not tried now.
    """
    trials = (store.read_json(KEPT) or {"trials": []})["trials"]
    others = [trial for trial in trials if not set(trial["experiments"]) <= set(names)]
    for trial in others:
        if twice := sorted(set(trial["experiments"]) & set(names)):
            raise BookError(
                f"{twice[0]} is kept in one count with {len(trial['experiments']) - 1} others; "
                "verify all of them, or leave it out"
            )
    found = {"seeds": seeds, "experiments": sorted(names), "held": tally.held, "pairs": tally.tried}
    store.write_json(KEPT, {"trials": [*others, found | {"under_quorum": sorted(tally.under)}]})


def stop_at(problems: list[str], failing: list[str]) -> None:
    """Raise BookError naming what stopped, and the claims that do not hold."""
    lines = list(problems)
    if failing:
        lines.append(f"{len(failing)} claims do not hold: {', '.join(failing)}")
    if lines:
        raise BookError("\nerror: ".join(lines))

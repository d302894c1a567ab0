"""What is fresh, what is stale, and why: the one place that decides it. Looking trains nothing and needs no torch."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from snippets.book.errors import BookError
from snippets.book.measure import fingerprint, record, units
from snippets.book.measure.fingerprint import Cause, Unit
from snippets.book.measure.record import Record
from snippets.book.measure.units import Kept
from snippets.book.paths import SHOWN_PRESET, UNITS, unit


@dataclass
class State:
    """What is kept of an experiment on some seeds, compared with its code as it is now."""

    name: str
    preset: str
    seeds: list[int]
    causes: dict[str, Cause]
    record: Record | None = None
    loose: dict[Unit, Kept] = field(default_factory=dict)  # fresh units that are not in the record yet
    damage: str = ""  # what is wrong with the record, in a line

    @property
    def stamps(self) -> dict[Unit, str]:
        return {(seed, cell): cause.stamp(seed) for seed in self.seeds for cell, cause in self.causes.items()}

    def in_record(self, which: Unit) -> bool:
        """Whether the record has this unit, made by the code as it is now."""
        about = self.record.units.get(unit(*which)) if self.record else None
        return about is not None and about["fingerprint"] == self.causes[which[1]].stamp(which[0])

    @property
    def missing(self) -> list[Unit]:
        """The units that have to be measured."""
        return [which for which in self.stamps if which not in self.loose and not self.in_record(which)]

    @property
    def is_fresh(self) -> bool:
        """Whether the record holds exactly these units, all fresh."""
        return self.record is not None and all(map(self.in_record, self.stamps)) and self.same_units

    @property
    def same_units(self) -> bool:
        has = set(self.record.units) if self.record else set()
        return has == {unit(*which) for which in self.stamps}

    def kept(self) -> dict[Unit, Kept]:
        """The measurements of all units. Raises BookError where one is missing."""
        if self.missing:
            raise BookError(f"{self.name} is not measured on {units.spell(*self.missing[0])}; run `make book`")
        assert self.record is not None or len(self.loose) == len(self.stamps)
        return {
            which: self.loose[which] if which in self.loose else self.record.kept(*which)  # type: ignore[union-attr]
            for which in self.stamps
        }

    def why(self) -> list[str]:
        """Why the record is stale, in words: the definitions, configurations and pins that changed."""
        if self.record is None:
            return [self.damage or "not measured yet"]
        about = self.record.about
        now = {name: text for cause in self.causes.values() for name, text in cause.definitions.items()}
        places = {name: place for cause in self.causes.values() for name, place in cause.places.items()}
        found = [f"{places.get(name, '')}.{name} {what}".lstrip(".") for name, what in
                 changes(about["definitions"], now).items()]  # fmt: skip
        configurations = {cell: cause.configuration for cell, cause in self.causes.items()}
        found += [
            f"cell {cell} {what}" if cell else "the configuration changed"
            for cell, what in changes(about["configurations"], configurations).items()
        ]
        pinned = {package: line for cause in self.causes.values() for package, line in cause.pins.items()}
        found += [f"the pin of {package} {what}" for package, what in changes(about["pins"], pinned).items()]
        return found or ["other seeds are kept"]


def changes(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """What became of each entry that differs."""
    found = {name: "changed" for name in now if name in before and before[name] != now[name]}
    found |= {name: "added" for name in now if name not in before}
    return found | {name: "removed" for name in before if name not in now}


def look(name: str, preset: str, seeds: Iterable[int]) -> State:
    """What is kept of an experiment on these seeds. Raises BookError where the code cannot be read."""
    state = State(name, preset, list(seeds), fingerprint.causes(name, preset))
    try:
        state.record = record.read(name, preset)
    except BookError as error:
        state.damage = str(error)
    for which, stamp in state.stamps.items():
        if not state.in_record(which):
            found = units.read(units.path(name, preset, *which, stamp, UNITS))
            if found is not None and found[1]["fingerprint"] == stamp:
                state.loose[which] = found
    return state


def measurable(preset: str, names: Iterable[str]) -> list[str]:
    """The experiments that have this preset; for the one that the book shows, all of them."""
    return [name for name in names if preset == SHOWN_PRESET or fingerprint.preset_expression(name, preset)]

"""Reading what was measured: results, measurements, verdicts on other seeds. Reading and judging never train."""

from collections.abc import Iterable
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, fingerprint, judge, record, state
from snippets.book.measure.catalogue import Experiment
from snippets.contract import Measurements


def read_results(experiment: str, preset: str, seeds: list[int]) -> dict[str, Any] | None:
    """The verdicts on fresh measurements, or None where there are none. Where only a claim has moved, the record is
    judged again and written. Raises BookError where the measurements are stale or damaged.
    """
    found = state.look(experiment, preset, seeds)
    if found.damage:
        raise BookError(found.damage)
    if found.record is None:
        return None
    if not found.is_fresh:
        raise BookError(f"the results of {experiment} are stale ({because(found)}); run `make book`")
    results = record.read_results(experiment, preset, found.record)
    if results is None or results["judged_by"] != fingerprint.of_claims(experiment):
        return record.judge_record(catalogue.load(experiment), preset, list(seeds), found.record)
    return results


def because(found: state.State) -> str:
    """Why a record is stale, in a few words."""
    why = found.why()
    return "; ".join(why[:3]) + (f" and {len(why) - 3} more" if len(why) > 3 else "")


def runs(experiment: Experiment, preset: str, seeds: Iterable[int]) -> tuple[list[Measurements], list[dict[str, Any]]]:
    """The measurements of all seeds, in order, and what is known of each unit. In a sweep a seed's measurements are
    those of its cells, by name. Raises BookError where one is not measured.
    """
    found = state.look(experiment.name, preset, seeds)
    kept = found.kept()
    measured = [record.by_cell({cell: kept[seed, cell][0] for cell in found.causes}) for seed in found.seeds]
    return measured, [about for _, about in kept.values()]


def judged(experiment: Experiment, preset: str, seeds: list[int]) -> list[dict[str, Any]]:
    """The verdicts on these seeds, written nowhere."""
    return judge.verdicts(experiment, seeds, runs(experiment, preset, seeds)[0])

"""What the experiments ask and what is known of them, read without importing any."""

import inspect

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, pipeline, record, state
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.measure.sources import TREE
from snippets.book.paths import SHOWN_PRESET, module_of


def question(experiment: str) -> str:
    """The first paragraph of an experiment's docstring."""
    TREE.look()
    return inspect.cleandoc(TREE.source(module_of(experiment)).docstring).split("\n\n")[0].replace("\n", " ")


def rows() -> list[tuple[str, str, str, str]]:
    """Name, question, claims that hold, and core-seconds, of each experiment."""
    found = []
    for name in catalogue.discover():
        holding, cost = "not measured", ""
        try:
            known = record.read(name, SHOWN_PRESET)
            results = record.read_results(name, SHOWN_PRESET, known) if known else None
            if results:
                holding = f"{sum(claim['holds'] for claim in results['claims'])} of {len(results['claims'])}"
                cost = f"{sum(results['provenance']['core_seconds']):.0f}"
            found.append((name, question(name), holding, cost))
        except BookError as error:
            found.append((name, str(error), "", ""))
    return found


def status(preset: str) -> list[tuple[str, str]]:
    """Each experiment and whether what is kept of it is fresh; where not, why."""
    found = []
    for name in state.measurable(preset, catalogue.discover()):
        try:
            known = state.look(name, preset, DEFAULT_SEEDS)
            if known.damage:
                said = f"damaged: {known.damage}"
            elif known.is_fresh and known.record is not None:
                record.read_results(name, preset, known.record)
                said = "fresh"
            else:
                ready = len(known.stamps) - len(known.missing)
                kept = f" ({ready} of {len(known.stamps)} units are measured)" if ready else ""
                said = ("stale: " if known.record else "") + pipeline.because(known) + kept
        except BookError as error:
            said = str(error)
        found.append((name, said))
    return found

"""What the pages are told of experiments: results, figures, claims, each read once a build. Nothing is made here.

In a draft what is not measured yet says so; elsewhere it is an error.
"""

from functools import cache
from pathlib import Path
from typing import Any

from snippets.book.errors import BookError
from snippets.book.figures import listed
from snippets.book.measure import catalogue, pipeline
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.paths import SHOWN_PRESET, figures
from snippets.contract import Measurements


class NotMeasured(BookError):
    """A result that is missing or stale: in a draft the page says so."""


class Facts:
    """Results and figures, for one build of the pages."""

    def __init__(self, draft: bool) -> None:
        self.draft = draft
        self.known_results: dict[str, dict[str, Any] | None] = {}
        self.known_figures: dict[str, dict[str, Any] | None] = {}
        self.resolve = cache(catalogue.resolve)
        self.experiment = cache(catalogue.load)

    def results(self, experiment: str) -> dict[str, Any]:
        """Fresh results. Raises NotMeasured in a draft, and BookError elsewhere, where there are none."""
        try:
            if experiment not in self.known_results:
                self.known_results[experiment] = pipeline.read_results(experiment, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            raise self.missing(str(error)) from error
        results = self.known_results[experiment]
        if results is None:
            raise self.missing(f"{experiment} has no results; run `make book`")
        return results

    def runs(self, experiment: str) -> list[Measurements]:
        """What each seed of an experiment measured. Raises as `results` does."""
        name = self.resolve(experiment)
        self.results(name)
        return pipeline.runs(self.experiment(name), SHOWN_PRESET, list(DEFAULT_SEEDS))[0]

    def missing(self, why: str) -> BookError:
        return NotMeasured(why) if self.draft else BookError(why)

    def claim(self, experiment: str, id: str) -> dict[str, Any]:
        """A claim that holds. Raises BookError where it fails or is not made."""
        for claim in self.results(experiment)["claims"]:
            if claim["id"] == id:
                if not claim["holds"] and not self.draft:
                    raise BookError(f"claim '{id}' of {experiment} fails; it says: {claim['says']}")
                return claim
        raise BookError(f"{experiment} makes no claim '{id}'")

    def values(self, experiment: str, name: str) -> tuple[dict[str, Any], int]:
        """The median and the values of a number by the seeds' order, and to how many digits it is printed."""
        results = self.results(experiment)
        if any(claim["id"] == name for claim in results["claims"]):
            claim = self.claim(experiment, name)
            return claim, claim["digits"]
        if name in results["numbers"]:
            return results["numbers"][name], 3
        raise BookError(f"{experiment} has neither a claim nor a measured number '{name}'")

    def value(self, experiment: str, name: str, which: str = "median") -> tuple[float | str, int]:
        """One number: the median, low, high, or that of a seed, and its digits."""
        found, digits = self.values(experiment, name)
        seeds = self.results(experiment)["seeds"]
        if which.isdigit():
            if int(which) not in seeds:
                raise BookError(f"{experiment} reports no seed {which}")
            value = found["values"][seeds.index(int(which))]
            return ("does not apply" if value is None else value), digits
        if which not in ("median", "low", "high"):
            raise BookError(f"'{which}' is not median, low, high or a seed")
        if which not in found:  # a number has its values; their range is found here
            limit = {"low": min, "high": max}[which]
            return limit(found["values"], key=as_number), digits
        return ("nowhere" if found[which] is None else found[which]), digits

    def images(self, experiment: str, name: str) -> tuple[dict[str, Path], tuple[int, int]]:
        """The image file of each theme and the plotted data of a figure; its width and height in CSS pixels."""
        try:
            if experiment not in self.known_figures:
                self.known_figures[experiment] = listed.read(experiment, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            raise self.missing(str(error)) from error
        drawn = self.known_figures[experiment]
        if drawn is None:
            raise self.missing(f"{experiment} has no figures; run `make book`")
        if name not in drawn["figures"]:
            has = ", ".join(drawn["figures"])
            raise BookError(f"figure '{name}' of {experiment} is named on a page but draw returns {has}")
        folder = figures(experiment, SHOWN_PRESET)
        found = {"data": folder / f"{name}.json"}
        for theme in ("light", "dark"):
            found[theme] = next(folder / file for file in drawn["figures"][name] if f".{theme}." in file)
        width, height = drawn["sizes"][name]
        return found, (width, height)


def as_number(value: float | str) -> float:
    """A value as it was before it was made fit for JSON."""
    return {"never": float("inf"), "-infinity": float("-inf")}.get(value, 0.0) if isinstance(value, str) else value

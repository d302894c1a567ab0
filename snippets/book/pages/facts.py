"""What the pages are told of experiments: results, figures, claims, each read once a build. Nothing is made here.

In a draft what is not measured yet says so; elsewhere it is an error.
"""

import re
import struct
from functools import cache
from pathlib import Path
from typing import Any

from snippets.book.errors import BookError
from snippets.book.figures import drawing
from snippets.book.measure import catalogue, pipeline
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.paths import SHOWN_PRESET, figures

SVG_SIZE = re.compile(rb'<svg[^>]*?\bwidth="([\d.]+)pt"[^>]*?\bheight="([\d.]+)pt"|'
                      rb'<svg[^>]*?\bheight="([\d.]+)pt"[^>]*?\bwidth="([\d.]+)pt"')  # fmt: skip


class NotMeasured(BookError):
    """A result that is missing or stale: in a draft the page says so."""


class Facts:
    """Results and figures, for one build of the pages."""

    def __init__(self, draft: bool) -> None:
        self.draft = draft
        self.known_results: dict[str, dict[str, Any] | None] = {}
        self.known_figures: dict[str, dict[str, dict[str, str]] | None] = {}
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

    def images(self, experiment: str, name: str) -> dict[str, Path]:
        """The image file of each theme, and of the plotted data."""
        try:
            if experiment not in self.known_figures:
                self.known_figures[experiment] = drawing.read_figures(experiment, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            raise self.missing(str(error)) from error
        drawn = self.known_figures[experiment]
        if drawn is None:
            raise self.missing(f"{experiment} has no figures; run `make book`")
        if name not in drawn:
            raise BookError(f"figure '{name}' of {experiment} is named on a page but draw returns {', '.join(drawn)}")
        folder = figures(experiment, SHOWN_PRESET)
        found = {theme: next(f for f in drawn[name] if f".{theme}." in f) for theme in ("light", "dark")}
        return {kind: folder / file for kind, file in (found | {"data": f"{name}.json"}).items()}


def as_number(value: float | str) -> float:
    """A value as it was before it was made fit for JSON."""
    return {"never": float("inf"), "-infinity": float("-inf")}.get(value, 0.0) if isinstance(value, str) else value


def size(image: Path) -> tuple[int, int]:
    """Width and height of an SVG (in points) or PNG (in pixels). A page that knows them keeps the place free."""
    with image.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"\x89PNG"):
        return struct.unpack(">II", head[16:24])
    if found := SVG_SIZE.search(head):
        width, height = (found[1], found[2]) if found[1] else (found[4], found[3])
        return round(float(width)), round(float(height))
    raise BookError(f"{image.name} does not say how wide and high it is; draw it again")

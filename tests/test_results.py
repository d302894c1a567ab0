"""Every claim of the book, on the seeds that it reports. `make test` measures first what is stale."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest

from snippets import style
from snippets.book.figures import drawing
from snippets.book.measure import catalogue, judge, pipeline, record
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.pages import checks
from snippets.book.paths import figures, work
from snippets.contract import Measurements
from tests.drawn import of_this_commit

pytestmark = pytest.mark.results

CLAIMS = [(name, claim.id) for name in catalogue.discover() for claim in catalogue.load(name).claims]


@cache
def results_of(name: str) -> dict:
    results = pipeline.read_results(name, "laptop", DEFAULT_SEEDS)
    assert results is not None, f"{name} has no results; run `make book`"
    return results


@cache
def measured(name: str) -> list[Measurements]:
    """What is kept of each seed; nothing is trained."""
    return pipeline.runs(catalogue.load(name), "laptop", DEFAULT_SEEDS)[0]


@pytest.mark.parametrize(("name_", "claim"), CLAIMS, ids=[f"{n.split('/')[1]}-{c}" for n, c in CLAIMS])
def test_every_claim_holds_on_enough_seeds(name_, claim):
    found = next(c for c in results_of(name_)["claims"] if c["id"] == claim)
    held = sum(passed is True for passed in found["passed"])
    assert found["holds"] and held >= found["needed"], f"{found['says']} holds on {held} of {found['applies']} seeds"


@pytest.mark.parametrize(("name_", "claim"), CLAIMS, ids=[f"{n.split('/')[1]}-{c}" for n, c in CLAIMS])
def test_every_verdict_follows_from_what_was_measured(name_, claim):
    """The verdicts in results.json are computed again, from the measurements themselves."""
    stated = next(c for c in catalogue.load(name_).claims if c.id == claim)
    written = next(c for c in results_of(name_)["claims"] if c["id"] == claim)
    for kept, value, passed in zip(measured(name_), written["values"], written["passed"], strict=True):
        if stated.applies is not None and not stated.applies(kept):
            assert value is None and passed is None
            continue
        again = float(stated.value(kept))
        assert judge.portable(again) == pytest.approx(value)
        assert stated.holds(again) == passed


def test_provenance_is_whole(name):
    results = results_of(name)
    made = results["provenance"]
    assert results["seeds"] == DEFAULT_SEEDS
    assert len(made["source"]) == len(made["core_seconds"]) == len(DEFAULT_SEEDS)
    for key in ("command", "commit", "cpu", "capability", "python", "torch", "numpy", "made_at"):
        assert made[key], key
    assert made["peak_memory_mb"] > 50 and min(made["core_seconds"]) > 0


def test_every_figure_is_a_pair_with_data_and_small(name):
    drawn = drawing.read_figures(name, "laptop", DEFAULT_SEEDS)
    assert drawn
    for figure, files in drawn.items():
        kinds = sorted(file.removeprefix(f"{figure}.").split(".")[0] for file in files)
        assert kinds == ["dark", "json", "light"]
        for file in files:
            if file.endswith(".svg"):
                assert (figures(name, "laptop") / file).stat().st_size <= drawing.LARGEST_SVG


@pytest.mark.parametrize("name_", of_this_commit(catalogue.discover(), 35))
def test_drawing_again_gives_the_same_files(name_, tmp_path):
    """The light ones and their data: the dark ones are the same code in other colours."""
    measurements, _ = pipeline.runs(catalogue.load(name_), "laptop", DEFAULT_SEEDS)
    with style.use("light"):
        drawn = catalogue.load(name_).draw(measurements)
        again = {figure: drawing.save(made, tmp_path, figure, "light") for figure, made in drawn.items()}
        plt.close("all")
    before = drawing.read_figures(name_, "laptop", DEFAULT_SEEDS)
    assert again.keys() == before.keys()
    for figure, files in again.items():
        assert {path.name: sha for path, sha in files.items()}.items() <= before[figure].items(), figure


def test_pages_agree_with_results():
    assert list(checks.problems()) == []


def test_measurements_are_numbers_without_nan(name):
    for kept in measured(name):
        for key, values in judge.flattened(kept).items():
            assert not np.isnan(values).any(), key


def test_the_record_is_small(name):
    size = sum(path.stat().st_size for path in work(name, "laptop").iterdir())
    assert size <= record.LARGEST + 60_000, "measurements.npz at most 150 kB, and a results.json"


def test_sizes_of_figures_are_known(name):
    drawn = drawing.read_figures(name, "laptop", DEFAULT_SEEDS)
    assert set(drawing.sizes(name, "laptop", DEFAULT_SEEDS)) == set(drawn)

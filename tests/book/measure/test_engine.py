"""The engine on a small book of its own: what is measured again, what is kept, and what bad input gets."""

import json
import subprocess
import sys

import numpy as np
import pytest

from snippets.book.measure import store
from tests.book.measure.conftest import UNITS

pytestmark = pytest.mark.pipeline


def test_a_sweep_is_measured_judged_and_drawn(book):
    results = json.loads(book.results.read_text(encoding="utf-8"))
    assert results["seeds"] == [0, 1, 2, 3, 4]
    assert results["settings"]["few"]["largest"] == 64 and set(results["numbers"]) == {"few.last", "many.last"}
    claim = results["claims"][0]
    assert claim["holds"] and len(claim["values"]) == 5 and claim["low"] <= claim["median"] <= claim["high"]
    made = results["provenance"]
    assert sorted(made["units"]) == UNITS and len(made["core_seconds"]) == 5 and made["peak_memory_mb"] > 10
    for key in ("commit", "command", "cpu", "capability", "threads", "torch", "numpy", "python", "source", "made_at"):
        assert made[key], f"provenance lacks {key}"
    about = json.loads((book.root / "build/figures/mechanisms/tiny/figures.json").read_text(encoding="utf-8"))
    assert about["sizes"]["error"] == [499, 230]
    kinds = sorted(file.split(".", 1)[1] for file in about["figures"]["error"])
    assert kinds == ["dark.svg", "json", "light.svg"]


def test_the_measurements_are_those_that_run_returned(book):
    arrays, _ = store.unpack(book.measurements)
    assert arrays["3.few/size"].tolist() == [2**i for i in range(7)]
    assert arrays["3.few/error"].dtype == np.float64 and arrays["3.few/error"].shape == (7,)


def test_nothing_stale_makes_nothing(book):
    before, units = book.kept(), book.units()
    assert "git add" not in book.build()
    assert book.kept() == before and book.trained(units) == []


@pytest.mark.parametrize(
    ("where", "old", "new", "remade"),
    [
        ("code", "np.square(", "np.square(1 * ", None),
        ("drawing", 'xlabel="draws"', 'xlabel="number of draws"', {"figures"}),
        ("code", "The error falls with", "The error shrinks with", {"results"}),
        ("code", "between(-0.6, -0.4)", "between(-0.7, -0.4)", {"results"}),
        ("code", "# root of the mean squared error", "# a comment", set()),
        ("code", '"""Errors of the mean."""', '"""Other words."""', set()),
        ("code", "Config(2048)", "Config(4096)", set()),
    ],
    ids=["run", "draw", "wording", "predicate", "comment", "docstring", "other-preset"],
)
def test_an_edit_remakes_what_depends_on_it(book, where, old, new, remade):
    before, units = book.kept(), book.units()
    if remade is None:
        where, remade = "shared", {"results", "measurements", "figures"}
    book.edit(getattr(book, where), old, new)
    book.build()
    changed = {name.rsplit("/", 1)[1].split(".")[0] for name, content in book.kept().items() if before[name] != content}
    assert changed & {"results", "measurements", "figures"} == remade
    assert book.trained(units) == (UNITS if "measurements" in remade else [])


def test_a_changed_cell_is_measured_again_alone(book):
    units = book.units()
    book.edit(book.code, '"few": Config(64)', '"few": Config(32)')
    assert "mechanisms/tiny: stale: cell few changed" in book.passes("status")
    book.build()
    assert book.trained(units) == [unit for unit in UNITS if "few" in unit]


def test_a_clone_needs_only_the_record(book):
    subprocess.run(["rm", "-r", "build"], cwd=book.root, check=True)
    before = {name: content for name, content in book.kept().items() if name.startswith("record")}
    book.build()
    assert book.units() == {} and before.items() <= book.kept().items()


def test_a_moved_module_makes_nothing_stale(book):
    units = book.units()
    book.git("mv", "snippets/icl/sample.py", "snippets/icl/means.py")
    book.edit(book.code, "snippets.icl.sample", "snippets.icl.means")
    assert "mechanisms/tiny: fresh" in book.passes("status")
    book.build()
    assert book.trained(units) == []


def test_status_names_the_definition_that_changed(book):
    book.edit(book.shared, "draws.mean(1)", "draws.mean(1, keepdims=True)")
    assert "mechanisms/tiny: stale: sample.errors_of_means changed" in book.passes("status")
    book.edit(book.code, "def run(", "EXTRA = 1\n\n\ndef run(")
    book.edit(book.code, "np.array(errors)", "np.array(errors) * EXTRA")
    said = book.passes("status")
    assert "tiny.run changed" in said and "tiny.EXTRA added" in said


def test_reading_needs_neither_torch_nor_matplotlib(book):
    others = ("torch", "matplotlib", "scipy", "mkdocs", "snakemake", "yaml")
    for command in ("status", "list"):
        call = (
            f"import runpy, sys; sys.modules.update(dict.fromkeys({others})); "
            f"sys.argv = ['snippets', '{command}']; runpy.run_module('snippets', run_name='__main__')"
        )
        done = subprocess.run([sys.executable, "-c", call], cwd=book.root, capture_output=True, text=True)
        assert done.returncode == 0 and "mechanisms/tiny" in done.stdout, done.stderr


def test_reading_never_trains(book):
    book.edit(book.shared, "draws.mean(1)", "(1 * draws.mean(1))")
    units = book.units()
    assert "is not measured on seed 0, cell few" in book.fails("draw", "tiny")
    assert "is not measured on seed 0, cell few" in book.fails("judge", "tiny")
    assert book.trained(units) == []


def test_run_takes_what_is_there_and_fails_with_its_claims(book):
    units = book.units()
    assert "PASS" in book.passes("run", "tiny")
    book.edit(book.code, "between(-0.6, -0.4)", "between(0.4, 0.6)")
    assert "1 claims do not hold: square-root" in book.fails("run", "tiny")
    assert book.trained(units) == []


def test_verify_on_other_seeds_leaves_the_book_alone(book):
    before = book.kept()
    said = book.passes("verify", "--seeds", "100-102")
    assert "3 of 3" in said and "3 of 3 claim-seed pairs hold, 100.0 %" in said
    assert book.kept() == before
    assert "1 of 1" in book.passes("run", "tiny", "--seeds", "7")
    assert book.kept() == before


def test_verify_goes_on_past_an_experiment_that_stops(book):
    other = book.code.with_name("second.py")
    text = book.code.read_text(encoding="utf-8").replace("def run(", "def run(", 1)
    other.write_text(text.replace("m = m.get", "1 / 0\n    m = m.get"), encoding="utf-8")
    done = book.run("verify", "--seeds", "100")
    assert done.returncode == 1 and "1 of 1 claim-seed pairs hold" in done.stdout
    assert "claim 'square-root' of mechanisms/second raised ZeroDivisionError on seed 100" in done.stderr


def test_exact_claims_are_no_pairs(book):
    book.edit(book.code, 'of minus a half."),', 'of minus a half.", exact=True),')
    assert "0 of 0 claim-seed pairs hold" in book.passes("verify", "--seeds", "100-101")


def test_train_and_gather_are_what_a_cluster_calls(book):
    assert "mechanisms/tiny lacks 5 of 5 units, first seed 0" in book.fails("gather", "--preset", "paper")
    book.passes("train", "tiny", "--preset", "paper", "--seeds", "0-4")
    book.passes("gather", "--preset", "paper")
    results = json.loads((book.root / "build/paper/mechanisms/tiny/results.json").read_text(encoding="utf-8"))
    assert results["settings"]["largest"] == 2048


# bad calls: exit code 2, one line, nothing written


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "mechanisms/tinny"], "did you mean mechanisms/tiny"),
        (["run", "zzz"], "python -m snippets list"),
        (["run", "tiny", "--seeds", "a"], "seeds 'a'"),
        (["run", "tiny", "--seeds", ""], "cannot be read"),
        (["run", "tiny", "--preset", "cluster"], "has no preset 'cluster': choose from laptop, paper"),
        (["verify", "--sedes", "0"], "No such option"),
        (["train", "tiny", "--cells", "few,lots"], "no cell 'lots' in preset 'laptop': choose from few, many"),
        (["build", "--preset", "cluster"], "no experiment has a preset 'cluster'"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_bad_call_gets_one_line_and_writes_nothing(book, arguments, says):
    def everything():
        return {p: p.stat().st_mtime_ns for p in book.root.rglob("*") if "__pycache__" not in p.parts}

    before = everything()
    assert says in book.fails(*arguments, code=2)
    assert set(everything()) == set(before)


# broken experiments: named, and what was finished stays


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("CLAIMS = [", "CLAIM = [", "mechanisms/tiny breaks the contract: CLAIMS"),
        ("def run(config: Config, seed: int)", "def run(config: Config)", "run does not take (config, seed)"),
        ('"laptop": {', '"desktop": {', "mechanisms/tiny has no preset 'laptop'"),
        ("from dataclasses", "fro dataclasses", "snippets/mechanisms/tiny.py line 6"),
        ("import numpy as np", "import numpi as np", "requirements.txt pins no 'numpi'"),
        ('"last": errors[-1]', '"last": 1 / 0', "mechanisms/tiny laptop 0 few: ZeroDivisionError"),
        ('"last": errors[-1]', '"last": "large"', "measurement 'last' is <U5, not numbers"),
        ('"last": errors[-1]', '"last": np.nan if seed == 3 else 1.0', "measurement 'last' is NaN on seed 3, cell few"),
        ("return float(np.polyfit", "return 1 / 0 + float(np.polyfit", "raised ZeroDivisionError on seed 0"),
        ("return float(np.polyfit", "return np.nan * float(np.polyfit", "is NaN on seed 0"),
    ],
    ids=["claims", "run", "preset", "syntax", "import", "raises", "words", "nan", "claim-raises", "claim-nan"],
)
def test_a_broken_experiment_is_named(book, old, new, says):
    before = book.kept()
    book.edit(book.code, old, new)
    process = book.run("build", "--no-site")
    assert process.returncode == 1 and says in process.stderr, process.stderr
    assert book.kept() == before


def test_one_that_fails_does_not_stop_the_others(book):
    text = book.code.read_text(encoding="utf-8")
    book.code.with_name("second.py").write_text(text, encoding="utf-8")
    book.drawing.with_name("second.py").write_text(book.drawing.read_text(encoding="utf-8"), encoding="utf-8")
    book.edit(book.code, '"last": errors[-1]', '"last": np.nan')
    assert "mechanisms/tiny: measurement 'last' is NaN" in book.fails("build", "--no-site")
    assert (book.root / "record/mechanisms/second/results.json").exists()
    assert (book.root / "build/figures/mechanisms/second/error.light.svg").exists()


def test_a_drawing_that_breaks_is_named(book):
    book.edit(book.drawing, "def draw(runs", "def drawing(runs")
    assert "snippets.mechanisms.figures.tiny breaks the contract: draw is not a function" in book.fails(
        "build", "--no-site"
    )


def test_a_missing_figure_file_is_named_and_drawn_again(book):
    figure = book.root / "build/figures/mechanisms/tiny/error.dark.svg"
    figure.unlink()
    book.build()
    assert figure.exists()

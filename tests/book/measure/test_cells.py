"""A sweep on a small book of its own: each cell of each seed is trained, kept, resumed and made stale by itself."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.book import cli
from snippets.book.measure import pipeline
from snippets.book.pages import live
from tests.book.measure.test_pipeline import LOOP, SLOW, kill_tree, wait_for

UNITS = [f"seed-{seed}.{cell}.npz" for seed in range(5) for cell in ("few", "many")]


@pytest.fixture
def sweep(small_book):
    """The small book with its experiment made a sweep of two cells; nothing of the sweep is trained yet."""
    cells = '{"laptop": {"few": Config(64), "many": Config(256)}}'
    small_book.edit(small_book.code, '{"laptop": Config()}', cells)
    small_book.edit(small_book.code, "value=slope", 'value=lambda m: slope(m["many"])')
    small_book.edit(small_book.code, 'runs[0]["size"]', 'runs[0]["many"]["size"]')
    small_book.edit(small_book.code, '[m["error"] for m in runs]', '[m["many"]["error"] for m in runs]')
    small_book.edit(small_book.code, "np.array(errors)}", 'np.array(errors), "last": errors[-1]}')
    numbers = '{{{ setting("tiny", "few.largest") }}} draws leave {{{ measured("tiny", "few.last") }}}.'
    small_book.edit(small_book.page, '{{{ run_it("tiny") }}}', numbers)
    return small_book


@pytest.fixture
def built(sweep):
    made = sweep.run("build")
    assert made.returncode == 0, made.stderr
    return sweep


def trained(book) -> dict[str, int]:
    return {name: time for name, time in book.times().items() if name in UNITS}


@pytest.mark.pipeline
def test_a_sweep_is_built_and_judged_by_cell(built):
    assert sorted(trained(built)) == UNITS
    results = json.loads((built.work / "results.json").read_text())
    assert results["settings"]["few"]["largest"] == 64 and results["settings"]["many"]["largest"] == 256
    assert set(results["numbers"]) == {"few.last", "many.last"}
    assert results["claims"][0]["holds"] and len(results["provenance"]["core_seconds"]) == 5
    html = (built.root / "site" / "mechanisms" / "tiny" / "index.html").read_text()
    assert "64 draws leave" in html
    before = built.times()
    assert built.run("build").returncode == 0
    assert built.times() == before, "nothing stale makes nothing"


@pytest.mark.pipeline
def test_a_changed_cell_is_trained_again_alone(built):
    before = trained(built)
    built.edit(built.code, '"few": Config(64)', '"few": Config(32)')
    assert built.run("build").returncode == 0
    after = trained(built)
    assert {name for name in UNITS if after[name] != before[name]} == {n for n in UNITS if ".few." in n}


@pytest.mark.pipeline
def test_a_killed_job_keeps_its_finished_cells(sweep):
    sweep.edit(sweep.code, LOOP, SLOW)
    process = sweep.start("build", "--cores", "1", start_new_session=True)
    wait_for(lambda: (sweep.work / "seed-0.few.npz").exists())
    kill_tree(process)
    finished = trained(sweep)
    assert "seed-0.few.npz" in finished and len(finished) < len(UNITS)
    assert "mechanisms/tiny" in sweep.fails("site"), "nothing unfinished is taken for finished"
    resumed = sweep.run("build")
    assert resumed.returncode == 0, resumed.stderr
    after = trained(sweep)
    assert sorted(after) == UNITS
    assert {name: after[name] for name in finished} == finished, "finished cells are not trained again"


@pytest.mark.pipeline
def test_on_a_cluster_each_cell_is_a_job(sweep):
    command = ["-m", "snakemake", "results", "--cores", "2", "--config", "preset=laptop", "seeds_per_job=1"]
    done = subprocess.run([sys.executable, *command], cwd=sweep.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    flags = sorted(path.name for path in sweep.work.glob("trained-*.*"))
    assert flags == [f"trained-{seed}.{cell}" for seed in range(5) for cell in ("few", "many")]
    before = trained(sweep)
    assert sweep.run("build").returncode == 0
    assert trained(sweep) == before, "a build on this machine takes what the cluster made"


@pytest.mark.pipeline
def test_run_train_and_verify_know_cells(sweep):
    assert sweep.run("train", "tiny", "--seeds", "0", "--cells", "few").returncode == 0
    first = trained(sweep)
    assert list(first) == ["seed-0.few.npz"]
    ran = sweep.run("run", "tiny")
    assert ran.returncode == 0 and "PASS" in ran.stdout, ran.stderr
    assert sorted(trained(sweep)) == UNITS and trained(sweep)["seed-0.few.npz"] == first["seed-0.few.npz"]
    assert "2 of 2" in sweep.run("verify", "tiny", "--seeds", "100-101").stdout


@pytest.mark.pipeline
def test_bad_cells_are_one_line(sweep):
    says = "mechanisms/tiny has no cell 'lots' in preset 'laptop': choose from few, many"
    assert says in sweep.fails("train", "tiny", "--cells", "few,lots", code=2)
    sweep.edit(sweep.code, '"error": np.array(errors)', '"error": np.array(errors) * np.nan')
    assert "measurement 'error' is NaN on seed 3, cell many" in sweep.fails(
        "train", "tiny", "--seeds", "3", "--cells", "many"
    )
    sweep.edit(sweep.code, '{"few": Config(64), "many": Config(256)}', "{str(n): Config(n) for n in (64, 256)}")
    assert "PRESETS['laptop'] computes its cells; write them out" in sweep.fails("build")


@pytest.mark.pipeline
def test_an_experiment_without_cells_has_none_to_choose(small_book):
    assert "mechanisms/tiny has no cell 'few' in preset 'laptop': it is no sweep" in small_book.fails(
        "train", "tiny", "--cells", "few", code=2
    )


@given(
    st.lists(st.integers(0, 20), unique=True, max_size=7),
    st.lists(st.sampled_from("abcdefghij"), unique=True, min_size=1),
    st.integers(1, 20),
)
def test_each_cell_of_each_seed_is_dealt_to_one_worker(missing, cells, workers):
    dealt = []
    shares = cli.shares(missing, cells, workers)
    for _, seeds, _, names in shares:
        dealt += [(int(seed), cell) for seed in seeds.split(",") for cell in names.split(",")]
    assert sorted(dealt) == sorted((seed, cell) for seed in missing for cell in cells)
    assert len(shares) <= workers


def test_the_progress_of_a_seed_is_the_mean_over_its_cells(monkeypatch):
    running = {"a": 0.5, "b": None, "c": None}
    monkeypatch.setattr(pipeline.fingerprint, "cells", lambda name, preset: list(running))
    monkeypatch.setattr(pipeline.watch, "share_done", lambda name, preset, seed, cell: running[cell])
    monkeypatch.setattr(pipeline, "is_trained", lambda name, preset, seed, cell: cell == "b")
    assert pipeline.share_done("part/name", "laptop", 3) == pytest.approx(0.5)
    monkeypatch.setattr(live.contract, "discover", lambda: ["part/name"])
    told = live.Runner().progress()["experiments"]["part/name"]
    assert told == {"share": pytest.approx(0.5), "seeds": 0}


def test_a_seed_of_a_sweep_adds_up_what_its_cells_cost():
    def about(made_at: str, seconds: float, memory: int) -> dict:
        return {"made_at": made_at, "core_seconds": seconds, "wall_seconds": seconds, "peak_memory_mb": memory,
                "fingerprint": made_at, "machine": {"cpu": made_at}}  # fmt: skip

    cells = {"a": ({"x": np.ones(1)}, about("2000", 1.5, 10)), "b": ({"x": np.zeros(1)}, about("1999", 2.0, 20))}
    measured, known = pipeline.together(cells)
    assert measured["a"]["x"] == 1 and measured["b"]["x"] == 0
    assert known["core_seconds"] == 3.5 and known["peak_memory_mb"] == 20 and known["machine"] == {"cpu": "2000"}
    assert set(pipeline.flattened(measured)) == {"a.x", "b.x"}

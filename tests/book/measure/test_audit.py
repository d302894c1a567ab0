"""Audit and remeasure: equal bits pass, anything else is named with both values."""

import subprocess
import sys

import numpy as np
import pytest

from snippets.book.measure.compare import differences

pipeline = pytest.mark.pipeline

FORGE = """
import sys; sys.path.insert(0, "")
from snippets.book.measure import catalogue, record, state
found = state.look("mechanisms/tiny", "laptop", range(5))
kept = found.kept()
measured, about = kept[2, "many"]
measured = measured | {{"error": measured["error"].copy()}}
measured["error"][3] {change}
kept[2, "many"] = (measured, about)
for _, about in kept.values():
    about["machine"] = about["machine"] | {machine}
record.write(catalogue.load(found.name), found.preset, found.seeds, kept)
"""


def forge(book, change: str, machine: str = "{}") -> None:
    call = FORGE.format(change=change, machine=machine)
    subprocess.run([sys.executable, "-c", call], cwd=book.root, check=True)


@pipeline
def test_a_true_record_passes(book):
    before = book.kept()
    said = book.passes("audit")
    assert "10 units of 1 experiments" in said and "10 agree; same processor class" in said
    assert "mechanisms/tiny: equal, to the last bit" in book.passes("remeasure")
    assert book.kept() == before


@pipeline
def test_the_commit_draws_the_sample_within_its_time(book):
    def drawn(commit: str) -> list[str]:
        said = book.passes("audit", "--commit", commit, "--minutes", "0.0001")
        assert "audit of" in said
        return sorted(path.name.rsplit(".", 2)[0] for path in book.root.glob("build/audit/**/*.npz"))

    forge(book, "+= 0", '{"cpu": "another"}')  # bits are not demanded, so that costs may be changed below
    costly = "for _, about in kept.values():\n    about['core_seconds'] = 0.004\n"
    call = FORGE.replace("for _, about", costly + "for _, about").format(change="+= 0", machine="{}")
    subprocess.run([sys.executable, "-c", call], cwd=book.root, check=True)
    one, other = drawn("a"), drawn("b")
    assert one == drawn("a") and len(one) < 10 and one != other


@pipeline
def test_one_bit_is_found_on_the_same_machine(book):
    forge(book, "*= 1 + 2**-52")
    line = book.fails("audit")
    assert "mechanisms/tiny on seed 2, cell many: measurement error at [3] is 0.3" in line
    assert " and was 0.3" in line and "equal bits demanded" in line
    said = book.passes("remeasure")
    assert "mechanisms/tiny: differs: 'error' by up to" in said and "; every claim as before" in said


@pipeline
def test_on_another_machine_the_claims_must_hold(book):
    forge(book, "*= 1 + 2**-40", '{"cpu": "Another Processor"}')
    assert "10 agree; another processor class or versions: the claims must hold" in book.passes("audit")
    forge(book, "*= 1e-9", '{"cpu": "Another Processor"}')
    assert "10 agree" in book.passes("audit"), "a claim that fails with the old value and holds with the new is mended"
    book.edit(book.code, "between(-0.6, -0.4)", "between(-0.3, 9)")
    book.edit(book.code, 'of minus a half."),', 'of minus a half.", quorum=0.2),')
    line = book.fails("audit")
    assert "mechanisms/tiny on seed 2, cell many: measurement error" in line
    assert "claims no longer hold: square-root (another processor class or versions" in line


@pipeline
def test_a_stale_record_is_not_audited_and_said(book):
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")
    said = book.passes("audit")
    assert "note: mechanisms/tiny is not audited, its record is not fresh" in said and "0 units" in said


@pipeline
def test_remeasure_fails_with_a_claim_and_publishes_what_it_measured(book):
    forge(book, "*= 1.01")
    forged = book.measurements.read_bytes()
    assert "the record now holds what was measured" in book.passes("remeasure", "--publish")
    assert book.measurements.read_bytes() != forged
    assert "10 agree" in book.passes("audit")
    book.edit(book.code, "between(-0.6, -0.4)", "between(0.4, 0.6)")
    kept = book.measurements.read_bytes()
    assert "measured anew, claims of mechanisms/tiny do not hold: square-root" in book.fails("remeasure", "--publish")
    assert book.measurements.read_bytes() == kept


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.5]), "measurement a at [1] is 2.5 and was 2.0"),
        (np.float64(1), np.float64(2), "measurement a is 2.0 and was 1.0"),
        (np.array([np.inf, 1]), np.array([3.0, 1]), "measurement a at [0] is 3.0 and was inf"),
        (np.zeros(2), np.zeros(3), "measurement a is float64 of shape (3,) and was float64 of shape (2,)"),
        (np.zeros(2), np.zeros(2, np.float32), "measurement a is float32 of shape (2,) and was float64 of shape (2,)"),
        (np.zeros(2), None, "measurement a is absent and was float64 of shape (2,)"),
    ],
)
def test_what_differs_is_said(was, now, says):
    assert [str(one) for one in differences({"a": was}, {"a": now} if now is not None else {})] == [says]
    assert differences({"a": was}, {"a": was.copy()}) == []

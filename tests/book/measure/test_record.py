"""The record: the same bytes for the same measurements, and one clear line for whatever may happen to it."""

import json
import zipfile

import numpy as np
import pytest

from snippets.book.errors import BookError
from snippets.book.measure import record, store

pipeline = pytest.mark.pipeline
CUT = "was cut or edited by hand"


def test_the_same_content_gives_the_same_bytes(tmp_path):
    arrays = {"0/a": np.arange(3.0), "0/b": np.float32(2.5)}
    content = store.pack(arrays, {"units": {}})
    assert content == store.pack(dict(reversed(arrays.items())), {"units": {}})
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    read, about = store.unpack(path)
    assert about["units"] == {} and read["0/b"].dtype == np.float32 and read["0/b"].shape == ()
    assert store.pack(read, {"units": {}}) == content


def test_what_differs_in_its_seed_alone_is_one_array_with_a_row_for_each(tmp_path):
    """Single numbers, curves, one of another shape or type, a name that looks like a stack's: all return."""
    arrays: dict[str, np.ndarray] = {f"{seed}/curve": np.arange(3.0) + seed for seed in (0, 1, 10)}
    arrays |= {f"{seed}/last": np.float32(seed) for seed in (0, 1)}
    arrays |= {"1.cell/curve": np.arange(4.0), "2.cell/curve": np.arange(3), "0/curve:1": np.arange(2.0)}
    path = tmp_path / "m.npz"
    path.write_bytes(store.pack(arrays, {}))
    read, _ = store.unpack(path)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert type(read[name]) is np.ndarray and read[name].dtype == array.dtype, name
        np.testing.assert_array_equal(read[name], array, err_msg=name)
    with zipfile.ZipFile(path) as file:
        assert len(file.namelist()) == 2 + 5, "about, rows, three kinds of curve, last, curve:1"


@pytest.mark.parametrize("damage", [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: c.replace(b"a.npy", b"c.npy")])
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = tmp_path / "m.npz"
    path.write_bytes(damage(store.pack({"0/a": np.arange(300.0)}, {"units": {}})))
    with pytest.raises(BookError, match=CUT):
        store.unpack(path)


def test_another_value_in_the_archive_is_found(tmp_path):
    """A zip file that is whole, with an array that is not the one that was kept."""
    path = tmp_path / "m.npz"
    path.write_bytes(store.pack({"0/a": np.arange(3.0)}, {"units": {}}))
    _, about = store.unpack(path)
    forged = store.pack({"0/a": np.arange(3.0) + 1}, {})
    path.write_bytes(forged)
    whole, _ = store.unpack(path)
    assert about["checksum"] != store.checksum({"units": {}}, whole)


def test_what_is_too_large_is_named_with_its_largest_arrays(monkeypatch, tmp_path):
    monkeypatch.setattr(record, "RECORD", tmp_path)
    arrays = {"0/curve": np.zeros(50_000), "1/curve": np.zeros(50_000), "0/small": np.zeros(3)}
    with pytest.raises(BookError, match=r"part/name measures 151 kB, the record takes 150; .*'curve' 800 kB, 'small'"):
        record.stop_if_too_large("part/name", bytes(151_000), arrays)
    record.stop_if_too_large("part/name", bytes(150_000), arrays)
    (tmp_path / "part/other").mkdir(parents=True)
    (tmp_path / "part/other/measurements.npz").write_bytes(bytes(7_900_000))
    with pytest.raises(BookError, match=r"the record would take 8.0 MB with part/name, and may take 8; .*'curve'"):
        record.stop_if_too_large("part/name", bytes(149_000), arrays)


@pipeline
def test_too_large_stops_the_build_by_name_and_loses_nothing(book):
    before = book.kept()
    large = '"last": errors[-1], "large": generator.standard_normal(5000)'
    book.edit(book.code, '"last": errors[-1]', large)
    assert "mechanisms/tiny measures" in book.fails("build", "--no-site")
    assert book.kept() == before
    assert len(book.trained({})) > 10, "the units are kept"


@pipeline
def test_edited_results_are_judged_again(book):
    whole = book.results.read_text(encoding="utf-8")
    units = book.units()
    for damaged in (whole.replace('"holds": true', '"holds": false', 1), whole[: len(whole) // 2], ""):
        book.results.write_text(damaged, encoding="utf-8")
        assert CUT in book.passes("status")
        assert CUT in book.fails("record", "--check")
        assert f"note: record/mechanisms/tiny/results.json {CUT}" in book.build()
        assert book.results.read_text(encoding="utf-8") == whole
    assert book.trained(units) == []


@pipeline
def test_cut_measurements_are_measured_again_where_no_unit_is_left(book):
    whole = book.measurements.read_bytes()
    book.measurements.write_bytes(whole[: len(whole) // 2])
    says = f"record/mechanisms/tiny/measurements.npz {CUT}; `git checkout -- record/mechanisms/tiny` brings it back"
    assert says in book.passes("status")
    assert says in book.build()
    assert book.measurements.read_bytes() == whole, "its units still lay under build/"
    for path in book.root.glob("build/units/**/*.npz"):
        path.unlink()
    book.measurements.write_bytes(whole[: len(whole) // 2])
    assert says in book.build()
    assert len(book.trained({})) == 10


@pipeline
def test_files_that_do_not_belong_together_are_judged_again(book):
    """As after a merge that took one file from each side."""
    old = book.results.read_text(encoding="utf-8")
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")
    book.build()
    new = book.results.read_text(encoding="utf-8")
    book.results.write_text(old, encoding="utf-8")
    units = book.units()
    assert "do not belong together" in book.fails("record", "--check")
    assert "do not belong together" in book.build()
    assert book.results.read_text(encoding="utf-8") == new and book.trained(units) == []


@pipeline
def test_a_conflict_stops_the_build_until_a_side_is_taken(book):
    """Two branches that both measured anew."""
    main = book.git("branch", "--show-current").strip()
    book.git("checkout", "--quiet", "-b", "other")
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")
    book.build()
    book.commit()
    book.git("checkout", "--quiet", main)
    book.edit(book.shared, "draws.mean(1)", "(3 * draws.mean(1))")
    book.build()
    book.commit()
    with pytest.raises(AssertionError):
        book.git("merge", "other")
    book.git("checkout", "--ours", "--", str(book.shared.relative_to(book.root)))
    says = (
        "results.json is in conflict after a merge; take either side with `git checkout --ours record/mechanisms/tiny`"
    )
    assert says in book.fails("build", "--no-site")
    assert "<<<<<<<" in book.results.read_text(encoding="utf-8"), "nothing is lost"
    units = book.units()
    book.git("checkout", "--theirs", "record/mechanisms/tiny")
    book.build()
    assert book.trained(units) == [], "this side's units still lay under build/"
    assert "3 * draws" in book.shared.read_text(encoding="utf-8")


@pipeline
def test_another_machine_is_a_note(book):
    call = """
import sys; sys.path.insert(0, "")
from snippets.book.measure import catalogue, record, state
found = state.look("mechanisms/tiny", "laptop", range(5))
kept = found.kept()
for _, about in kept.values():
    about["machine"] = about["machine"] | {"cpu": "Another Processor"}
record.write(catalogue.load(found.name), found.preset, found.seeds, kept)
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", call], cwd=book.root, check=True)
    before, units = book.kept(), book.units()
    assert "note: the record holds measurements of another processor (Another Processor)" in book.build()
    assert book.kept() == before and book.trained(units) == []


@pipeline
def test_what_is_not_committed_is_named(book):
    assert "committed as it is here" in book.passes("record", "--check")
    book.edit(book.shared, "draws.mean(1)", "(2 * draws.mean(1))")
    stale = "the record of mechanisms/tiny is stale: sample.errors_of_means changed"
    assert stale in book.fails("record", "--check")
    book.build()
    assert "record/mechanisms/tiny is not committed as it is here" in book.fails("record", "--check")
    book.commit()
    book.passes("record", "--check")
    book.edit(book.code, "The error falls", "The error sinks")
    assert "the verdicts of mechanisms/tiny are not those of its claims" in book.fails("record", "--check")


@pipeline
def test_a_claim_that_moved_is_judged_on_reading(book):
    """Pages read: the record is judged again and written, nothing is trained."""
    book.edit(book.code, "between(-0.6, -0.4)", "between(0.4, 0.6)")
    call = (
        "from snippets.book.measure import pipeline as p; "
        "print(p.read_results('mechanisms/tiny', 'laptop', list(range(5)))['claims'][0]['holds'])"
    )
    import subprocess
    import sys

    units = book.units()
    done = subprocess.run([sys.executable, "-c", call], cwd=book.root, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
    assert json.loads(book.results.read_text(encoding="utf-8"))["claims"][0]["predicate"] == "between 0.4 and 0.6"
    assert book.trained(units) == []

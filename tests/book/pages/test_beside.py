"""The table of the authors' code beside ours."""

import pytest

from snippets.book.pages import beside

ONE = {
    "key": "ahn2023", "repository": "a/b", "commit": "0123456789abcdef", "setting": "three layers",
    "alike": "Like for like", "difference": "None.", "rounds": 7, "versions": {"theirs": {"torch": "2.1"}},
    "ours_ms": {"median": 2.0}, "theirs_ms": {"median": 20.123}, "ratio": {"median": 10.06, "low": 9.51, "high": 10.9},
    "same_loss": {"apart": 2.1e-7}, "measured_on": {"cpu": "A processor", "date": "2026-11-30"},
}  # fmt: skip
REACHED = {
    "goal": "a loss of 1",
    "reached": {
        "theirs": [{"seed": 0, "steps": 1400, "core_seconds": 12.0}, {"seed": 1, "steps": None, "core_seconds": 40.0}],
        "ours": [{"seed": 0, "steps": 1350, "core_seconds": 3.0}, {"seed": 1, "steps": 900, "core_seconds": 2.0}],
    },
}


@pytest.fixture
def known(monkeypatch):
    def give(found):
        monkeypatch.setattr(beside.store, "read_json", lambda path: found)
        return beside.table()

    return give


def test_without_a_record_it_says_what_to_run(known):
    assert "python -m snippets.benchmarks --authors" in known(None)


def test_a_row_has_both_times_and_the_ratio_with_its_range(known):
    text = known({"papers": {"ahn": ONE}})
    assert "| Ahn et al. 2023, `ahn`[^ahn2023] | **10** (9.5 to 11) | 20.1 | 2 | like for like |" in text
    assert "*Like for like.* None." in text
    assert "differ by 2 × 10<sup>−7</sup> of their size" in text
    assert "`a/b` at `0123456789`, with torch 2.1." in text
    assert "| seed |" not in text


def test_losses_that_are_equal_are_said_to_be():
    assert beside.agree(0.0) == "are equal"


def test_what_is_not_like_for_like_says_so(known):
    assert "*Not like for like.*" in known({"papers": {"ahn": ONE | {"alike": "Not like for like"}}})


def test_seeds_that_do_not_arrive_have_no_ratio(known):
    text = known({"papers": {"ahn": ONE | REACHED}})
    assert "| 0 | 4 | 1,400, 12 s | 1,350, 3 s |" in text
    assert "| 1 |  | not in 40 s | 900, 2 s |" in text

"""Claims on other seeds: what is counted, what is kept, and what the page says of it."""

import pytest

from snippets.book.errors import BookError
from snippets.book.measure import trial
from snippets.book.pages import ledger


def claim(id: str, passed: list, kind: str = "measured", holds: bool = True) -> dict:
    return {"id": id, "kind": kind, "passed": passed, "holds": holds}


def test_pairs_are_counted_kept_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "KEPT", tmp_path / "fresh_seeds.json")
    assert "No other seeds" in ledger.fresh_seeds()
    tally = trial.Tally()
    tally.add("part/one", [claim("a", [True, True, False]), claim("b", [True, None, None])])
    tally.add("part/two", [claim("c", [True] * 3, kind="exact"), claim("d", [False] * 3, holds=False)])
    trial.keep(tally, ["part/two", "part/one"], "2000-2002")
    said = ledger.fresh_seeds()
    assert "Tried with 2 of the" in said and "(2 of them on 2000 to 2002): **3 of 7 claim-seed pairs held, 42.9" in said
    assert "Under their quorum there: `two:d`." in said


def test_trials_are_kept_beside_each_other_and_tried_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "KEPT", tmp_path / "fresh_seeds.json")
    trial.keep(trial.Tally(held=9, tried=10), ["part/one", "part/two"], "2000-2009")
    trial.keep(trial.Tally(held=1, tried=2), ["part/three"], "2000-2001")
    trial.keep(trial.Tally(held=2, tried=2), ["part/three"], "2000-2001")
    said = ledger.fresh_seeds()
    assert "(2 of them on 2000 to 2009; 1 of them on 2000 to 2001): **11 of 12 claim-seed pairs held" in said
    with pytest.raises(BookError, match="part/two is kept in one count with 1 others"):
        trial.keep(trial.Tally(), ["part/two"], "2000-2004")
    trial.keep(trial.Tally(held=5, tried=5), ["part/one", "part/two", "part/three"], "2000")
    assert "Tried with 3 of the" in ledger.fresh_seeds() and "**5 of 5 " in ledger.fresh_seeds()

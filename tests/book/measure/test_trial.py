"""Claims on other seeds: what is counted, what is kept, and what the page says of it."""

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
    assert "Tried with 2 of the" in said and "on seeds 2000 to 2002: **3 of 7 claim-seed pairs held, 42.9 %**" in said
    assert "Under their quorum there: `two:d`." in said

"""The authors' code beside ours: python -m snippets.benchmarks --authors FOLDER [PAPER ...]

FOLDER holds a checkout of each repository, named as on GitHub. The authors' side runs with the interpreter that
`--python` names, so their libraries need not be ours.
"""

import argparse
import datetime
import sys
from pathlib import Path

from snippets.benchmarks import checkout, race
from snippets.benchmarks.papers import PAPERS
from snippets.book.errors import BookError, UsageError
from snippets.book.measure import machine, store
from snippets.book.paths import RECORD

FILE = RECORD / "beside_authors.json"


def main(arguments: list[str] | None = None) -> int:
    """Run the races that were asked for; a problem is one line on standard error."""
    asked = parser().parse_args(arguments)
    try:
        for name in chosen(asked.papers):
            paper = PAPERS[name]
            modules = checkout.modules(paper, asked.authors)
            print(f"{name}: {paper.setting}", flush=True)
            found = race.run(paper, modules, asked.python, asked.rounds, asked.seeds)
            keep(name, found, asked.into)
            print(told(found), flush=True)
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m snippets.benchmarks", description="Time the authors' code beside ours."
    )
    made.add_argument("papers", nargs="*", help=f"of {', '.join(PAPERS)}; all of them if none is named")
    made.add_argument("--authors", type=Path, required=True, help="the folder with the authors' checkouts")
    made.add_argument("--python", default=sys.executable, help="the interpreter that has the authors' libraries")
    made.add_argument(
        "--rounds", type=int, default=race.ROUNDS, help="how often each side is timed, in turn; 0: keep the times"
    )
    made.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4], help="to take to the goal")
    made.add_argument("--into", type=Path, default=FILE, help="the file to write")
    return made


def chosen(names: list[str]) -> list[str]:
    for name in names:
        if name not in PAPERS:
            raise UsageError(f"there is no paper '{name}'; choose from {', '.join(PAPERS)}")
    return names or list(PAPERS)


def keep(name: str, found: dict, file: Path) -> None:
    """Write what was found beside what is known of the other papers."""
    known = (store.read_json(file) if file.exists() else None) or {}
    today = datetime.date.today().isoformat()
    about = {"cpu": machine.processor(), "threads": 1, "date": today, "our_commit": machine.commit()}
    before = known.get("papers", {})
    if "reached" in found:
        found["reached"] = merged(before.get(name, {}).get("reached", {}), found["reached"])
    races = before | {name: before.get(name, {}) | found | {"measured_on": about}}
    told = {paper: races[paper] | PAPERS[paper].described() for paper in PAPERS if paper in races}
    store.write_json(file, {"papers": told})


def merged(before: dict[str, list], now: dict[str, list]) -> dict[str, list]:
    """What each side took on each seed: seeds that were not asked for this time keep what is known of them."""
    known = {side: {one["seed"]: one for one in before.get(side, []) + reached} for side, reached in now.items()}
    return {side: [seeds[seed] for seed in sorted(seeds)] for side, seeds in known.items()}


def told(found: dict) -> str:
    """What was found, in a line."""
    if "ratio" not in found:
        return "  the times are as they were"
    ours, theirs, ratio = (found[key] for key in ("ours_ms", "theirs_ms", "ratio"))
    return (
        f"  theirs {theirs['median']:.2f} ms a step, ours {ours['median']:.2f}: "
        f"{ratio['median']:.2f} times as fast ({ratio['low']:.2f} to {ratio['high']:.2f})"
    )


if __name__ == "__main__":
    sys.exit(main())

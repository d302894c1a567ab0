"""The table of the authors' code beside ours, as `python -m snippets.benchmarks` kept it."""

from typing import Any

from snippets.book.measure import store
from snippets.book.pages import numbers, references
from snippets.book.paths import RECORD

FILE = RECORD / "beside_authors.json"


def table() -> str:
    """Times of a step, times to a goal, and what is and is not the same on the two sides."""
    found = store.read_json(FILE)
    if found is None:
        return "Not timed yet; `python -m snippets.benchmarks --authors FOLDER` does it."
    papers = found["papers"]
    rows = ["| code of | times as fast | theirs, ms | ours, ms | how alike |", "|---|--:|--:|--:|---|"]
    rows += [
        f"| {named(name, one)}[^{one['key']}] | {times(one)} | {one['alike'].lower()} |" for name, one in papers.items()
    ]
    arrivals = [
        line for name, one in papers.items() if one.get("reached", {}).get("ours") for line in arrival(name, one)
    ]
    notes = [note(name, one) for name, one in papers.items()]
    machines = sorted({f"{one['measured_on']['cpu']}, {one['measured_on']['date']}" for one in papers.values()})
    return "\n".join(
        [
            *rows,
            "",
            *arrivals,
            "What each row times, and what differs between the two sides:",
            "",
            *notes,
            "",
            f"Timed on: {'; '.join(machines)}.",
            "",
        ]
    )


def named(name: str, one: dict[str, Any]) -> str:
    """The paper, and what it is called on the command line."""
    return f"{references.short(one['key'])}, `{name}`"


def times(one: dict[str, Any]) -> str:
    theirs, ours = (numbers.shown(one[side]["median"], 3) for side in ("theirs_ms", "ours_ms"))
    median, low, high = (numbers.shown(one["ratio"][key], 2) for key in ("median", "low", "high"))
    return f"**{median}** ({low} to {high}) | {theirs} | {ours}"


def arrival(name: str, one: dict[str, Any]) -> list[str]:
    """A table of what both sides took to the goal, seed by seed."""
    head = [
        f"{named(name, one)}, to {one['goal']}: steps, and core-seconds of training. The ratio counts the steps too.",
        "",
        "| seed | times as fast | theirs | ours |",
        "|--:|--:|--:|--:|",
    ]
    pairs = zip(one["reached"]["theirs"], one["reached"]["ours"])
    return [*head, *(f"| {a['seed']} | {faster(a, b)} | {took(a)} | {took(b)} |" for a, b in pairs), ""]


def took(side: dict[str, Any]) -> str:
    seconds = numbers.shown(side["core_seconds"], 3)
    if side["steps"] is None:
        return f"not in {seconds} s"
    return f"{side['steps']:,}, {seconds} s"


def faster(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    if ours["steps"] is None or theirs["steps"] is None:
        return ""
    return numbers.shown(theirs["core_seconds"] / ours["core_seconds"], 2)


def note(name: str, one: dict[str, Any]) -> str:
    """Where the code is, its setting, and what is not like for like."""
    with_ = ", ".join(f"{package} {version}" for package, version in one["versions"]["theirs"].items())
    same = one.get("same_loss")
    apart = f" On shared weights and data the two losses {agree(same['apart'])}." if same else ""
    return (
        f"- `{name}`: {one['setting']}; {one['rounds']} rounds. *{one['alike']}.* {one['difference']}{apart} "
        f"Theirs: `{one['repository']}` at `{one['commit'][:10]}`, with {with_}."
    )


def agree(apart: float) -> str:
    return f"differ by {numbers.shown(apart, 1)} of their size" if apart else "are equal"

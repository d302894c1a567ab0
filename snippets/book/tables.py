"""Tables for the terminal."""

from typing import Any

from rich.table import Table

from snippets.book.measure import seeds


def experiments(rows: list[tuple[str, str, str, str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("experiment", "question", "claims hold", "core-seconds"):
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table


def claims(name: str, wanted: list[int], claims: list[dict[str, Any]]) -> Table:
    """Claim by claim: PASS or FAIL, on how many seeds, the measured median and range, the sentence."""
    table = Table(box=None, pad_edge=False, title=f"{name}, seeds {seeds.spell(wanted)}", title_justify="left")
    for column in ("", "claim", "seeds", "median (range)", "says"):
        table.add_column(column, overflow="fold")
    for claim in claims:
        failing = [str(s) for s, passed in zip(wanted, claim["passed"]) if passed is False]
        on = f"{claim['applies'] - len(failing)} of {claim['applies']}" + (
            f", not {','.join(failing)}" if failing else ""
        )
        word = "[green]PASS[/]" if claim["holds"] else "[bold red]FAIL[/]"
        shown = f"{short(claim['median'])} ({short(claim['low'])} to {short(claim['high'])}) {claim['unit']}"
        table.add_row(word, claim["id"], on, shown.strip(), claim["says"])
    return table


def short(value: float | str | None) -> str:
    return "no seed" if value is None else value if isinstance(value, str) else f"{value:.4g}"


def speeds(found: dict[str, Any]) -> Table:
    """Time of a step, arithmetic rate and share of the machine's peak, by experiment."""
    title = f"one thread of {found['machine']['cpu']}, peak {found['peak_gflops']:.0f} GFLOP/s"
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for column in ("experiment", "ms a step", "MFLOP a step", "GFLOP/s", "share of peak"):
        table.add_column(column, justify="left" if column == "experiment" else "right")
    for name, row in found["experiments"].items():
        values = (row["ms_per_step"], row["mflop_per_step"], row["gflops"], row["share_of_peak"])
        table.add_row(name, *("-" if value is None else f"{value:.3g}" for value in values))
    return table

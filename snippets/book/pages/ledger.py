"""The ledger of claims and the table of run times: the two pages that are made of all results."""

import html
from collections import Counter
from collections.abc import Callable
from typing import Any

from snippets.book.measure import catalogue, store, trial
from snippets.book.pages import navigation, numbers, pages, references
from snippets.book.pages.facts import Facts, NotMeasured
from snippets.book.paths import RECORD
from snippets.contract import INCONCLUSIVE, NOT_REPRODUCED

FILTER = '\n## All claims\n\n<div id="ledger-filter"></div>\n'  # which assets/ledger.js fills
Link = Callable[[str], str]  # from the page being made to a file under docs/, or to an address


def ledger(facts: Facts, source: Link, address: Link) -> str:
    """Every claim once: first a list of what did not come out, then all of them by chapter, folded."""
    known: list[tuple[str, dict[str, Any]]] = []
    chapters: dict[str, list[str]] = {}
    for name in by_chapter():
        page = chapter_of(name)
        title = f"[{page.title}]({source(page.file)})" if page else "Without a chapter"
        block = chapters.setdefault(title, [])
        block.append(f"<p><strong>{spoken(name)}.</strong> {html.escape(facts.experiment(name).question)}</p>\n")
        try:
            results = facts.results(name)
        except NotMeasured:
            block.append(pending(name, "not measured yet", tag="p"))
            continue
        known += [(name, claim) for claim in results["claims"]]
        block += [entry(name, claim, results, address) for claim in results["claims"]]
    folded = [chapter(title, "".join(block)) for title, block in chapters.items()]
    return counted([claim for _, claim in known]) + opening(known, address) + FILTER + "\n".join(folded)


def chapter(title: str, block: str) -> str:
    """The claims of a chapter, folded; its heading leads to it."""
    count = block.count("<details")
    summary = f"{count} claim{'s' if count != 1 else ''}"
    return f'\n## {title}\n\n<details class="ledger-chapter"><summary>{summary}</summary>\n{block}</details>\n'


def counted(claims: list[dict[str, Any]]) -> str:
    """How many claims there are of each kind. What is exact was computed, and replicates nothing."""
    measured = [claim for claim in claims if claim["kind"] == "measured"]
    verdicts = Counter(claim["verdict"] for claim in measured)
    listed = ", ".join(f"{count} *{verdict}*" for verdict, count in sorted(verdicts.items()))
    exact = len(claims) - len(measured)
    return f"**{len(measured)} measured claims**: {listed or 'none'}. **{exact} exact ones**, counted apart.\n"


def opening(known: list[tuple[str, dict[str, Any]]], address: Link) -> str:
    """The claims where a paper's finding did not show, and those where the run cannot say."""
    blocks = []
    for verdict, title in ((NOT_REPRODUCED, "Not reproduced"), (INCONCLUSIVE, "Inconclusive")):
        here = [(name, claim) for name, claim in known if claim["kind"] == "measured" and claim["verdict"] == verdict]
        blocks.append(f"\n## {title}\n")
        for name, claim in here:
            says = html.escape(claim["says"])
            blocks.append(f'- <a href="#{anchor(name, claim["id"])}">{says}</a> Reported: {reported(claim, address)}.')
        if not here:
            blocks.append("None at present.")
    return "\n".join(blocks) + "\n"


def reported(claim: dict[str, Any], address: Link) -> str:
    """What a paper says of it, as HTML."""
    if not claim["reported"]:
        return "by no paper we know"
    key = claim["reported"]["key"]
    link = f'<a href="{address("references/")}#{key}">{html.escape(references.short(key))}</a>'
    return f"{link}, {html.escape(claim['reported']['where'])}: {html.escape(claim['reported']['what'])}"


def entry(name: str, claim: dict[str, Any], results: dict[str, Any], address: Link) -> str:
    """One claim in the ledger, folded. It keeps its address: #experiment-claim."""
    values = ", ".join(
        "does not apply" if value is None else numbers.shown(value, claim["digits"]) for value in claim["values"]
    )
    unit = f" {html.escape(claim['unit'])}" if claim["unit"] else ""
    rows = {
        "verdict": f'<span class="verdict">{claim["verdict"]}</span>',
        "asked": f"{html.escape(claim['predicate'])}{unit}",
        "measured": numbers.spread(claim),
        "seeds": f"{holding(claim, results['seeds'])}: {values}",
        "reported": reported(claim, address),
        "cost": f"{sum(results['provenance']['core_seconds']):.0f} core-seconds with its whole experiment",
    }
    listed = "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in rows.items())
    state = "" if claim["holds"] else " fails"
    paper = html.escape(references.short(claim["reported"]["key"])) if claim["reported"] else ""
    return (
        f'<details class="ledger-claim{state}" id="{anchor(name, claim["id"])}" data-verdict="{claim["verdict"]}" '
        f'data-paper="{paper}"><summary>{html.escape(claim["says"])} '
        f'<span class="ledger-mark">{numbers.mark(claim)}</span></summary><dl>{listed}</dl></details>\n'
    )


def holding(claim: dict[str, Any], seeds: list[int]) -> str:
    """On which seeds it holds, in words."""
    on, of = numbers.held(claim)
    failing = [str(seed) for seed, passed in zip(seeds, claim["passed"], strict=True) if passed is False]
    without = f", not on {', '.join(failing)}" if failing else ""
    if claim["kind"] == "exact":
        return f"exact, computed on {of}{without}"
    applying = "" if of == len(seeds) else f" to which it applies, of {len(seeds)}"
    return f"holds on {on} of {of}{applying}{without}, needs {claim['needed']}"


def run_times(facts: Facts) -> str:
    """A table of what each experiment costs, and the machines that it was measured on."""
    rows = ["| experiment | core-seconds | each seed | peak memory | measured |", "|---|--:|--:|--:|---|"]
    total, machines = 0.0, set()
    for name in by_chapter():
        short = name.split("/")[1]
        try:
            made = facts.results(name)["provenance"]
        except NotMeasured:
            rows.append(f"| `{short}` | {pending(name, 'not measured yet')} | | | |")
            continue
        seconds = made["core_seconds"]
        total += sum(seconds)
        machines.add(f"{made['cpu'].strip()}, Python {made['python']}, torch {made['torch']}")
        each = f"{min(seconds):.1f} to {max(seconds):.1f}"
        rows.append(
            f"| `{short}` | {sum(seconds):.1f} | {each} | {made['peak_memory_mb']} MB | {made['made_at'][:10]} |"
        )
    table = "\n".join(rows) + f"\n| **the whole book** | **{total:.0f}** | | | |\n"
    return f"{table}\nMeasured on: {'; '.join(sorted(machines)) or 'nothing yet'}.\n"


def speeds() -> str:
    """What `bench` wrote: the time of a step, its arithmetic, and the share of what one core can do."""
    found = store.read_json(RECORD / "bench.json")
    if found is None:
        return "Not timed yet; `python -m snippets bench` does it."
    rows = ["| experiment | ms a step | MFLOP a step | GFLOP/s | of the peak |", "|---|--:|--:|--:|--:|"]
    for name in filter(found["experiments"].__contains__, by_chapter()):
        row = found["experiments"][name]
        cells = [measure(row[key]) for key in ("ms_per_step", "mflop_per_step", "gflops")]
        share = "" if row["share_of_peak"] is None else f"{100 * row['share_of_peak']:.1f} %"
        rows.append(f"| `{name.split('/')[1]}` | {' | '.join(cells)} | {share} |")
    return (
        "\n".join(rows)
        + f"\n\nThe peak is {found['peak_gflops']:.0f} GFLOP/s: {found['machine']['cpu']}, one thread.\n"
    )


def fresh_seeds() -> str:
    """On how many claim-seed pairs the claims held on other seeds than those that the book reports."""
    kept = store.read_json(trial.KEPT)
    if kept is None:
        return "No other seeds have been recorded yet; `python -m snippets verify --seeds 2000-2009 --keep` tries ten."
    trials = kept["trials"]
    on: Counter[str] = Counter()
    for one in trials:
        on[one["seeds"]] += len(one["experiments"])
    tried = "; ".join(f"{count} of them on {seeds.replace('-', ' to ')}" for seeds, count in on.most_common())
    held, pairs = (sum(one[key] for one in trials) for key in ("held", "pairs"))
    under = ", ".join(f"`{name}`" for one in trials for name in one["under_quorum"])
    return (
        f"Tried with {sum(len(one['experiments']) for one in trials)} of the {len(catalogue.discover())} experiments "
        f"({tried}): **{held:,} of {pairs:,} claim-seed pairs held, {100 * held / pairs:.1f} %**. "
        + (f"Under their quorum there: {under}." if under else "No claim fell under its quorum there.")
    )


def measure(value: float | None) -> str:
    return "" if value is None else numbers.shown(value, 3)


def chapter_of(experiment: str) -> pages.Page | None:
    """The chapter that an experiment belongs to, or the first page of a part."""
    return next((page for page in pages.read_all() if experiment in (page.meta.get("experiments") or [])), None)


def by_chapter() -> list[str]:
    """All experiments, in the order of the navigation; those without a page last."""
    order = {file: place for place, file in enumerate(navigation.files())}

    def place(experiment: str) -> tuple[int, str]:
        page = chapter_of(experiment)
        return (order.get(page.file, len(order)) if page else len(order), experiment)

    return sorted(catalogue.discover(), key=place)


def spoken(experiment: str) -> str:
    """The name of an experiment as a heading: 'Loss by position'."""
    return experiment.split("/")[1].replace("_", " ").capitalize()


def anchor(experiment: str, name: str) -> str:
    return f"{experiment.split('/')[1]}-{name}".replace("_", "-")


def pending(experiment: str, text: str, tag: str = "span") -> str:
    """What a draft shows for a result that is still being made; the page's script fills in its progress."""
    return f'<{tag} class="pending" data-experiment="{experiment}">{text}</{tag}>'

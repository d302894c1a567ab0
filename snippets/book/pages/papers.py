"""Two pages made of claims: what each paper reports beside what we measured, and what people say with a verdict."""

import html
from typing import Any

from snippets.book.errors import BookError
from snippets.book.pages import ledger, numbers, pages, references
from snippets.book.pages.facts import Facts, NotMeasured
from snippets.contract import INCONCLUSIVE, NOT_REPRODUCED

HOLDS, CONDITION, WRONG, UNTESTED = "holds here", "holds with a condition", "wrong as stated", "untested"
SAID = {HOLDS: "good", CONDITION: "open", WRONG: "bad", UNTESTED: "open"}  # verdict -> how its tag looks


def papers(facts: Facts, source: ledger.Link, address: ledger.Link) -> str:
    """Every paper that reports something we measured: what it reports, ours, the verdict, the chapter."""
    found: dict[str, list[str]] = {}
    for name in ledger.by_chapter():
        try:
            claims = facts.results(name)["claims"]
        except NotMeasured:
            continue
        page = ledger.chapter_of(name)
        where = f" [Chapter {page.number}]({source(page.file)})" if page and page.number else ""
        for claim in claims:
            if claim["reported"]:
                link = f"{address('ledger/')}#{ledger.anchor(name, claim['id'])}"
                found.setdefault(claim["reported"]["key"], []).append(beside(claim, link, where))
    blocks = []
    for key in sorted(found, key=lambda key: (references.author_year(key).split()[-1], key)):
        blocks.append(f"\n## {references.short(key)}\n\n{references.entries()[key]}\n\n" + "\n".join(found[key]))
    return "\n".join(blocks)


def beside(claim: dict[str, Any], link: str, where: str) -> str:
    """What a paper reports of one thing, what we measured, a link to its claim and one to its chapter."""
    reported = claim["reported"]
    kind = "bad" if claim["verdict"] == NOT_REPRODUCED else "open" if claim["verdict"] == INCONCLUSIVE else "good"
    return (
        f'<div class="beside" markdown>\n\n{tag(claim["verdict"], kind)} {html.escape(claim["says"])}\n\n'
        f"**Reported**, {html.escape(reported['where'])}: {html.escape(reported['what'])}.\n\n"
        f'**Measured** <a class="claim" href="{link}">{numbers.spread(claim)}</a> '
        f"(asked: {html.escape(claim['predicate'])}).{where}\n\n</div>\n"
    )


def tag(verdict: str, kind: str) -> str:
    return f'<span class="verdict-tag {kind}">{verdict}</span>'


def saying(words: str, verdict: str, why: str, marks: list[str]) -> str:
    """One statement with its verdict. Raises BookError where it has none of ours, or a verdict without evidence."""
    if verdict not in SAID:
        raise BookError(f"'{verdict}' is no verdict; there are {', '.join(SAID)}")
    if (verdict == UNTESTED) == bool(marks):
        needs = "rests on no claim" if marks else "names the claims behind it: because=[('jump', 'sharp')]"
        raise BookError(f"a statement that is {verdict} {needs}")
    evidence = f" {' '.join(marks)}" if marks else ""
    return (
        f'<div class="beside" markdown>\n\n“{words}”\n{{ .says }}\n\n'
        f"{tag(verdict, SAID[verdict])} {why}{evidence}\n\n</div>\n"
    )


def count(verdict: str) -> int:
    """How many statements of the book have this verdict; "all" counts every one."""
    calls = [call for page in pages.read_all() for call in page.calls if call.name == "saying"]
    return len([call for call in calls if verdict in ("all", call.arguments[1])])

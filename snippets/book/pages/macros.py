"""The macros of the pages: claims, numbers, figures, and the pages made of them. They read results and make nothing.

mkdocs-macros calls `define_env`. In a draft (BOOK_DRAFT=1) what is not measured yet says so; elsewhere it is an error.
"""

import html
import os
import posixpath
from collections import Counter
from typing import Any

from snippets.book.errors import BookError
from snippets.book.figures import drawing
from snippets.book.measure import catalogue, pipeline
from snippets.book.measure.seeds import DEFAULT_SEEDS, spell
from snippets.book.pages import book_map, glossary, labs, pages, references
from snippets.book.paths import SHOWN_PRESET

PARTS = {
    "mechanisms": "Mechanisms",
    "algorithms": "Algorithms in context",
    "induction-heads": "Induction heads",
    "abrupt-learning": "Abrupt learning",
    "meta-learning": "Meta-learning",
}


class NotMeasured(BookError):
    """A result that is missing or stale: in a draft the page says so."""


def define_env(env: Any) -> None:
    """Give the pages their macros."""
    book = Book(env, draft=os.environ.get("BOOK_DRAFT") == "1")
    for name in pages.MACROS:
        env.macro(getattr(book, name), name)


def on_post_page_macros(env: Any) -> None:
    """Anchor the terms that the page defines and append the works that it cites. Called after the macros of a page."""
    env.markdown = glossary.with_anchors(env.markdown) + references.footnotes(env.markdown)


class Book:
    """The macros, for one build of the site."""

    def __init__(self, env: Any, draft: bool) -> None:
        self.env, self.draft = env, draft
        self.figure_count: Counter[str] = Counter()
        self.known_results: dict[str, dict[str, Any] | None] = {}  # read once a build, not once a claim
        self.known_figures: dict[str, dict[str, dict[str, str]] | None] = {}

    # what pages call

    def claim(self, experiment: str, id: str, show: str = "value") -> str:
        """The measured value of a claim and its mark; show="mark" prints the mark alone."""
        name = catalogue.resolve(experiment)
        try:
            found = self.find_claim(name, id)
        except NotMeasured:
            return pending(name, "not measured yet", self.draft)
        held = f"{sum(p is True for p in found['passed'])}/{found['applies']}"
        title = f"{found['says']} Holds on {held.replace('/', ' of ')} seeds; {found['verdict']}."
        link = f"{self.to('ledger/')}#{anchor(name, id)}"
        mark = f'<a class="claim-mark" href="{link}" title="{html.escape(title)}">✓ {held}</a>'
        return mark if show == "mark" else f'<span class="claim">{spread(found)}</span> {mark}'

    def measured(self, experiment: str, name: str, digits: int = 3, seed: int | None = None) -> str:
        """A number that the experiment measured: its median over the seeds, or what one seed has."""
        experiment = catalogue.resolve(experiment)
        try:
            results = self.results(experiment)
            found = results["numbers"][name]
            return shown(found["median"] if seed is None else found["values"][results["seeds"].index(seed)], digits)
        except NotMeasured:
            return pending(experiment, "not measured yet", self.draft)

    def setting(self, experiment: str, name: str) -> str:
        """A field of the laptop preset; a dot reaches into a cell, or a field that is itself a configuration."""
        value = catalogue.load(experiment).setting(SHOWN_PRESET, name)
        return f"{value:,}" if isinstance(value, int) else str(value)

    def figure(self, experiment: str, name: str, alt: str, caption: str) -> str:
        """A figure in both themes with its caption, its alt text and how it was made."""
        experiment = catalogue.resolve(experiment)
        number = self.next_figure_number()
        label = f"**Figure {number}.** " if number else ""
        caption = f"<figcaption markdown>{label}{pages.flat(caption)}</figcaption>"
        try:
            files, results = self.files(experiment, name), self.results(experiment)
        except NotMeasured:
            body = pending(experiment, "not drawn yet", self.draft, tag="div")
            return f'<figure markdown class="book-figure">\n{body}\n{caption}\n</figure>'
        folder = self.source_path(f"figures/{experiment}")
        text = pages.flat(alt).replace("]", "\\]").replace("[", "\\[")
        images = " ".join(f"![{text}]({folder}/{file}#only-{theme}){{ loading=lazy }}" for theme, file in files.items())
        return (
            f'<figure markdown class="book-figure" id="{anchor(experiment, name)}">\n{images}\n'
            f"{caption}\n{self.provenance(experiment, name, results)}\n</figure>"
        )

    def run_it(self, experiment: str) -> str:
        """The run-it-yourself box with its measured cost."""
        name = catalogue.resolve(experiment)
        try:
            made = self.results(name)["provenance"]
            cost = (
                f"It took {sum(made['core_seconds']):.0f} core-seconds for {len(DEFAULT_SEEDS)} seeds "
                f"and {made['peak_memory_mb']} MB at most, on {made['cpu'].strip()}. No GPU."
            )
        except NotMeasured:
            cost = pending(name, "not measured yet", self.draft)
        return (
            f'!!! example "Run it yourself: `{name}`"\n\n'
            f"    ```sh\n    .venv/bin/python -m snippets run {name}\n"
            f"    .venv/bin/python -m snippets verify {name} --seeds 100-104\n    ```\n\n"
            "    The first line makes the numbers and figures of this page; what is there already is kept. "
            f"The second checks the claims on seeds of your choice. {cost}\n"
        )

    def lab(self, name: str) -> str:
        """The links to a lab's page and to its two notebooks."""
        if not labs.is_fresh(name):
            if not self.draft:
                raise BookError(f"lab {name} is not made, or has changed since; run `make book`")
            return pending(f"labs/{name}", "not made yet", self.draft)
        folder = self.source_path(f"labs/{name}")
        exercise, solution = f"{name}.ipynb", f"{name}-solution.ipynb"
        return (
            f'[exercise]({folder}/{exercise}){{ download="{exercise}" }}, '
            f'[solution]({folder}/{solution}){{ download="{solution}" }}, [solution as a page]({folder}/index.md)'
        )

    def ledger(self) -> str:
        """Every claim of the book, with what was reported and what was measured, in the order of the chapters."""
        blocks, verdicts = [], Counter[str]()
        for name in by_chapter():
            blocks.append(f"\n## {chapter_title(name)}\n\n{self.about(name)}\n")
            try:
                results = self.results(name)
            except NotMeasured:
                blocks.append(pending(name, "not measured yet", self.draft))
                continue
            verdicts.update(claim["verdict"] for claim in results["claims"])
            blocks += [self.ledger_entry(name, claim, results) for claim in results["claims"]]
        counted = ", ".join(f"{count} *{verdict}*" for verdict, count in sorted(verdicts.items()))
        return f"**{sum(verdicts.values())} claims**: {counted}.\n" + "\n".join(blocks)

    def run_times(self) -> str:
        """A table of what each experiment costs, and the machines that it was measured on."""
        rows = ["| experiment | core-seconds | each seed | peak memory | measured |", "|---|--:|--:|--:|---|"]
        total, machines = 0.0, set()
        for name in by_chapter():
            short = name.split("/")[1]
            try:
                made = self.results(name)["provenance"]
            except NotMeasured:
                rows.append(f"| `{short}` | {pending(name, 'not measured yet', self.draft)} | | | |")
                continue
            seconds = made["core_seconds"]
            total += sum(seconds)
            machines.add(f"{made['cpu'].strip()}, Python {made['python']}, torch {made['torch']}")
            each = f"{min(seconds):.1f} to {max(seconds):.1f}"
            date = made["made_at"][:10]
            rows.append(f"| `{short}` | {sum(seconds):.1f} | {each} | {made['peak_memory_mb']} MB | {date} |")
        table = "\n".join(rows) + f"\n| **the whole book** | **{total:.0f}** | | | |\n"
        return f"{table}\nMeasured on: {'; '.join(sorted(machines)) or 'nothing yet'}.\n"

    def bibliography(self) -> str:
        """Every entry of references.bib."""
        return "\n".join(f'- <span id="{key}"></span>{text}' for key, text in sorted(references.entries().items()))

    def chapter(self, key: str, anchor: str = "", start: bool = False) -> str:
        """A link to a chapter by its key, the last part of its address; its number is filled in."""
        for file, number in pages.chapter_numbers().items():
            if posixpath.basename(file).removesuffix(".md") == key:
                word = "Chapter" if start else "chapter"
                return f"[{word} {number}]({self.source_path(file)}{f'#{anchor}' if anchor else ''})"
        raise BookError(f"no chapter '{key}' in the navigation; mkdocs.yml names them")

    def chapters(self) -> str:
        """The chapters that exist, by part, with their questions."""
        found = pages.chapters()
        blocks = []
        for part, title in PARTS.items():
            here = [p for p in found if p.meta["part"] == part]
            if here:
                about = next((p for p in pages.read_all() if p.name == f"docs/{part}/index.md"), None)
                blocks.append(f"**[{title}]({self.source_path(f'{part}/index.md')})**\n" if about else f"**{title}**\n")
                for page in here:
                    link = self.source_path(page.name.removeprefix("docs/"))
                    blocks.append(f"- [{page.meta['number']}. {page.meta['title']}]({link}): {page.meta['question']}")
                blocks.append("")
        return "\n".join(blocks)

    def book_map(self) -> str:
        """The diagram of the chapters that exist: mechanism, evidence, and which needs which."""
        nodes = [(p.meta["part"], book_map.Node(p.key, p.meta, self.to(f"{p.key}/"))) for p in pages.chapters()]
        parts = {part: [node for of, node in nodes if of == part] for part in PARTS}
        return book_map.drawing({part: here for part, here in parts.items() if here}, PARTS.__getitem__)

    def glossary(self) -> str:
        """Every term of the book with its definition, and the way to where it stands."""
        titles = {page.name.removeprefix("docs/"): page.meta for page in pages.read_all()}
        entries = []
        for term in glossary.read_terms():
            meta = titles[term.page]
            name = f"Chapter {meta['number']}, {meta['title']}" if "number" in meta else meta["title"]
            entries.append(glossary.entry(term, f"[{name}]({self.source_path(term.page)}#{term.anchor})"))
        return "\n".join(entries)

    def counts(self, what: str) -> str:
        """How many claims, experiments, chapters or terms the book has, counted now."""
        experiments = [catalogue.load(name) for name in catalogue.discover()]
        found = {
            "claims": sum(len(e.claims) for e in experiments),
            "experiments": len(experiments),
            "chapters": len(pages.chapters()),
            "terms": len(glossary.read_terms()),
        }
        return str(found[what])

    # where things are

    def results(self, experiment: str) -> dict[str, Any]:
        """Fresh results. Raises NotMeasured where there are none."""
        try:
            if experiment not in self.known_results:
                self.known_results[experiment] = pipeline.read_results(experiment, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            raise self.missing(str(error)) from error
        results = self.known_results[experiment]
        if results is None:
            raise self.missing(f"{experiment} has no results; run `make book`")
        return results

    def missing(self, why: str) -> BookError:
        return NotMeasured(why) if self.draft else BookError(why)

    def find_claim(self, experiment: str, id: str) -> dict[str, Any]:
        """A claim that holds. Raises BookError where it fails or is not made."""
        for claim in self.results(experiment)["claims"]:
            if claim["id"] == id:
                if not claim["holds"] and not self.draft:
                    raise BookError(f"claim '{id}' of {experiment} fails; it says: {claim['says']}")
                return claim
        raise BookError(f"{experiment} makes no claim '{id}'")

    def files(self, experiment: str, name: str) -> dict[str, str]:
        """The image file of each theme."""
        try:
            if experiment not in self.known_figures:
                self.known_figures[experiment] = drawing.read_figures(experiment, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            raise self.missing(str(error)) from error
        drawn = self.known_figures[experiment]
        if drawn is None:
            raise self.missing(f"{experiment} has no figures; run `make book`")
        if name not in drawn:
            raise BookError(f"figure '{name}' of {experiment} is named on a page but draw returns {', '.join(drawn)}")
        return {theme: next(f for f in drawn[name] if f".{theme}." in f) for theme in ("light", "dark")}

    def source_path(self, target: str) -> str:
        """A link from the page being rendered to a file in docs/, as Markdown wants it: from source to source."""
        return posixpath.relpath(target, posixpath.dirname(self.env.page.file.src_uri) or ".")

    def to(self, url: str) -> str:
        """A link from the page being rendered to a page of the site, as HTML wants it: from address to address."""
        return posixpath.relpath(url, self.env.page.url or ".") + "/"

    def next_figure_number(self) -> str:
        """Such as 19.2; empty on pages that are no chapter."""
        page = self.env.page
        self.figure_count[page.file.src_uri] += 1
        number = pages.chapter_numbers().get(page.file.src_uri)
        return f"{number}.{self.figure_count[page.file.src_uri]}" if number else ""

    def about(self, experiment: str) -> str:
        """The experiment's question, its file, and a link to its chapter."""
        text = f"{catalogue.load(experiment).question} `snippets/{experiment}.py`"
        if page := chapter_of(experiment):
            link = self.source_path(page.name.removeprefix("docs/"))
            name = f"chapter {page.meta['number']}" if "number" in page.meta else page.meta["title"]
            text += f", [{name}]({link})"
        return text + "."

    def provenance(self, experiment: str, name: str, results: dict[str, Any]) -> str:
        """What stands under a figure: command, cost, seeds, source hash, data."""
        made = results["provenance"]
        data = f"{self.to('figures/')}{experiment}/{name}.json"
        return (
            f'<details class="provenance"><summary>How this was made</summary>'
            f"<code>{html.escape(made['command'])}</code>: {sum(made['core_seconds']):.0f} core-seconds, seeds "
            f"{spell(results['seeds'])}, source {results['fingerprint']}, commit {made['commit']}, "
            f"torch {made['torch']}. "
            f'<a href="{data}" download>The plotted data</a>.</details>'
        )

    def ledger_entry(self, name: str, claim: dict[str, Any], results: dict[str, Any]) -> str:
        """One claim in the ledger. It keeps its address: #experiment-claim."""
        reported = "no paper reports it"
        if claim["reported"]:
            key = claim["reported"]["key"]
            link = f'<a href="{self.to("references/")}#{key}">{html.escape(references.short(key))}</a>'
            reported = f"{link}, {html.escape(claim['reported']['where'])}: {html.escape(claim['reported']['what'])}"
        failing = [str(seed) for seed, passed in zip(results["seeds"], claim["passed"]) if passed is False]
        on = f"{sum(p is True for p in claim['passed'])} of {claim['applies']}" + (
            f", not on {', '.join(failing)}" if failing else ""
        )
        values = ", ".join(shown(v, claim["digits"]) if v is not None else "does not apply" for v in claim["values"])
        rows = {
            "verdict": f'<span class="verdict">{claim["verdict"]}</span>',
            "measured": spread(claim),
            "seeds": f"holds on {on}: {values}",
            "reported": reported,
            "cost": f"{sum(results['provenance']['core_seconds']):.0f} core-seconds with its whole experiment",
        }
        listed = "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in rows.items())
        state = "" if claim["holds"] else " fails"
        return (
            f'<div class="ledger-claim{state}" id="{anchor(name, claim["id"])}">'
            f"<p>{html.escape(claim['says'])}</p><dl>{listed}</dl></div>\n"
        )


def chapter_of(experiment: str) -> pages.Page | None:
    """The chapter that an experiment belongs to, or the first page of a part."""
    return next((page for page in pages.read_all() if experiment in page.meta.get("experiments", [])), None)


def chapter_title(experiment: str) -> str:
    """Such as '20. Why it must be abrupt: cliff_in_network'."""
    page, short = chapter_of(experiment), experiment.split("/")[1]
    if page is None:
        return short
    number = f"{page.meta['number']}. " if "number" in page.meta else ""
    return f"{number}{page.meta['title']}: {short}"


def by_chapter() -> list[str]:
    """All experiments, in the order of their chapters; those of a part's first page before its chapters."""
    numbered = [page.meta for page in pages.chapters()]

    def place(experiment: str) -> tuple[float, str]:
        page = chapter_of(experiment)
        if page is None:
            return (1000, experiment)
        first = min((meta["number"] for meta in numbered if meta["part"] == page.meta["part"]), default=1000)
        return (page.meta.get("number", first - 0.5), experiment)

    return sorted(catalogue.discover(), key=place)


def anchor(experiment: str, name: str) -> str:
    return f"{experiment.split('/')[1]}-{name}".replace("_", "-")


def pending(experiment: str, text: str, draft: bool, tag: str = "span") -> str:
    """What a draft shows for a result that is still being made; the page's script fills in its progress."""
    assert draft, "only a draft may lack a result"
    return f'<{tag} class="pending" data-experiment="{experiment}">{text}</{tag}>'


def shown(value: float | str, digits: int) -> str:
    """A number to that many significant digits, without exponent where it can be read without."""
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}".replace("-", "−")
    if 1e-3 <= abs(value) < 1e7:
        rounded = float(f"{value:.{digits}g}")
        decimals = max(0, digits - len(f"{abs(int(rounded))}")) if abs(rounded) >= 1 else None
        text = f"{rounded:,.{decimals}f}" if decimals is not None else f"{rounded:.{digits}g}"
        return text.replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa} × 10<sup>{int(exponent)}</sup>".replace("-", "−")


def spread(claim: dict[str, Any]) -> str:
    """Median and range over the seeds, with the unit."""
    median, low, high = (shown(claim[key], claim["digits"]) for key in ("median", "low", "high"))
    unit = f" {claim['unit']}" if claim["unit"] else ""
    return f"{median}{unit}" if low == high else f"{median}{unit} ({low} to {high})"

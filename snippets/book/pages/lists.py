"""The macros of the pages that are made of the others: ledger, map, glossary, lists of chapters and works."""

import posixpath

from snippets.book.errors import BookError
from snippets.book.measure import catalogue
from snippets.book.pages import beside, book_map, glossary, ledger, navigation, pages, papers, references
from snippets.book.pages.facts import Facts


class Lists:
    """What one page may write between {{{ and }}} to show a list: each public method is a macro."""

    def __init__(self, file: str, facts: Facts) -> None:
        self._file = file  # the page's path under docs/
        self._facts = facts

    def ledger(self) -> str:
        """Every claim of the book, with what was reported and what was measured, in the order of the chapters."""
        return ledger.ledger(self._facts, self._source, self._address)

    def papers(self) -> str:
        """Every paper that reports something we measured, with what it reports and what we found."""
        return papers.papers(self._facts, self._source, self._address)

    def run_times(self) -> str:
        """A table of what each experiment costs, and the machines that it was measured on."""
        return ledger.run_times(self._facts)

    def speeds(self) -> str:
        """A table of how fast each experiment trains, as `bench` wrote it."""
        return ledger.speeds()

    def beside_authors(self) -> str:
        """The authors' own code beside ours: times of a step, times to a goal, and what is not like for like."""
        return beside.table()

    def fresh_seeds(self) -> str:
        """On how many claim-seed pairs the claims held on other seeds than those that the book reports."""
        return ledger.fresh_seeds()

    def bibliography(self) -> str:
        """Every entry of references.bib."""
        return "\n".join(
            f'- <span id="{key}"></span>{text}{f" Called {references.short(key)}." if references.letter(key) else ""}'
            for key, text in sorted(references.entries().items())
        )

    def chapters(self) -> str:
        """The chapters that exist, by part, with their questions."""
        blocks = []
        for part, title in navigation.parts().items():
            here = [page for page in pages.chapters() if page.file.startswith(f"{part}/")]
            first = f"{part}/index.md"
            blocks.append(
                f"**[{title}]({self._source(first)})**\n" if first in navigation.files() else f"**{title}**\n"
            )
            blocks += [f"- [{page.title}]({self._source(page.file)}): {page.meta['question']}" for page in here]
            blocks.append("")
        return "\n".join(blocks)

    def book_map(self) -> str:
        """The diagram of the chapters that exist: mechanism, evidence, and which needs which."""
        parts: dict[str, list[book_map.Node]] = {part: [] for part in navigation.parts()}
        for page in pages.chapters():
            node = book_map.Node(page.key, page.meta | {"number": page.number}, self._address(page.url))
            parts[page.file.partition("/")[0]].append(node)
        return book_map.drawing({part: nodes for part, nodes in parts.items() if nodes}, navigation.parts().__getitem__)

    def glossary(self) -> str:
        """Every term of the book with its definition, and the way to where it stands."""
        titles = {page.file: page for page in pages.read_all()}
        entries = []
        for term in glossary.read_terms():
            page = titles[term.page]
            name = f"Chapter {page.number}, {page.meta['title']}" if page.number else page.title
            entries.append(glossary.entry(term, f"[{name}]({self._source(term.page)}#{term.anchor})"))
        return "\n".join(entries)

    def counts(self, what: str) -> str:
        """How many claims, experiments, chapters, chapters on the core path or terms the book has, counted now."""
        experiments = [self._facts.experiment(name) for name in catalogue.discover()]
        found = {
            "claims": sum(len(e.claims) for e in experiments),
            "experiments": len(experiments),
            "chapters": len(pages.chapters()),
            "core": sum(page.meta.get("core") is True for page in pages.chapters()),
            "terms": len(glossary.read_terms()),
            "sayings": papers.count("all"),
        } | {verdict: papers.count(verdict) for verdict in papers.SAID}
        if what not in found:
            raise BookError(f"nobody counts '{what}'; there are {', '.join(found)}")
        return str(found[what])

    # how they find things

    def _source(self, target: str) -> str:
        """A link from the page to a file in docs/, as Markdown wants it: from source to source."""
        return posixpath.relpath(target, posixpath.dirname(self._file) or ".")

    def _address(self, url: str) -> str:
        """A link from the page to another address of the site, as HTML wants it: from address to address."""
        return posixpath.relpath(url, pages.address(self._file) or ".") + "/"

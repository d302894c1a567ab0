"""The macros of the pages: claims, numbers, figures, and the lists made of them. They read results and make nothing."""

import html
import re
from contextlib import suppress
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.pages import lab_runs, navigation, numbers, pages, papers, said, shown
from snippets.book.pages.facts import Facts, NotMeasured
from snippets.book.pages.ledger import anchor, pending
from snippets.book.pages.lists import Lists
from snippets.book.paths import DOCS, SHOWN_PRESET

SLOT = re.compile(r"\[\[([^\[\]]*)\]\]")  # in alt texts and captions: [[jump:sharp]], [[chapter:jump]]


class Macros(Lists):
    """What one page may write between {{{ and }}}: each public method is a macro."""

    def __init__(self, file: str, facts: Facts) -> None:
        super().__init__(file, facts)
        self._figures: dict[str, Path] = {}  # where in the site each image or script goes -> the file itself
        self._made: dict[str, bytes] = {}  # where in the site data go -> the data
        self._count = 0  # figures so far

    # a chapter's own

    def claim(self, experiment: str, id: str, show: str = "value", noun: str = "") -> str:
        """The measured value of a claim, as `show` says it (value, range, about, percent, share, times, seeds), and
        what was asked of it on hover; show="mark" prints the mark alone.
        """
        name = self._facts.resolve(experiment)
        try:
            found, seeds = self._facts.claim(name, id), self._facts.results(name)["seeds"]
        except NotMeasured:
            return pending(name, "not measured yet")
        link = f"{self._address('ledger/')}#{anchor(name, id)}"
        title = html.escape(numbers.judged(found))
        mark = f'<span class="claim-mark">{numbers.mark(found, short=show != "mark")}</span>'
        words = ""
        if show != "mark":  # the mark stays on the line of its number, and so does %
            words = said.say(found, seeds, show, noun).replace(" %", "\u00a0%") + "\u2060"
        return f'<a class="claim" href="{link}" title="{title}">{words}{mark}</a>'

    def measured(self, experiment: str, name: str, digits: int = 3, seed: int | None = None) -> str:
        """A number that the experiment measured: its median over the seeds, or what one seed has."""
        experiment = self._facts.resolve(experiment)
        try:
            found, seeds = self._facts.results(experiment)["numbers"], self._facts.results(experiment)["seeds"]
        except NotMeasured:
            return pending(experiment, "not measured yet")
        if name not in found:
            raise BookError(f"{experiment} does not measure '{name}'; it has {', '.join(found) or 'none'}")
        value = found[name]["median"] if seed is None else found[name]["values"][seeds.index(seed)]
        return numbers.shown(value, digits)

    def setting(self, experiment: str, name: str) -> str:
        """A field of the laptop preset; a dot reaches into a cell, or a field that is itself a configuration."""
        try:
            value = self._facts.experiment(experiment).setting(SHOWN_PRESET, name)
        except (KeyError, AttributeError):
            raise BookError(f"the laptop preset of {experiment} has no '{name}'") from None
        return f"{value:,}" if isinstance(value, int) else str(value)

    def figure(self, experiment: str, name: str, alt: str, caption: str) -> str:
        """A figure in both themes with its caption, its alt text and how it was made."""
        experiment = self._facts.resolve(experiment)
        label = f"**Figure {number}.** " if (number := self._figure_number()) else ""
        below = f"<figcaption markdown>{label}{self._filled(pages.flat(caption), links=True)}</figcaption>"
        try:
            images, (width, height) = self._facts.images(experiment, name)
            results = self._facts.results(experiment)
        except NotMeasured:
            body = pending(experiment, "not drawn yet", tag="div")
            return f'<figure markdown class="book-figure">\n{body}\n{below}\n</figure>'
        text = self._filled(pages.flat(alt)).replace("]", "\\]").replace("[", "\\[")
        pictures = []
        for theme in ("light", "dark"):
            target = self._place(experiment, images[theme])
            first = theme == "light" and self._count == 1  # the first picture of a page is wanted at once
            lazy = "" if first else " loading=lazy"
            where = self._source(target)
            pictures.append(f"![{text}]({where}#only-{theme}){{ width={width} height={height}{lazy} }}")
        data = self._address(self._place(experiment, images["data"])).rstrip("/")
        return (
            f'<figure markdown class="book-figure" id="{anchor(experiment, name)}">\n{" ".join(pictures)}\n'
            f"{below}\n{shown.provenance(data, results)}\n</figure>"
        )

    def predict(
        self, question: str, options: list[str], answer: int, because: tuple[str, str], unveils: str, why: str = ""
    ) -> str:
        """A prediction made with a click. `answer` is the right option, from 1; the claim `because` makes it right;
        `unveils` is the figure that shows it, as "jump:curves"; `why` is what the page then says.
        """
        experiment, _, name = unveils.partition(":")
        with suppress(NotMeasured):
            self._facts.claim(self._facts.resolve(because[0]), because[1])
        figure = anchor(self._facts.resolve(experiment), name)
        return shown.prediction(question, options, answer, self._filled(why), figure)

    def diagram(self, key: str, name: str, alt: str, caption: str) -> str:
        """A diagram of snippets/diagrams/, with its caption and, for those who do not see it, its words."""
        label = f"**Figure {number}.** " if (number := self._figure_number()) else ""
        drawn = shown.diagram(key, name, self._filled(pages.flat(alt)))
        return (
            f'<figure markdown class="book-figure book-diagram" id="diagram-{key}-{name}">\n{drawn}\n'
            f"<figcaption markdown>{label}{self._filled(pages.flat(caption), links=True)}</figcaption>\n</figure>"
        )

    def touch(self, name: str, label: str, height: int, caption: str = "") -> str:
        """A figure one can touch, of snippets/interactives/. Its script is fetched when it is reached; until then, and
        where there is no script, `label` says what it is. `height` in pixels keeps its place.
        """
        found = shown.interactive(name)
        script = f"assets/interactives/{found.name}.js"
        for path in found.scripts:
            self._figures[f"assets/interactives/{path.relative_to(shown.INTERACTIVES).as_posix()}"] = path
        self._figures |= {f"assets/interactives/{place}": path for place, path in found.libraries.items()}
        below = (
            f"<figcaption markdown>{self._filled(pages.flat(caption), links=True)}</figcaption>\n" if caption else ""
        )
        try:
            content = found.data(self._facts.runs)
        except NotMeasured:
            waits = pending(found.name, "what it shows is not measured yet", tag="div")
            return f'<figure markdown class="touch">\n{waits}\n{below}</figure>'
        data = ""
        if content is not None:
            self._made[file := f"assets/interactives/{found.name}.json"] = content
            data = f' data-data="{self._address(file).rstrip("/")}"'
        return (
            f'<figure markdown class="touch" id="touch-{found.name.replace("_", "-")}">\n'
            f'<div class="touch-place" role="group" aria-label="{html.escape(label)}" style="min-height:{height}px" '
            f'data-script="{self._address(script).rstrip("/")}"{data}><p>{html.escape(label)}</p></div>\n{below}</figure>'
        )

    def run_it(self, experiment: str) -> str:
        """The run-it-yourself box with its measured cost."""
        name = self._facts.resolve(experiment)
        try:
            cost = shown.run_cost(self._facts.results(name)["provenance"])
        except NotMeasured:
            cost = pending(name, "not measured yet")
        return shown.run_box(name, cost)

    def saying(self, words: str, verdict: str, why: str, because: list[tuple[str, str]] | None = None) -> str:
        """A statement that one hears, with a verdict, why (Markdown, with [[...]]), and the claims behind it."""
        marks = [self.claim(experiment, id, show="mark") for experiment, id in because or []]
        return papers.saying(words, verdict, self._filled(pages.flat(why), links=True), marks)

    def chapter(self, key: str, anchor: str = "", start: bool = False, named: bool = False) -> str:
        """A link to a chapter by its key, the last part of its address; its number is filled in, or its title."""
        file = navigation.chapter_file(key)
        word = f"{'Chapter' if start else 'chapter'} {navigation.chapter_numbers()[file]}"
        if named:
            word = pages.read(DOCS / file).title
        return f"[{word}]({self._source(file)}{f'#{anchor}' if anchor else ''})"

    def part(self, key: str, start: bool = False) -> str:
        """A link to the first page of a part, by its folder; it is called by its title."""
        if key not in navigation.parts():
            raise BookError(f"no part '{key}' in the navigation; mkdocs.yml has {', '.join(navigation.parts())}")
        title = navigation.parts()[key]
        return f"[{'The' if start else 'the'} part *{title}*]({self._source(f'{key}/index.md')})"

    def lab(self, name: str) -> str:
        """The links to a lab's page and to its two notebooks."""
        if not lab_runs.is_fresh(name):
            if not self._facts.draft:
                raise BookError(lab_runs.stale(name))
            return pending(f"labs/{name}", "not made yet")
        folder = self._source(f"labs/{name}")
        exercise, solution = f"{name}.ipynb", f"{name}-solution.ipynb"
        return (  # the solution is HTML: Markdown would lead to the page that is made of it
            f'[exercise]({folder}/{exercise}){{ download="{exercise}" }}, '
            f'<a href="{self._address(f"labs/{name}/")}index.ipynb" download="{solution}">solution</a>, '
            f"[as a page, solutions folded]({folder}/index.ipynb)"
        )

    # how they find things

    def _place(self, experiment: str, file: Path) -> str:
        """Where a drawn file stands in the site; it is copied there when the page is written."""
        target = f"figures/{experiment}/{file.name}"
        self._figures[target] = file
        return target

    def _figure_number(self) -> str:
        """Such as 12.2; empty on pages that are no chapter."""
        self._count += 1
        number = navigation.chapter_numbers().get(self._file)
        return f"{number}.{self._count}" if number else ""

    def _filled(self, text: str, links: bool = False) -> str:
        """An alt text or a caption with its [[...]] filled in; HTML and links only where there can be some."""
        return SLOT.sub(lambda match: self._slot(match[1].strip(), links), text)

    def _slot(self, slot: str, links: bool) -> str:
        head, _, rest = slot.partition(":")
        name, _, which = rest.partition(":")
        if head == "chapter":
            link = self.chapter(name)
            return link if links else link[1:].partition("]")[0]
        if not name:
            raise BookError(f"[[{slot}]] is not such as [[jump:sharp]], [[jump:sharp:low]] or [[chapter:jump]]")
        try:
            value, digits = self._facts.value(self._facts.resolve(head), name, which or "median")
        except NotMeasured:
            return "(not measured yet)"
        except BookError as error:
            raise BookError(f"[[{slot}]]: {error}") from error
        text = numbers.shown(value, digits)
        return text if links else numbers.plain(text)


NAMES = tuple(name for room in (Macros, Lists) for name in vars(room) if not name.startswith("_"))

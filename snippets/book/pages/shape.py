"""The shape of a chapter: what a test can ask of it, measured on the expanded page.

Picture first, answer first: `python -m snippets.book.pages.shape` prints the table for all chapters.
"""

import re
from dataclasses import dataclass

from snippets.book.pages import expand, pages, shown
from snippets.book.pages.facts import Facts

WORDS_TO_FIGURE, CODE_TO_FIGURE, LONGEST_LISTING, WORDS_IN_SIGHT = 300, 30, 15, 3200
PARTS = ("In language models", "What you now know", "Exercises")
LISTING = re.compile(r"^( *)```.*?\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """What of a page is in sight before anything is unfolded."""

    words: int
    words_to_figure: int
    code_to_figure: int  # lines
    longest_listing: int  # lines
    figures: int
    diagrams: int
    predictions: int
    touches: int
    headings: tuple[str, ...]
    short_answer: bool  # within the first 150 words


def of(page: pages.Page, facts: Facts) -> Shape:
    """The shape of one page. Raises BookError where it cannot be expanded."""
    return of_text(expand.page(page.file, facts)[0])


def of_text(text: str) -> Shape:
    seen = shown.in_sight(re.sub(r"^---\n.*?\n---\n", "", text, flags=re.DOTALL))
    before = seen.partition("<figure")[0]
    listings = [len(match[2].splitlines()) for match in LISTING.finditer(seen)]
    return Shape(
        words=len(shown.words(seen)),
        words_to_figure=len(shown.words(before)),
        code_to_figure=sum(len(match[2].splitlines()) for match in LISTING.finditer(before)),
        longest_listing=max(listings, default=0),
        figures=seen.count("<figure"),
        diagrams=text.count("book-diagram"),
        predictions=text.count('<div class="predict"'),
        touches=text.count('<div class="touch-place"'),
        headings=tuple(re.findall(r"^## (.+?)(?: \{.*\})?$", text, flags=re.MULTILINE)),
        short_answer="**The short answer.**" in " ".join(seen.split()[:250]),
    )


def problems(shape: Shape) -> list[str]:
    """What a chapter of this shape still lacks, a line each."""
    found = [f"no section '{part}'" for part in PARTS if part not in shape.headings]
    limits = (
        ("words before the first picture", shape.words_to_figure, WORDS_TO_FIGURE),
        ("lines of code before the first picture", shape.code_to_figure, CODE_TO_FIGURE),
        ("lines in the longest listing in sight", shape.longest_listing, LONGEST_LISTING),
        ("words in sight", shape.words, WORDS_IN_SIGHT),
    )
    found += [f"{count} {what}; at most {most}" for what, count, most in limits if count > most]
    found += [
        f"no {what}" for what, count in (("diagram", shape.diagrams), ("prediction", shape.predictions)) if not count
    ]
    return found if shape.short_answer else [*found, "no **The short answer.** near its beginning"]


def table() -> str:
    """One line a chapter."""
    facts = Facts(draft=False)
    rows = ["words  to fig  code to fig  longest  figures  diagrams  predict  touch  chapter"]
    for page in pages.chapters():
        s = of(page, facts)
        rows.append(
            f"{s.words:5} {s.words_to_figure:7} {s.code_to_figure:12} {s.longest_listing:8} {s.figures:8} "
            f"{s.diagrams:9} {s.predictions:8} {s.touches:6}  {page.title}"
        )
        rows += [f"{'':10}- {problem}" for problem in problems(s)]
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())

"""Every chapter has the shape that its readers were promised: picture first, answer first, code folded."""

import pytest

from snippets.book.pages import pages, shape
from snippets.book.pages.facts import Facts

OLD: set[str] = set()  # chapters still to be rewritten; none may join them
CHAPTERS = [page for page in pages.chapters() if page.key.rpartition("/")[2] not in OLD]
LISTING = "```python\n" + "x = 1\n" * 16 + "```\n"
WHOLE = """# A question

**The short answer.** Yes.

<figure markdown class="book-figure book-diagram"></figure>

<div class="predict"></div>

## In language models

## What you now know

## Exercises

??? note "Folded"

    ```python
    {many}
    ```
"""


@pytest.mark.results
@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.key)
def test_a_chapter_has_its_shape(page):
    assert shape.problems(shape.of(page, Facts(draft=False))) == []


def test_what_is_folded_does_not_count():
    text = WHOLE.format(many="\n    ".join(["x = 1"] * 100))
    assert shape.problems(shape.of_text(text)) == []


def test_a_fold_that_holds_a_figure_is_folded_to_its_end():
    figure = '<figure>\n<details class="provenance"><summary>Made</summary>...</details>\n</figure>'
    fold = f"<details markdown>\n<summary>More</summary>\n\n{figure}\n\n{LISTING}\n</details>\n\n## In language models"
    text = WHOLE.format(many="x = 1").replace("## In language models", fold)
    assert shape.problems(shape.of_text(text)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("**The short answer.** Yes.", "word " * 301), "words before the first picture; at most 300"),
        (("<figure", f"{LISTING * 2}\n\n<figure"), "lines of code before the first picture"),
        (("## In language models", LISTING), "no section 'In language models'"),
        (("## Exercises", f"## Exercises\n\n{LISTING}"), "16 lines in the longest listing"),
        (("## Exercises", "## Exercises\n\n" + "word " * 3300), "words in sight"),
        (("book-diagram", ""), "no diagram"),
        (('<div class="predict"', "<div"), "no prediction"),
        (("**The short answer.** Yes.", "Perhaps."), "no **The short answer.**"),
    ],
)  # fmt: skip
def test_a_chapter_that_lacks_something_is_told(change, problem):
    text = WHOLE.format(many="x = 1").replace(*change)
    assert any(problem in line for line in shape.problems(shape.of_text(text)))

"""The page of a lab: mkdocs-jupyter turns the solution notebook into HTML, and this makes that HTML the book's own.

build/pages/labs/<lab>/<lab>.ipynb     the exercise: stubs where the solutions were, nothing run
build/pages/labs/<lab>/index.ipynb     the solution with its outputs; the page is made of it: what is to be written
                                       stands open, what solves it is folded
build/pages/labs/<lab>/cell-<n>.png    its pictures, so that they load when they are reached

mkdocs-jupyter wraps each cell in ten elements that need 575 kB of style, and repeats that style on each page. Only what
the cells say is taken over, in the elements that the rest of the book uses: then formulas, terms, code, folds and the
dark theme are those of every other page, and none of that style is needed. mkdocs calls `on_page_content`.
"""

import base64
import re
import struct
from collections.abc import Iterator
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from snippets.book.errors import BookError
from snippets.book.pages import lab_runs, labs

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
Picture = tuple[str, bytes, str]  # file name, content, alt text

PENDING = '# {title}\n\n<div class="pending" data-experiment="labs/{lab}">not made yet</div>\n'


def all_files(draft: bool) -> dict[str, bytes]:
    """The files of all labs' folders, by their place among the pages. In a draft a lab that is not made has a page that
    says so; elsewhere it raises BookError.
    """
    return {f"labs/{lab}/{name}": found for lab in labs.discover() for name, found in files(lab, draft).items()}


def files(lab: str, draft: bool) -> dict[str, bytes]:
    """The files of one lab's folder."""
    cells = labs.read(lab)
    exercise = {f"{lab}.ipynb": labs.serialised(labs.notebook(cells, labs.stub))}
    if draft and not lab_runs.is_fresh(lab):
        cells = cells[:1]
        cells[0].source = PENDING.format(title=labs.title(cells), lab=lab)
        return exercise | {"index.ipynb": labs.serialised(labs.notebook(cells, labs.solved))}
    solution = lab_runs.solution(lab)
    return (
        exercise | {"index.ipynb": labs.serialised(solution)} | {name: png for name, png, _ in pictures(lab, solution)}
    )


def pictures(lab: str, made: NotebookNode) -> list[Picture]:
    """File name, content and alt text of the picture of each cell that draws one."""
    found = []
    for number, cell in enumerate(made.cells, 1):
        outputs = cell.get("outputs", [])
        drawn = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
        if drawn and (len(drawn) > 1 or not cell.metadata.get("alt")):
            raise BookError(
                f"lab {lab}: cell {number} ({lab_runs.heading(made, number)}) draws {len(drawn)} pictures; draw one in "
                f"a cell, and describe it in a first comment, '{labs.ALT} ...'"
            )
        found += [(f"cell-{number}.png", base64.b64decode(png), cell.metadata["alt"]) for png in drawn]
    return found


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Called by mkdocs for each page, before its text goes to the search."""
    match = re.fullmatch(r"labs/(\w+)/index\.ipynb", page.file.src_uri)
    if not match:
        return html
    page.meta["description"] = f"A lab: {page.title}, step by step, with checks; solutions are folded."
    notebook = nbformat.read(page.file.abs_src_path, as_version=4)
    return as_in_the_book(html, match[1], pictures(match[1], notebook))


def as_in_the_book(html: str, lab: str, drawn: list[Picture]) -> str:
    """What mkdocs-jupyter made of a notebook with these pictures, in the book's own elements."""
    soup = BeautifulSoup(html, "html.parser")
    blocks: list[str] = []
    images = iter(drawn)
    exercise = labs.notebook(labs.read(lab), labs.stub).cells
    for cell, asked in zip(soup.select(".jp-MarkdownCell, .jp-CodeCell .jp-CodeCell"), exercise):
        if "jp-MarkdownCell" in cell["class"]:
            blocks.append(prose(cell))
        else:
            blocks += [code(cell, asked.source)]
            blocks += [shown(output, images, "check" in tags(cell)) for output in cell.select(".jp-OutputArea-output")]
    first, opening, rest = blocks[0].partition("</h1>") if blocks else ("", "", "")
    return "\n".join([first + opening, notice(lab), rest, *blocks[1:]])


def notice(lab: str) -> str:
    """What stands under the title."""
    return (
        '<div class="admonition note"><p class="admonition-title">This page is the exercise</p>'
        f'<p>Take it as <a href="{lab}.ipynb" download="{lab}.ipynb">a notebook</a>, and write what is yours to write; '
        "each check says what is wrong. Solutions are folded below each function; pictures are those that the solution "
        f'draws. The <a href="index.ipynb" download="{lab}-solution.ipynb">solution notebook</a> has all filled in '
        "and was run from top to bottom.</p></div>"
    )


def prose(cell: Tag) -> str:
    """The text of a Markdown cell: headings that link to themselves, listings and formulas as the book marks them."""
    text = cell.select_one(".jp-RenderedMarkdown")
    assert text is not None, "mkdocs-jupyter renders each Markdown cell so"
    for anchor in text.select("a.anchor-link"):
        anchor["class"], anchor["title"] = "headerlink", "Link to this section"
    for listing in text.select("pre"):  # the theme scrolls, colours and copies the code in a <pre>
        if not listing.find("code"):
            code = BeautifulSoup().new_tag("code")
            code.extend(list(listing.contents))
            listing.append(code)
    for string in list(text.find_all(string=FORMULA)):
        if not string.find_parent(["code", "pre"]):
            string.replace_with(BeautifulSoup(FORMULA.sub(marked, escaped(string)), "html.parser"))
    return text.decode_contents()


def marked(match: re.Match) -> str:
    """A formula as the book's Markdown marks it."""
    display, inline = match[1], match[2]
    return (
        rf'<div class="arithmatex">\[{display}\]</div>' if display else rf'<span class="arithmatex">\({inline}\)</span>'
    )


def tags(cell: Tag) -> list[str]:
    return [tag.get_text() for tag in cell.select(".cell-tag")]


def code(cell: Tag, asked: str) -> str:
    """The code of a cell. A check is folded under its first comment; where something is to be written, `asked` stands
    open and what solves it is folded below.
    """
    listing = cell.select_one(".highlight-ipynb pre")
    source = cell.select_one(".clipboard-copy-txt")
    assert listing is not None and source is not None, "mkdocs-jupyter renders each code cell so"
    html = listing.decode_contents().removeprefix("<span></span>").rstrip("\n")
    if "check" in tags(cell):
        return fold(source.get_text().splitlines()[0].lstrip("# ").rstrip("."), html.partition("\n")[2], "abstract")
    if source.get_text().strip() == asked.strip():
        return code_block(html)
    stub = highlight(asked, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")
    return code_block(stub) + fold("A solution", html, "success")


def code_block(html: str) -> str:
    return f'<div class="language-python highlight"><pre><code>{html}\n</code></pre></div>'


def fold(summary: str, html: str, kind: str) -> str:
    return f'<details class="{kind}"><summary>{escaped(summary)}</summary>{code_block(html)}</details>'


def shown(output: Tag, images: Iterator[Picture], check: bool) -> str:
    """What a cell printed or drew; of a check it is nothing but that the solution is correct, and stays out."""
    if check:
        return ""
    if output.find("img"):
        name, png, alt = next(images)
        width, height = struct.unpack(">II", png[16:24])  # a PNG says its size there
        alt = escaped(alt).replace('"', "&quot;")
        size = f'width="{width}" height="{height}"'
        return f'<p><img class="lab-picture" src="{name}" alt="{alt}" {size} loading="lazy"></p>'
    text = escaped(output.get_text().strip("\n"))
    return f'<div class="language-text highlight lab-output"><pre><code>{text}\n</code></pre></div>'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

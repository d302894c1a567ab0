"""Labs: from one script an exercise notebook and a solution notebook.

snippets/labs/<lab>.py              the source, in cells (jupytext's percent format), with marks around solutions
record/labs/<lab>.ipynb             the solution with its outputs, committed: see lab_runs
build/pages/labs/<lab>/             what the site is built from: see lab_pages

A line `# include: _checks.py` stands for the code of that file in snippets/labs/: what several labs share.
"""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from snippets.book.errors import BookError, UsageError
from snippets.book.paths import SNIPPETS

BEGIN, END = "# solution", "# end solution"
ALT = "# alt:"
INCLUDE = re.compile(r"^# include: (\w+\.py)$", re.MULTILINE)

Answer = Callable[[str, str, list[str]], list[str]]  # (indent, function, lines of its solution) -> what stands there


def discover() -> list[str]:
    """The names of all labs, sorted."""
    return sorted(path.stem for path in (SNIPPETS / "labs").glob("[a-z]*.py"))


def known(lab: str) -> str:
    """The lab's name. Raises UsageError where there is none of that name."""
    if lab not in discover():
        raise UsageError(f"no lab '{lab}' in snippets/labs/; there are {', '.join(discover()) or 'none'}")
    return lab


def source(lab: str) -> Path:
    return SNIPPETS / "labs" / f"{lab}.py"


def script(lab: str) -> str:
    """The source of a lab, what it includes in its place. It runs from top to bottom."""
    text = source(lab).read_text(encoding="utf-8")
    for name in INCLUDE.findall(text):
        if not source(lab).with_name(name).is_file():
            raise BookError(f"snippets/labs/{lab}.py includes {name}, which snippets/labs/ lacks")
    return INCLUDE.sub(lambda match: code_of(source(lab).with_name(match[1])), text)


def code_of(path: Path) -> str:
    """A file without the docstring that opens it."""
    return path.read_text(encoding="utf-8").split('"""', 2)[2].strip()


def read(lab: str) -> list[NotebookNode]:
    """The cells of a lab as they stand in its source, marks and all. Raises BookError where a mark has no partner."""
    import jupytext  # here, because most commands need no notebook

    text = script(lab)
    inside = 0
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if word in (BEGIN, END):
            if bool(inside) != (word == END):
                raise BookError(
                    f"snippets/labs/{lab}.py line {number}: '{word}' stands alone; a solution is between '{BEGIN}' and "
                    f"'{END}'"
                )
            inside = number if word == BEGIN else 0
    if inside:
        raise BookError(f"snippets/labs/{lab}.py line {inside}: '{BEGIN}' has no '{END}'")
    cells = jupytext.reads(text, fmt="py:percent").cells
    if not cells or cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        raise BookError(f"snippets/labs/{lab}.py does not begin with a Markdown cell and a title, '# # Title'")
    return cells


def title(cells: list[NotebookNode]) -> str:
    return cells[0].source.splitlines()[0].removeprefix("# ").strip()


def notebook(cells: list[NotebookNode], answer: Answer) -> NotebookNode:
    """A notebook of these cells in which `answer` has replaced each solution. Equal cells give an equal notebook."""
    made = []
    for number, cell in enumerate(cells, 1):
        about: dict = {}
        text = cell.source
        if cell.cell_type == "code":
            text, alt = without_alt(text)
            text = with_answers(text, answer)
            about |= {"alt": alt} if alt else {}
            if "check" in cell.metadata.get("tags", []):  # hidden in Jupyter, and in Colab
                about |= {"tags": ["check"], "jupyter": {"source_hidden": True}, "cellView": "form"}
        kind = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        made.append(kind(text, id=f"cell-{number}", metadata=about))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(
        cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}, nbformat_minor=5
    )


def without_alt(text: str) -> tuple[str, str]:
    """A cell without its `# alt:` comment, and what that says."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith(ALT):
        return text, ""
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    alt = " ".join(line.removeprefix(ALT).removeprefix("#").strip() for line in lines[:end])
    return "\n".join(lines[end:]), alt


def with_answers(text: str, answer: Answer) -> str:
    """A cell in which each marked solution, marks included, is replaced by the answer to it."""
    out: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.strip() != BEGIN:
            out.append(line)
            continue
        solution = []
        for inner in lines:
            if inner.strip() == END:
                break
            solution.append(inner)
        defined = re.findall(r"^\s*def (\w+)", "\n".join(out), re.MULTILINE)
        out += answer(line[: line.index("#")], defined[-1] if defined else "this", solution)
    return "\n".join(out)


def solved(indent: str, function: str, solution: list[str]) -> list[str]:
    return solution


def stub(indent: str, function: str, solution: list[str]) -> list[str]:
    """What stands in the exercise: an error that names the function to write."""
    return [f'{indent}raise NotImplementedError("{function} is yours to write")']


def serialised(made: NotebookNode) -> bytes:
    nbformat.validate(made)
    return (nbformat.writes(made).rstrip("\n") + "\n").encode()

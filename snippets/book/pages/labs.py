"""Labs: from one script an exercise notebook, a solution notebook that was run, and a page that shows the solution.

snippets/labs/<lab>.py                   the source, in cells (jupytext's percent format), with marks around solutions
docs/labs/<lab>/<lab>.ipynb              the exercise: stubs where the solutions were, nothing run
docs/labs/<lab>/<lab>-solution.ipynb     the solution with its outputs
docs/labs/<lab>/index.md                 the same as a page of the book
build/labs/<lab>.json                    the fingerprint, and the hash of each file; written last

The page is Markdown of our own, so that a lab has the book's formulas, colours, folded answers and search.
(mkdocs-jupyter would put 585 kB of style into each page, in one theme, and fetch MathJax from elsewhere.)
"""

import base64
import hashlib
import os
import re
import shutil
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import fingerprint, store
from snippets.book.paths import BUILD, DOCS, SNIPPETS

PAGES = DOCS / "labs"
BEGIN, END = "# solution", "# end solution"
ALT = "# alt:"
NOT_YET = "not yet:"  # what a check of a lab prints when an answer is wrong
TIMEOUT = 120  # seconds for one cell


def discover() -> list[str]:
    """The names of all labs, sorted."""
    return sorted(path.stem for path in (SNIPPETS / "labs").glob("[a-z]*.py"))


def source(lab: str) -> Path:
    return SNIPPETS / "labs" / f"{lab}.py"


def stamp(lab: str) -> Path:
    """The file that says that a lab is made; Snakemake and `is_fresh` look at it."""
    return BUILD / "labs" / f"{lab}.json"


def make(lab: str) -> None:
    """Make the notebooks and the page of a lab, unless they are there. Raises BookError where its solution fails."""
    if lab not in discover():
        raise UsageError(f"no lab '{lab}' in snippets/labs/; there are {', '.join(discover()) or 'none'}")
    if is_fresh(lab):
        return
    cells = read(lab)
    solution = executed(lab, notebook(cells, solved))
    files = {
        f"{lab}.ipynb": serialised(notebook(cells, stub)),
        f"{lab}-solution.ipynb": serialised(solution),
        "index.md": page(lab, solution).encode(),
    }
    files |= {name: content for name, content, _ in pictures(lab, solution)}
    folder = PAGES / lab
    for name, content in files.items():
        store.write(folder / name, content)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()  # pictures that are no longer drawn, and what a kill left unfinished
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    store.write_json(stamp(lab), {"fingerprint": fingerprint.of_lab(lab), "files": hashes})


def is_fresh(lab: str) -> bool:
    """Whether a lab was made from what its source says now, and its files are whole."""
    try:
        about = store.read_json(stamp(lab))
    except BookError:
        return False
    if about is None or about["fingerprint"] != fingerprint.of_lab(lab):
        return False
    return all(is_file_with(PAGES / lab / name, sha) for name, sha in about["files"].items())


def is_file_with(path: Path, sha: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha


def forget_removed() -> None:
    """Delete what was made from a lab that is there no more."""
    for folder in PAGES.glob("*/"):
        if folder.name not in discover():
            shutil.rmtree(folder)
            stamp(folder.name).unlink(missing_ok=True)


def hold_places() -> None:
    """Where a lab is not made yet, put a page that says so: a draft has the same addresses as the book."""
    for lab in discover():
        path = PAGES / lab / "index.md"
        if not path.exists():
            text = f'# {title(read(lab))}\n\n<div class="pending" data-experiment="labs/{lab}">not made yet</div>\n'
            store.write(path, text.encode())


# from the script to cells


def read(lab: str) -> list[NotebookNode]:
    """The cells of a lab as they stand in its source, marks and all. Raises BookError where a mark has no partner."""
    import jupytext  # here, because most commands need no notebook

    text = source(lab).read_text()
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


def notebook(cells: list[NotebookNode], answer: Callable[[list[str]], list[str]]) -> NotebookNode:
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


def with_answers(text: str, answer: Callable[[list[str]], list[str]]) -> str:
    """A cell in which each marked solution, marks included, is replaced by the answer to it."""
    lines, out = text.splitlines(), []
    while lines:
        line = lines.pop(0)
        if line.strip() != BEGIN:
            out.append(line)
            continue
        end = next(i for i, later in enumerate(lines) if later.strip() == END)
        defined = [found for earlier in out if (found := re.match(r"\s*def (\w+)", earlier))]
        indent = line[: line.index("#")]
        out += answer([f"{indent}# {defined[-1][1] if defined else 'this'}", *lines[:end]])
        del lines[: end + 1]
    return "\n".join(out)


def solved(solution: list[str]) -> list[str]:
    return solution[1:]


def stub(solution: list[str]) -> list[str]:
    """What stands in the exercise: an error that names the function to write."""
    indent, _, name = solution[0].partition("# ")
    return [f'{indent}raise NotImplementedError("{name} is yours to write")']


def serialised(made: NotebookNode) -> bytes:
    nbformat.validate(made)
    return (nbformat.writes(made).rstrip("\n") + "\n").encode()


# running it


def executed(lab: str, made: NotebookNode) -> NotebookNode:
    """The notebook with its outputs. Raises BookError naming the cell that raises, hangs, or whose check objects."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    quiet = ["--IPKernelApp.log_level=40"]  # it would warn that a kernel on this machine is not encrypted
    client = NotebookClient(
        made,
        kernel_name="python3",  # of this environment
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=quiet,
    )
    with tempfile.TemporaryDirectory() as empty:  # no start-up file of the reader's own
        alone = {"IPYTHONDIR": empty, "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        with client.setup_kernel(env=os.environ | alone, cwd=empty):
            for number, cell in enumerate(made.cells, 1):
                try:
                    client.execute_cell(cell, number - 1)
                except CellExecutionError as error:
                    why = f"raised {error.ename}: {' '.join(error.evalue.split())}"
                    why += f"; `python snippets/labs/{lab}.py` shows where"
                except CellTimeoutError:
                    why = f"took longer than {TIMEOUT} seconds"
                except DeadKernelError:
                    why = "ended the kernel"
                else:
                    tidy(cell)
                    objections = [line for line in printed(cell).splitlines() if line.startswith(NOT_YET)]
                    if not objections:
                        continue
                    why = f"finds the solution wrong: {objections[0].removeprefix(NOT_YET).strip()}"
                raise BookError(f"lab {lab}: cell {number} ({heading(made, number)}) {why}")
    return made


def tidy(cell: NotebookNode) -> None:
    """Leave out what differs between machines: messages on standard error."""
    if cell.cell_type == "code":
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def printed(cell: NotebookNode) -> str:
    """What a cell wrote, as text."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif "image/png" not in output.data:
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


def heading(made: NotebookNode, number: int) -> str:
    """The last heading at or before a cell."""
    text = "\n".join(cell.source for cell in made.cells[:number] if cell.cell_type == "markdown")
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)[-1]


# the page


def page(lab: str, made: NotebookNode) -> str:
    """The solution as Markdown."""
    first, *rest = made.cells
    name = title(made.cells)
    _, _, opening = first.source.partition("\n")
    blocks = [
        f'---\ntitle: {name}\ndescription: "A lab: {name[0].lower()}{name[1:]}, step by step, with checks. This page '
        f'is its solution."\n---\n\n# {name}\n',
        '!!! note "This page is the solution"\n\n    To find it yourself, take '
        f'[the exercise]({lab}.ipynb){{ download="{lab}.ipynb" }}: the same notebook with functions to fill in. The '
        f'[solution notebook]({lab}-solution.ipynb){{ download="{lab}-solution.ipynb" }} is this page. Every output '
        "below was made by the code above it.\n",
        markdown(opening),
    ]
    drawn = {id: f"![{escaped(alt)}]({file}){{ .lab-picture }}\n" for file, _, (id, alt) in pictures(lab, made)}
    for cell in rest:
        if cell.cell_type == "markdown":
            blocks.append(markdown(cell.source))
            continue
        code = fenced(cell.source, "python")
        if "check" in cell.metadata.get("tags", []):
            summary, _, code = cell.source.partition("\n")
            code = f'??? abstract "{summary.lstrip("# ").rstrip(".")}"\n\n' + textwrap.indent(
                fenced(code, "python"), "    "
            )
        blocks.append(code)
        if text := printed(cell).rstrip():
            blocks.append(fenced(text, "{ .text .lab-output }"))
        if cell.id in drawn:
            blocks.append(drawn[cell.id])
    return "\n".join(blocks)


def markdown(text: str) -> str:
    """The text of a cell; what Jupyter folds, Python-Markdown is told to look into."""
    return text.strip().replace("<details>", '<details markdown="1">') + "\n"


def fenced(text: str, kind: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{text}\n{fence}\n"


def escaped(text: str) -> str:
    return text.replace("[", "\\[").replace("]", "\\]")


def pictures(lab: str, made: NotebookNode) -> list[tuple[str, bytes, tuple[str, str]]]:
    """File name, content, and cell and alt text of the picture of each cell that draws one."""
    found = []
    for number, cell in enumerate(made.cells, 1):
        drawn = [
            output.data["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
        ]
        if drawn and (len(drawn) > 1 or not cell.metadata.get("alt")):
            raise BookError(
                f"lab {lab}: cell {number} ({heading(made, number)}) draws {len(drawn)} pictures; draw one in a cell, "
                f"and describe it in a first comment, '{ALT} ...'"
            )
        found += [(f"{cell.id}.png", base64.b64decode(png), (cell.id, cell.metadata["alt"])) for png in drawn]
    return found

"""The notebooks of every lab are what they should be: the exercise has stubs, and the solution runs and repeats.

The test module of a lab says what is its own:

CHECKS        the function that finds problems, and the reader's functions that it judges, in one string
PICTURES      how many it draws
NEEDS         where a check needs an answer to an earlier one first: that function
LOST          names that a cell needs and that no cell makes until the answers are written
"""

import ast
import importlib
import tempfile
from pathlib import Path
from types import ModuleType

import matplotlib
import nbformat
import pytest
from bs4 import BeautifulSoup
from mkdocs_jupyter import convert

from snippets.book.pages import lab_pages, lab_runs, labs

TESTS: list[ModuleType] = [importlib.import_module(f"tests.labs.test_{lab}") for lab in labs.discover()]


@pytest.fixture(params=TESTS, ids=labs.discover())
def own(request) -> ModuleType:
    return request.param


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def to_write(own: ModuleType) -> list[str]:
    """The functions that the reader fills in."""
    return " ".join(own.CHECKS.values()).split()


def test_every_function_to_fill_in_has_a_check(own):
    text = labs.script(own.LAB)
    assert text.count(labs.BEGIN + "\n") == len(to_write(own))
    assert all(f"def {function}(" in text for function in to_write(own))
    for check, functions in own.CHECKS.items():
        assert f"check({check}, {', '.join(functions.split())})" in text


def test_the_exercise_has_stubs_and_nothing_else_of_the_solution(own):
    exercise = labs.notebook(labs.read(own.LAB), labs.stub)
    functions = {
        node.name: node
        for cell in code(exercise)
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef)
    }
    for name in to_write(own):
        docstring, stub = functions[name].body
        assert isinstance(docstring, ast.Expr)
        assert ast.unparse(stub) == f"raise NotImplementedError('{name} is yours to write')"
    assert not any(cell.outputs or cell.execution_count for cell in code(exercise))


@pytest.mark.parametrize("answer", [labs.stub, labs.solved])
def test_no_mark_is_left_in_a_notebook(own, answer):
    text = labs.serialised(labs.notebook(labs.read(own.LAB), answer)).decode()
    assert labs.BEGIN not in text and labs.END not in text and labs.ALT not in text


def test_the_solution_is_the_source(own):
    """But for its marks, each line of code of the script stands in the solution, in order."""
    cells = code(labs.notebook(labs.read(own.LAB), labs.solved))
    made = [line.strip() for cell in cells for line in cell.source.splitlines() if line.strip()]
    source = [line.strip() for line in labs.script(own.LAB).splitlines() if line.strip()]
    assert made == [line for line in source if line in set(made)]
    wanted = [line for line in source if not line.startswith("#")]
    assert [line for line in made if not line.startswith("#")] == wanted


def test_the_exercise_tells_for_each_check_what_is_not_written(own, capsys):
    names: dict = {}
    lost = set()
    matplotlib.use("Agg")
    for cell in code(labs.notebook(labs.read(own.LAB), labs.stub)):
        try:
            exec(compile(cell.source, cell.id, "exec"), names)
        except (NotImplementedError, NameError) as error:
            assert "check" not in cell.metadata.get("tags", [])
            if isinstance(error, NameError):
                lost.add(error.name)
            else:
                assert "is yours to write" in str(error)
    matplotlib.pyplot.close("all")
    assert lost == getattr(own, "LOST", set())
    first = {check: functions.split()[0] for check, functions in own.CHECKS.items()} | getattr(own, "NEEDS", {})
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not yet")]
    assert said == [f"not yet: {name} is yours to write" for name in first.values()]


def test_checks_are_hidden_and_pictures_described(own):
    cells = code(labs.notebook(labs.read(own.LAB), labs.stub))
    hidden = [cell for cell in cells if "check" in cell.metadata.get("tags", [])]
    assert hidden == [cell for cell in cells if "def problem_of_" in cell.source]
    assert all(cell.metadata.jupyter.source_hidden for cell in hidden)
    pictures = [len(cell.metadata.alt) > 100 for cell in cells if "plt.subplots" in cell.source]
    assert pictures == [True] * own.PICTURES


@pytest.mark.pipeline
def test_the_solution_runs_without_error_and_as_it_is_kept(own):
    """Run from nothing; what it prints is what the record keeps, the first cell's versions apart, and so are the
    pictures where the versions are the pinned ones.
    """
    cells = labs.read(own.LAB)
    run = lab_runs.executed(own.LAB, labs.notebook(cells, labs.solved))
    outputs = [output for cell in code(run) for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    printed = "".join(map(lab_runs.printed, run.cells))
    assert printed.count("correct\n") == len(own.CHECKS) and lab_runs.NOT_YET not in printed
    pictures = lab_pages.pictures(own.LAB, run)
    assert len(pictures) == own.PICTURES
    kept = nbformat.reads(lab_runs.kept(own.LAB).read_text(encoding="utf-8"), as_version=4)
    if same_machine(kept, run):
        assert [lab_runs.printed(c) for c in code(run)] == [lab_runs.printed(c) for c in code(kept)]
        assert pictures == lab_pages.pictures(own.LAB, kept)
    else:  # another machine rounds otherwise: the same run twice is what can be asked
        again = lab_runs.executed(own.LAB, labs.notebook(cells, labs.solved))
        assert labs.serialised(again) == labs.serialised(run)
    exercises = [labs.serialised(labs.notebook(labs.read(own.LAB), labs.stub)) for _ in range(2)]
    assert exercises[0] == exercises[1]


def same_machine(kept, run) -> bool:
    """Whether a kept run comes from a processor and versions such as these: its first cell prints the versions."""
    first = [lab_runs.printed(code(notebook)[0]) for notebook in (kept, run)]
    return first[0] == first[1] and kept.metadata["processor"] == lab_runs.processor()


def test_the_page_is_the_book_s_own(own):
    """The page has the exercise's code, the solution's folded, outputs and pictures, and nothing of Jupyter's style."""
    solution = lab_runs.solution(own.LAB)
    drawn = lab_pages.pictures(own.LAB, solution)
    page = lab_pages.as_in_the_book(rendered(solution), own.LAB, drawn)
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find(["style", "script"]) and not soup.select("[class^=jp-]") and "base64," not in page
    assert len(soup.find_all("h1")) == 1 and len(page) < 300_000
    listed = "".join(block.get_text() for block in soup.select(".language-python code"))
    for cell in code(solution):
        body = cell.source.partition("\n")[2] if "check" in cell.metadata.get("tags", []) else cell.source
        assert body.strip() in listed
    exercise = code(labs.notebook(labs.read(own.LAB), labs.stub))
    assert all(c.source.strip() in listed for c in exercise if "check" not in c.metadata.get("tags", []))
    to_write = [c for c, asked in zip(code(solution), exercise) if c.source != asked.source]
    assert len(soup.select("details.success")) == len(to_write) > 0
    shown = "".join(block.get_text() for block in soup.select(".lab-output code"))
    plain = [c for c in code(solution) if "check" not in c.metadata.get("tags", [])]
    assert [line for c in plain for line in lab_runs.printed(c).split("\n") if line] == [
        line for line in shown.split("\n") if line
    ]
    images = soup.find_all("img")
    assert [(image["src"], image["alt"]) for image in images] == [(name, alt) for name, _, alt in drawn]
    assert all(int(image["width"]) > 100 and int(image["height"]) > 100 for image in images)
    text = " ".join(string for string in soup.find_all(string=True) if not string.find_parent(["code", "pre"]))
    assert "$" not in text, "each formula is marked for KaTeX"
    folded = [fold.summary.get_text() for fold in soup.select("details.abstract")]
    assert len(folded) == len([c for c in code(solution) if "check" in c.metadata.get("tags", [])])


def rendered(notebook) -> str:
    """What mkdocs-jupyter makes of a notebook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.ipynb"
        path.write_bytes(labs.serialised(notebook))
        return convert.nb2html(str(path), execute=False, allow_errors=False)

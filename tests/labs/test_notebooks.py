"""The notebooks of every lab are what they should be: the exercise has stubs, and the solution runs and repeats.

The test module of a lab says what is its own:

CHECKS        the function that finds problems, and the reader's functions that it judges, in one string
PICTURES      how many it draws
NEEDS         where a check needs an answer to an earlier one first: that function
LOST          names that a cell needs and that no cell makes until the answers are written
"""

import ast
import importlib
from types import ModuleType

import matplotlib
import pytest

from snippets.book.pages import labs

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
    text = labs.source(own.LAB).read_text()
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
    source = [line.strip() for line in labs.source(own.LAB).read_text().splitlines() if line.strip()]
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
def test_the_solution_runs_without_error_and_twice_the_same(own):
    cells = labs.read(own.LAB)
    runs = [labs.executed(own.LAB, labs.notebook(cells, labs.solved)) for _ in range(2)]
    first, second = (labs.serialised(run) for run in runs)
    assert first == second
    assert labs.page(own.LAB, runs[0]) == labs.page(own.LAB, runs[1])
    outputs = [output for cell in code(runs[0]) for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"stream", "display_data"}
    printed = "".join(map(labs.printed, runs[0].cells))
    assert printed.count("correct\n") == len(own.CHECKS) and labs.NOT_YET not in printed
    assert len(labs.pictures(own.LAB, runs[0])) == own.PICTURES
    exercises = [labs.serialised(labs.notebook(labs.read(own.LAB), labs.stub)) for _ in range(2)]
    assert exercises[0] == exercises[1]

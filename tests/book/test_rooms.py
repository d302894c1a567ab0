"""The arrows between rooms, as DESIGN and CONTRIBUTING draw them: what each may import."""

import ast
import re
from pathlib import Path

import pytest

from snippets.book import tree
from snippets.book.measure import catalogue
from snippets.book.paths import ROOT, SNIPPETS

SHARED = {"contract", "style", "progress", "icl"}  # all that an experiment may import
MODULES = sorted(path for path in SNIPPETS.rglob("*.py") if path.name != "__init__.py")
LONGEST_FILE = 300  # lines; labs are notebooks
LONGEST_FUNCTION = 40


def imports(path: Path) -> set[str]:
    """Every module of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; name the module in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {module for module in found if module.split(".")[0] == "snippets"}


def rooms(path: Path) -> set[str]:
    """The rooms that a file imports from: icl, book, contract, ..."""
    return {module.split(".")[1] for module in imports(path) if "." in module}


def test_an_experiment_imports_the_contract_progress_and_icl(name):
    assert rooms(SNIPPETS / f"{name}.py") <= SHARED - {"style"}


def test_a_drawing_imports_its_own_experiment_besides(name):
    part, short = name.split("/")
    path = SNIPPETS / part / "figures" / f"{short}.py"
    assert rooms(path) <= SHARED | {part}
    for module in imports(path):
        inner = module.split(".")[1:]
        if len(inner) > 1 and inner[0] == part:  # and what drawings of the part share
            assert inner[1] in (short, "figures"), f"{name}'s drawing imports {module}"


@pytest.mark.parametrize("path", sorted((SNIPPETS / "icl").rglob("*.py")), ids=lambda p: p.stem)
def test_icl_imports_itself_and_progress(path):
    assert rooms(path) <= {"icl", "progress"}


@pytest.mark.parametrize("path", sorted((SNIPPETS / "diagrams").glob("*.py")), ids=lambda p: p.stem)
def test_a_diagram_imports_its_vocabulary_and_icl(path):
    assert rooms(path) <= {"diagrams", "icl"}


@pytest.mark.parametrize("path", sorted((SNIPPETS / "interactives").glob("*.py")), ids=lambda p: p.stem)
def test_the_data_of_a_figure_to_touch_import_icl_and_the_contract(path):
    assert rooms(path) <= {"interactives", "icl", "contract"}


@pytest.mark.parametrize(
    "path", sorted((SNIPPETS / "benchmarks").rglob("*.py")), ids=lambda p: str(p.parent.name + p.stem)
)
def test_a_benchmark_imports_icl_and_the_books_machinery(path):
    assert rooms(path) <= {"benchmarks", "icl", "book"}
    if path.parent.name == "theirs":  # it runs among the authors' libraries, without ours
        assert rooms(path) == set()


@pytest.mark.parametrize("path", sorted((SNIPPETS / "live").glob("*.py")), ids=lambda p: p.stem)
def test_a_live_model_is_measured_as_the_books_own_are(path):
    assert rooms(path) <= {"live", "icl", "style", "book"}
    assert not any(module.startswith("snippets.book.measure") for module in imports(path))


@pytest.mark.parametrize("path", sorted((SNIPPETS / "book").rglob("*.py")), ids=lambda p: p.stem)
def test_book_knows_experiments_through_the_contract_only(path):
    allowed = {"diagrams"} if path.parent.name == "new" else set()  # what a new chapter begins with
    assert rooms(path) <= {"book", "contract", "style", "progress"} | allowed
    text = path.read_text(encoding="utf-8")
    named = [n for n in catalogue.discover() if re.search(rf"snippets[./]{n.replace('/', '[./]')}\\b", text)]
    assert not named, f"{path.name} names {named}"


def test_every_module_of_icl_is_used():
    used = {module for path in SNIPPETS.rglob("*.py") for module in imports(path)}
    for path in (SNIPPETS / "icl").rglob("[a-z]*.py"):
        module = ".".join(("snippets", *path.relative_to(SNIPPETS).with_suffix("").parts))
        assert module in used, f"{module} is used by nobody"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SNIPPETS)))
def test_files_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    if path.parent.name != "labs":
        assert len(text.splitlines()) <= LONGEST_FILE
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                length = node.end_lineno - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_contributing_draws_the_house_as_it_is():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text.count(tree.BEGIN) == 1
    assert tree.written(text) == text, "draw it again: python -m snippets.book.tree"

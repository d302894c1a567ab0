"""The arrows between rooms: experiments import icl and book; icl imports neither; book knows only the contract."""

import ast

import pytest

from snippets.book.measure import catalogue
from snippets.book.paths import ROOT, SNIPPETS


def imports(path) -> set[str]:
    """Every module of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; name the module in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {module for module in found if module.split(".")[0] == "snippets"}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_an_experiment_imports_only_icl_and_book(name):
    path = SNIPPETS / f"{name}.py"
    assert {room(module) for module in imports(path)} <= {"icl", "book", ""}


def test_an_experiment_takes_from_book_only_what_the_contract_offers(name):
    offered = {"snippets.contract", "snippets.style", "snippets.book"}
    taken = {m for m in imports(SNIPPETS / f"{name}.py") if room(m) == "book"}
    assert {".".join(m.split(".")[:3]) for m in taken} <= offered


@pytest.mark.parametrize("path", sorted((SNIPPETS / "icl").glob("*.py")), ids=lambda p: p.stem)
def test_icl_imports_neither_book_nor_experiments(path):
    assert {room(module) for module in imports(path)} <= {"icl", ""}


@pytest.mark.parametrize("path", sorted((SNIPPETS / "book").glob("*.py")), ids=lambda p: p.stem)
def test_book_names_no_experiment(path):
    assert {room(module) for module in imports(path)} <= {"book", "icl", ""}
    for name in catalogue.discover():
        assert name.split("/")[1] not in {word for word in imports(path)}


def test_every_module_of_icl_is_used():
    files = [p for p in SNIPPETS.rglob("*.py")]
    used = {module for path in files for module in imports(path)}
    for path in (SNIPPETS / "icl").glob("[a-z]*.py"):
        assert f"snippets.icl.{path.stem}" in used, f"{path.relative_to(ROOT)} is used by nobody"

"""What of the code a page prints: a section without its checks of arguments, which teach nothing there.

The file keeps them; a listing shows the lines that carry the idea.
"""

import ast
import re

from snippets.book.pages import pages


def section(name: str) -> str | None:
    """The text of "file.py:section" as pages print it; None where it is not there."""
    text = pages.section(name)
    return text and without_checks(text)


def without_checks(text: str) -> str:
    """The code without `if ...: raise ...` and without what its docstring says of them; as it is where Python cannot
    read it by itself.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text
    lines: list[str | None] = list(text.split("\n"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = None
    kept = "\n".join(line for line in lines if line is not None)
    for doc in docstrings(ast.parse(kept)):
        kept = kept.replace(doc, without_raises(doc))
    return kept


def docstrings(tree: ast.Module) -> list[str]:
    """Every docstring that tells of errors, as it stands in the source."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and "Raises " in (
            doc := ast.get_docstring(node, False) or ""
        ):
            found.append(doc)
    return found


def without_raises(doc: str) -> str:
    """A docstring without its sentence or paragraph on errors."""
    shorter = re.sub(r"\s*\bRaises \w+(?:Error)?\b[^.]*(?:\.\d[^.]*)*\.", "", doc)
    return shorter if shorter.strip() else doc

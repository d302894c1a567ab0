"""The house as a drawing: its rooms, what each holds, and which may import which. It stands in CONTRIBUTING.md.

`python -m snippets.book.tree` writes it there anew; a test says when it is no longer what the folders are.
"""

import ast
from pathlib import Path

from snippets.book.measure import catalogue
from snippets.book.paths import ROOT, SNIPPETS

BEGIN, END = "<!-- the house, drawn by snippets/book/tree.py -->\n", "<!-- end -->"
HOLDS = {
    "contract.py": "claims, predicates, verdicts",
    "style.py": "how figures look",
    "progress.py": "how far a run is",
    "icl/tasks": "what is learned in context",
    "icl/networks": "what learns it",
    "icl/training": "loops and optimisers",
    "icl/theory": "closed forms and exact predictors",
    "icl": "measures, streams, names of shapes",
    "book/measure": "fingerprints, the record, one pool, judging, audit",
    "book/figures": "drawings to files",
    "book/pages": "macros, checks, glossary, map, labs' pages, serve",
    "book": "command line, install, this drawing",
    "diagrams": "drawings of ideas, in one vocabulary",
    "interactives": "figures one can touch: a script and its data",
    "labs": "notebooks with functions to fill in",
    "live": "the book's questions to a real language model",
    "benchmarks/ours": "what is timed beside the authors' code",
    "benchmarks/theirs": "how their code is called; none of it is here",
    "benchmarks": "the race between the two, and where their code is",
}


def drawing() -> str:
    """The whole drawing, as text."""
    parts = sorted({name.split("/")[0] for name in catalogue.discover()})
    experiments = {part: sum(name.startswith(f"{part}/") for name in catalogue.discover()) for part in parts}
    lines = ["snippets/"]
    for part in parts:
        lines.append(row(f"{part}/", f"{experiments[part]} experiments; figures/ draws them"))
    for room, text in HOLDS.items():
        path = SNIPPETS / room
        count = "" if path.is_file() else f"{len([f for f in path.glob('*.py') if f.name != '__init__.py'])} files: "
        lines.append(row(room if path.is_file() else f"{room}/", count + text))
    arrows = [f"    {room:<22}-> {', '.join(taken)}" for room, taken in imports(parts).items()]
    return "\n".join([*lines, "", "who imports whom:", *arrows])


def row(name: str, text: str) -> str:
    return f"    {name:<22}{text}"


def imports(parts: list[str]) -> dict[str, list[str]]:
    """Which rooms each kind of file takes something from, as the files stand."""
    kinds = {
        "an experiment": [SNIPPETS / f"{name}.py" for name in catalogue.discover()],
        "its drawing": [path for part in parts for path in (SNIPPETS / part / "figures").glob("*.py")],
        "a diagram": list((SNIPPETS / "diagrams").glob("*.py")),
        "its data to touch": list((SNIPPETS / "interactives").glob("*.py")),
        "icl": list((SNIPPETS / "icl").rglob("*.py")),
        "a live model": list((SNIPPETS / "live").glob("*.py")),
        "a benchmark": list((SNIPPETS / "benchmarks").rglob("*.py")),
        "book": [path for path in (SNIPPETS / "book").rglob("*.py") if path.parent.name != "new"],
    }
    found = {}
    for kind, files in kinds.items():
        taken = {"its experiment" if room in parts else room for file in files for room in rooms_taken(file)}
        found[kind] = sorted(taken - {kind})
    return found


def rooms_taken(path: Path) -> set[str]:
    """The rooms that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "snippets":
            names = node.module.split(".")[1:] if node.module else []  # `from snippets import style` names it after
            found |= {names[0]} if names else {alias.name for alias in node.names}
    return found


def written(text: str) -> str:
    """A text with the drawing between its marks."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n```text\n{drawing()}\n```\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    path = ROOT / "CONTRIBUTING.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")

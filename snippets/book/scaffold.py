"""A new experiment and its chapter, small and working: they pass every check, and are meant to be overwritten.

snippets/book/new/ holds them: experiment.py, drawing.py, diagram.py and, with names to fill in, chapter.md.
"""

import re
from pathlib import Path

from snippets.book.errors import UsageError
from snippets.book.measure import store
from snippets.book.pages import navigation
from snippets.book.paths import DOCS, SNIPPETS, relative

MODELS = Path(__file__).parent / "new"


def make(name: str) -> list[str]:
    """Write the files and say what to do next. Raises UsageError where the name does not fit or is taken."""
    match = re.fullmatch(r"([a-z_]+)/([a-z][a-z0-9_]*)", name.replace("-", "_"))
    folders = {part.replace("-", "_"): part for part in navigation.parts()}
    if not match or match[1] not in folders:
        raise UsageError(f"'{name}' is not part/name in lower case; the parts are {', '.join(folders)}")
    part, short = match[1], match[2]
    code = SNIPPETS / part / f"{short}.py"
    drawing = SNIPPETS / part / "figures" / f"{short}.py"
    chapter = DOCS / folders[part] / f"{short.replace('_', '-')}.md"
    diagram = SNIPPETS / "diagrams" / f"{short}.py"
    if taken := [path for path in (code, drawing, diagram, chapter) if path.exists()]:
        raise UsageError(f"{relative(taken[0])} is there already: choose another name, or edit it")
    words = {
        "TITLE": short.replace("_", " ").capitalize(),
        "FOLDER": folders[part],
        "NAME": f"{part}/{short}",
        "SHORT": short,
        "KEY": short.replace("_", "-"),
    }
    models = {code: "experiment.py", drawing: "drawing.py", diagram: "diagram.py", chapter: "chapter.md"}
    for path, model in models.items():
        text = (MODELS / model).read_text(encoding="utf-8")
        if model == "chapter.md":
            text = re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[1]], text)
        store.write(path, text.encode())
    for room in (code.parent, drawing.parent):
        if not (room / "__init__.py").exists():
            store.write(room / "__init__.py", b"")
    return [
        f"{relative(code)}: the experiment; run it with `python -m snippets run {part}/{short}`",
        f"{relative(drawing)}: its drawing",
        f"{relative(diagram)}: the diagram of its idea",
        f"{relative(chapter)}: its chapter; see it with `make serve`",
        f"now add this line to `nav:` in mkdocs.yml, under its part: - {folders[part]}/{chapter.name}",
        "its number is its place there",
    ]

"""A module as a set of definitions: what each one says, and which global names it mentions.

The text of a definition is a dump of its syntax tree without what cannot change a result: comments, docstrings,
annotations, the names under which a module imports things, and the paths of modules. So two files that differ in
nothing else say the same, wherever they lie.
"""

import ast
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snippets.book.errors import BookError
from snippets.book.measure.scopes import Import, Reader, Ref, alias_targets
from snippets.book.paths import ROOT


@dataclass(frozen=True, eq=False)
class Item:
    """One definition, or one method of a class: the unit in which a change is named."""

    name: str  # such as World, or World.draw
    text: str
    refs: tuple[Ref, ...]  # in the order of the text


@dataclass
class Source:
    """A module's top level: what each name is bound to, and what runs whenever it is imported."""

    definitions: dict[str, list[Item]] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    always: list[Item] = field(default_factory=list)
    nodes: dict[str, ast.stmt] = field(default_factory=dict)  # the last assignment to each name
    docstring: str = ""


class Tree:
    """The project's modules, each read once for each version of its file. `look` comes first, then questions.

    `replaced` holds texts that stand in for files (None: the file is not there): what would an edit make stale?
    """

    def __init__(self, root: Path, replaced: dict[str, str | None] | None = None, beside: "Tree | None" = None) -> None:
        self.root = root
        self.replaced = {f"{root}/{path}": text for path, text in (replaced or {}).items()}
        self.known: dict[str, tuple[object, Source]] = dict(beside.known) if beside else {}
        self.versions: dict[str, object] = {}
        self.memory: dict[object, Any] = {}  # what was derived from these versions of the files

    def look(self) -> None:
        """See which files there are, and in which version; what was derived from others is forgotten."""
        versions: dict[str, object] = {}
        folders = [f"{self.root}/snippets"]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.name.endswith(".py"):
                        about = entry.stat()
                        versions[entry.path] = (about.st_mtime_ns, about.st_size)
                    elif entry.is_dir() and entry.name != "__pycache__":
                        folders.append(entry.path)
        versions |= self.replaced
        if versions != self.versions:
            self.versions, self.memory = versions, {}

    def remember(self, key: object, derive: Callable[[], Any]) -> Any:
        """What `derive` returns, computed once for these versions of the files."""
        if key not in self.memory:
            self.memory[key] = derive()
        return self.memory[key]

    def path(self, module: str) -> str:
        """The file of a module; of a package, its __init__.py."""
        path = f"{self.root}/{module.replace('.', '/')}"
        return f"{path}/__init__.py" if f"{path}/__init__.py" in self.versions else f"{path}.py"

    def has(self, module: str) -> bool:
        return self.versions.get(self.path(module)) is not None

    def text(self, path: str) -> str:
        return self.replaced[path] or "" if path in self.replaced else Path(path).read_text(encoding="utf-8")

    def source(self, module: str) -> Source:
        """A module of ours; empty where it has no code of its own (a package)."""
        return self.remember(("source", module), lambda: self.read(module))

    def read(self, module: str) -> Source:
        path = self.path(module)
        version = self.versions.get(path)
        if version is None:
            return Source()
        if path not in self.known or self.known[path][0] != version:
            self.known[path] = (version, self.parse(module, path))
        return self.known[path][1]

    def parse(self, module: str, path: str) -> Source:
        try:
            tree = ast.parse(self.text(path))
        except SyntaxError as error:
            where = path.removeprefix(f"{self.root}/")
            raise BookError(f"{where} line {error.lineno}: {error.msg}; mend the module") from error
        source = Source(docstring=ast.get_docstring(tree) or "")
        for statement in top_level(tree):  # also those under `if` and `try`; a function's own are the function's
            if isinstance(statement, ast.Import | ast.ImportFrom):
                source.imports.update(alias_targets(statement, module, self.has))
        reader = Reader(module, source.imports, self.has)
        for statement in tree.body:
            read_statement(source, reader, statement)
        return source


def top_level(tree: ast.Module) -> list[ast.stmt]:
    """The statements that run on import: all but the insides of functions and classes."""
    found: list[ast.stmt] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                if isinstance(child, ast.stmt):
                    found.append(child)
                if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    waiting.append(child)
    return found


def read_statement(source: Source, reader: Reader, statement: ast.stmt) -> None:
    """Sort one top-level statement into definitions, or what always runs."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()) | ast.Pass():
            return
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            source.definitions.setdefault(name, []).append(Item(name, *reader.read(statement)))
        case ast.ClassDef(name=name):
            source.definitions.setdefault(name, []).extend(read_class(reader, statement))
        case ast.Assign() | ast.AnnAssign() if names := plain_names(statement):
            text, refs = reader.read(statement)
            for name in names:
                source.definitions.setdefault(name, []).append(Item(name, text, refs))
                source.nodes[name] = statement
        case _:
            source.always.append(Item("import", *reader.read(statement)))


def read_class(reader: Reader, node: ast.ClassDef) -> list[Item]:
    """A class as its head, with its fields, and each method apart."""
    methods = [child for child in node.body if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)]
    head = ast.ClassDef(
        name=node.name, bases=node.bases, keywords=node.keywords, decorator_list=node.decorator_list,
        body=[child for child in node.body if child not in methods],
    )  # fmt: skip
    return [Item(node.name, *reader.read(head))] + [
        Item(f"{node.name}.{method.name}", *reader.read(method)) for method in methods
    ]


def plain_names(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that an assignment binds; none where it also changes something that is bound already, as x[0] = 1."""
    names: list[str] = []
    waiting: list[ast.expr] = list(statement.targets) if isinstance(statement, ast.Assign) else [statement.target]
    while waiting:
        match waiting.pop():
            case ast.Name(id=name):
                names.append(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                waiting += parts
            case ast.Starred(value=part):
                waiting.append(part)
            case _:
                return []
    return names


TREE = Tree(ROOT)

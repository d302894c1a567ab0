"""When is a result stale? When the code that made it would now read differently.

A fingerprint is a hash over the cause of a result: the source of everything that a function reaches, in its own module
and in every module of ours, definition by definition, without comments, docstrings and annotations; and the values that
went in: preset, seed, torch version. Editing `draw` or a comment leaves the fingerprint of `run` alone; touching a file
does too.

What it cannot see: names looked up by a string at run time. Don't.
"""

import ast
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from snippets.book.errors import BookError
from snippets.book.paths import ROOT

Name = tuple[str, str]  # (module, name in it)


@dataclass
class Definition:
    """A top-level statement: what it says, and the names that it mentions."""

    node: ast.stmt
    text: str = field(init=False)
    names: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.text, self.names = ast.unparse(self.node), names_in(self.node)


@dataclass
class Source:
    """A module's top level: what each name is bound to, and what runs whenever it is imported."""

    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # name -> (module, name in it)
    always: list[Definition] = field(default_factory=list)


class Strip(ast.NodeTransformer):
    """Take away what does not change what a function computes: docstrings, and annotations of arguments and results."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.strip_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self.strip_docstring(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def strip_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node


def is_ours(module: str) -> bool:
    return module == "snippets" or module.startswith("snippets.")


def path_of(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def parse(module: str) -> Source:
    """Read a module of ours. A package without code (an empty __init__.py) is an empty source."""
    path = path_of(module)
    if not path.exists():
        return Source()
    about = path.stat()
    return parse_file(module, path, about.st_mtime_ns, about.st_size)


@cache
def parse_file(module: str, path: Path, modified: int, size: int) -> Source:
    """Read a file once for each of its versions: a server that runs for hours sees every edit."""
    try:
        tree = ast.parse(path.read_text())
    except SyntaxError as error:
        raise BookError(f"{path.relative_to(ROOT)} line {error.lineno}: {error.msg}; mend the module") from error
    source = Source()
    for statement in tree.body:
        read_statement(source, module, statement)
    return source


def read_statement(source: Source, module: str, statement: ast.stmt) -> None:
    """Sort one top-level statement into definitions, imports, or what always runs."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.Import(names=names):
            for alias in names:
                source.imports[alias.asname or alias.name.split(".")[0]] = (alias.name, None)
        case ast.ImportFrom(names=names, level=level):
            package = module.split(".")[: -level or None] if level else []
            origin = ".".join([*package, *([statement.module] if statement.module else [])])
            for alias in names:
                submodule = f"{origin}.{alias.name}"
                whole = is_ours(origin) and path_of(submodule).exists()
                source.imports[alias.asname or alias.name] = (submodule, None) if whole else (origin, alias.name)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            source.definitions.setdefault(name, []).append(Definition(Strip().visit(statement)))
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            definition = Definition(statement)
            for name in {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}:
                source.definitions.setdefault(name, []).append(definition)
        case _:
            source.always.append(Definition(statement))


def names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def cause(roots: Iterable[Name]) -> dict[str, str]:
    """The source of everything that the roots reach, by full name."""
    found: dict[str, str] = {}
    seen: set[Name] = set()
    modules: dict[str, Source] = {}
    waiting = list(roots)
    while waiting:
        module, name = waiting.pop()
        if (module, name) in seen:
            continue
        seen.add((module, name))
        if module not in modules:  # what runs on import is part of the cause, whichever name was wanted
            modules[module] = parse(module)
            found[f"{module}:import"] = "\n".join(definition.text for definition in modules[module].always)
            waiting += [(module, n) for definition in modules[module].always for n in definition.names]
        source = modules[module]
        if name in source.imports:
            origin, wanted = source.imports[name]
            found[f"{module}.{name}"] = f"{origin}.{wanted}"
            if is_ours(origin):
                waiting += [(origin, wanted)] if wanted else [(origin, n) for n in parse(origin).definitions]
        if definitions := source.definitions.get(name):
            found[f"{module}.{name}"] = "\n".join(definition.text for definition in definitions)
            waiting += [(module, n) for definition in definitions for n in definition.names]
    return found


def preset_expression(experiment: str, preset: str) -> ast.expr | None:
    """The expression behind PRESETS[preset], so that another preset can change without this one going stale."""
    for definition in parse(module_of(experiment)).definitions.get("PRESETS", []):
        value = getattr(definition.node, "value", None)
        if isinstance(value, ast.Dict):
            for key, expression in zip(value.keys, value.values):
                if isinstance(key, ast.Constant) and key.value == preset:
                    return expression
    return None


def configurations(experiment: str, preset: str) -> dict[str, ast.expr]:
    """The expression behind each cell of a preset, by name. A preset that is one configuration is one cell, ''."""
    expression = preset_expression(experiment, preset)
    if expression is None:
        raise BookError(f"{experiment} has no preset '{preset}'; write PRESETS = {{'{preset}': ...}} out in its file")
    if not isinstance(expression, ast.Dict):
        return {"": expression}
    named = zip(expression.keys, expression.values)
    return {str(key.value): value for key, value in named if isinstance(key, ast.Constant)}


def cells(experiment: str, preset: str) -> list[str]:
    """The names of a preset's cells, read off the file without importing it."""
    return list(configurations(experiment, preset))


def module_of(experiment: str) -> str:
    return "snippets." + experiment.replace("/", ".")


def figures_module(experiment: str) -> str:
    part, name = experiment.split("/")
    return f"snippets.{part}.figures.{name}"


def digest(*parts: object) -> str:
    """A short hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@cache
def version(package: str) -> str:
    return importlib.metadata.version(package)


def of_cell(experiment: str, expression: ast.expr, seeds: Iterable[int]) -> list[str]:
    """What the measurements of one cell depend on, seed by seed: its own configuration, and no other cell's."""
    module = module_of(experiment)
    reached = cause([(module, "run"), *((module, name) for name in names_in(expression))])
    return [digest("run", reached, ast.unparse(expression), seed, version("torch")) for seed in seeds]


def of_run(experiment: str, preset: str, seed: int, cell: str = "") -> str:
    """What the measurements of one seed depend on, in one cell."""
    return of_cell(experiment, configurations(experiment, preset)[cell], [seed])[0]


def of_runs(experiment: str, preset: str, seeds: Iterable[int]) -> list[str]:
    """What the measurements of all seeds depend on, cell by cell."""
    seeds = list(seeds)
    parts = configurations(experiment, preset).values()
    return [stamp for expression in parts for stamp in of_cell(experiment, expression, seeds)]


def of_results(experiment: str, preset: str, seeds: Iterable[int]) -> str:
    """What the verdicts depend on: the measurements of all seeds, and the claims."""
    judging = cause([(module_of(experiment), "CLAIMS")])
    return digest("results", judging, of_runs(experiment, preset, seeds))


def of_figures(experiment: str, preset: str, seeds: Iterable[int]) -> str:
    """What the figures depend on: the measurements of all seeds, and the drawing."""
    machinery = [("snippets.book.figures.drawing", "save"), ("snippets.style", "use")]
    drawing = cause([(figures_module(experiment), "draw"), *machinery])
    return digest("figures", drawing, of_runs(experiment, preset, seeds), version("matplotlib"))


def of_lab(lab: str) -> str:
    """What a lab's notebooks and page depend on: its source, comments too, for they are its text; and their making."""
    text = (ROOT / "snippets" / "labs" / f"{lab}.py").read_text()
    making = cause(
        ("snippets.book.pages.labs", name) for name in ("read", "notebook", "solved", "stub", "executed", "page")
    )
    return digest("lab", text, making, [version("torch"), version("matplotlib")])

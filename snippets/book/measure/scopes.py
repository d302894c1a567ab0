"""Which names in a piece of code are global, and what they mean: Python's own rules of scope, over its syntax tree."""

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Ref(NamedTuple):
    """A mention of something global: a name in a module of ours, all of a module ('*'), or a module of others."""

    module: str
    name: str | None  # None: a module of others


class Import(NamedTuple):
    """What an imported name stands for."""

    module: str
    name: str | None  # None: the module itself


Scopes = tuple[frozenset[str], ...]
SILENT = {"ctx", "type_comment", "kind", "type_params", "type_ignores"}  # fields that change no result


def is_ours(module: str) -> bool:
    return module == "snippets" or module.startswith("snippets.")


def alias_targets(node: ast.Import | ast.ImportFrom, module: str, has: Callable[[str], bool]) -> dict[str, Import]:
    """What each name that an import binds stands for."""
    found = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            found[alias.asname or alias.name.split(".")[0]] = Import(
                alias.name if alias.asname else alias.name.split(".")[0], None
            )
        return found
    package = module.split(".")[: -node.level] if node.level else []
    origin = ".".join([*package, *([node.module] if node.module else [])])
    for alias in node.names:
        whole = is_ours(origin) and has(f"{origin}.{alias.name}")
        found[alias.asname or alias.name] = (
            Import(f"{origin}.{alias.name}", None) if whole else Import(origin, alias.name)
        )
    return found


def bound(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that statements bind in their own scope."""
    names: set[str] = set()
    elsewhere: set[str] = set()  # declared global: bound in the module
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
                continue
            case ast.Lambda():
                continue
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                names |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
                continue
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
            case ast.Global(names=declared):
                elsewhere |= set(declared)
        waiting += ast.iter_child_nodes(node)
    return frozenset(names - elsewhere)


class Reader:
    """Reads pieces of one module: each becomes a text, and the global things that it mentions, in order."""

    def __init__(self, module: str, imports: dict[str, Import], has: Callable[[str], bool]) -> None:
        self.module, self.imports, self.has = module, imports, has
        self.words: list[str] = []
        self.refs: list[Ref] = []

    def read(self, node: ast.AST) -> tuple[str, tuple[Ref, ...]]:
        self.words, self.refs = [], []
        self.node(node, ())
        return "".join(self.words), tuple(self.refs)

    def say(self, word: str) -> None:
        self.words.append(word)

    def node(self, node: ast.AST, scopes: Scopes) -> None:
        """Dispatch on what has a scope or a name; everything else is dumped field by field."""
        match node:
            case ast.Name() | ast.Attribute():
                if not self.mention(node, scopes):
                    self.fields(node, scopes)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self.function(node, scopes)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.comprehension(node, scopes)
            case ast.Import() | ast.ImportFrom():
                for name, target in alias_targets(node, self.module, self.has).items():
                    self.say(f"import {name} as ")
                    self.target(target)
            case ast.AnnAssign():
                self.annotated(node, scopes)
            case _:
                self.fields(node, scopes)

    def fields(self, node: ast.AST, scopes: Scopes, leave_out: tuple[str, ...] = ()) -> None:
        """Dump a node: its kind, and each field that holds something."""
        self.say(type(node).__name__ + "(")
        for name, value in ast.iter_fields(node):
            if name not in SILENT and name not in leave_out and value is not None and value != []:
                self.say(f"{name}=")
                self.value(value, scopes)
        self.say(")")

    def value(self, value: object, scopes: Scopes) -> None:
        if isinstance(value, list):
            self.say("[")
            for part in value:
                if is_silent(part):
                    continue
                self.value(part, scopes)
                self.say(",")
            self.say("]")
        elif isinstance(value, ast.AST):
            self.node(value, scopes)
        else:
            self.say(f"{type(value).__name__}:{value!r}")

    def mention(self, node: ast.Name | ast.Attribute, scopes: Scopes) -> bool:
        """A global name, or an attribute of an imported module of ours, said by what it stands for."""
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name) or any(inner.id in scope for scope in scopes):
            return False
        found = self.imports.get(inner.id)
        if found is None:
            if isinstance(node, ast.Attribute):
                return False  # the name alone comes next
            self.say(f"global {node.id}")
            self.refs.append(Ref(self.module, node.id))
            return True
        while found.name is None and is_ours(found.module) and parts:
            part = parts.pop(0)
            whole = self.has(f"{found.module}.{part}")
            found = Import(f"{found.module}.{part}", None) if whole else Import(found.module, part)
        self.target(found)
        self.say("".join(f".{part}" for part in parts))
        return True

    def target(self, found: Import) -> None:
        """Say what an import stands for: of ours, by its name alone, wherever it lies."""
        if is_ours(found.module):
            self.say(f"global {found.name or 'module'}")
            self.refs.append(Ref(found.module, found.name or "*"))
        else:
            self.say(f"other {found.module}" + (f".{found.name}" if found.name else ""))
            self.refs.append(Ref(found.module, None))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scopes: Scopes) -> None:
        """Decorators and defaults belong to the scope outside; annotations are left out."""
        given = node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        arguments += [extra for extra in (given.vararg, given.kwarg) if extra]
        own = frozenset(argument.arg for argument in arguments)
        self.say(f"{type(node).__name__} {getattr(node, 'name', '')}(")
        for group in (given.posonlyargs, given.args, [given.vararg], given.kwonlyargs, [given.kwarg]):
            self.say(",".join(argument.arg for argument in group if argument) + ";")
        for outer in (given.defaults, given.kw_defaults, getattr(node, "decorator_list", [])):
            self.value([part if part is not None else ast.Constant("none given") for part in outer], scopes)
        if isinstance(node, ast.Lambda):
            self.node(node.body, (*scopes, own | bound([node.body])))
        else:
            own |= frozenset(str(getattr(kind, "name", "")) for kind in getattr(node, "type_params", []))
            self.value(node.body, (*without_globals(scopes, node), own | bound(node.body)))
        self.say(")")

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scopes: Scopes) -> None:
        """Its first iterable belongs to the scope outside, the rest to its own."""
        first = node.generators[0]
        own = frozenset(
            name.id
            for generator in node.generators
            for name in ast.walk(generator.target)
            if isinstance(name, ast.Name)
        )
        inside = (*scopes, own)
        self.say(type(node).__name__ + "(")
        self.node(first.iter, scopes)
        self.fields(first, inside, leave_out=("iter",))
        for generator in node.generators[1:]:
            self.fields(generator, inside)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.node(part, inside)
        self.say(")")

    def annotated(self, node: ast.AnnAssign, scopes: Scopes) -> None:
        """Of an annotation counts that it is there (a dataclass's field), unless it says how the class treats it."""
        special = any(
            name in ("ClassVar", "InitVar", "KW_ONLY")
            for part in ast.walk(node.annotation)
            if (name := getattr(part, "attr", None) or getattr(part, "id", None))
        )
        self.fields(node, scopes, leave_out=() if special else ("annotation",))


def without_globals(scopes: Scopes, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Scopes:
    """The scopes around a function, less what it declares global."""
    declared = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
    return tuple(scope - declared for scope in scopes) if declared else scopes


def is_silent(node: object) -> bool:
    """A statement that does nothing: a docstring, or pass."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))

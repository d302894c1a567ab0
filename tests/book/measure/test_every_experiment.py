"""On every experiment of the book: what is no cause of its measurements makes nothing stale, and every definition that
`run` reaches does. The texts are edited in memory.
"""

import ast
from functools import cache

import pytest

from snippets.book.measure import fingerprint
from snippets.book.measure.sources import TREE, Tree
from snippets.book.paths import ROOT, SNIPPETS

SEEDS = [0, 1]
Texts = dict[str, str | None]


class Edit(ast.NodeTransformer):
    """Change the code of some definitions, or of all: each function does one thing more, each value is another."""

    def __init__(self, only: set[str] | None = None, spare: set[str] | None = None) -> None:
        self.only, self.spare = only, spare or set()

    def wanted(self, name: str) -> bool:
        return name not in self.spare and (self.only is None or name in self.only)

    def edited(self, tree: ast.Module) -> str:
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                for child in node.body:
                    if isinstance(child, ast.FunctionDef) and self.wanted(f"{node.name}.{child.name}"):
                        child.body.append(ast.parse("print('edited')").body[0])
                if self.wanted(node.name):
                    node.body.append(ast.parse("edited = 1").body[0])
            elif isinstance(node, ast.FunctionDef) and self.wanted(node.name):
                node.body.append(ast.parse("print('edited')").body[0])
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
                if any(map(self.wanted, names)):
                    node.value = ast.Tuple([node.value, ast.Constant("edited")], ast.Load())
            elif isinstance(node, ast.If) and self.wanted("import"):  # what runs when the module is imported
                node.body.append(ast.parse("edited = 1").body[0])
        return ast.unparse(ast.fix_missing_locations(tree))


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def edited(path: str, **options) -> Texts:
    return {path: Edit(**options).edited(ast.parse(text_of(path)))}


def files() -> list[str]:
    """Every module that an experiment might reach."""
    paths = [*SNIPPETS.glob("*.py"), *SNIPPETS.glob("*/*.py"), *(SNIPPETS / "icl").rglob("*.py")]
    return sorted({str(p.relative_to(ROOT)) for p in paths if p.parent.name not in ("book", "labs")})


def stamps(name: str, texts: Texts | None = None) -> dict:
    if texts is None:
        return fingerprint.stamps(name, "laptop", SEEDS)
    return fingerprint.stamps(name, "laptop", SEEDS, Tree(ROOT, texts, beside=TREE))


def reached(name: str) -> dict[str, str]:
    """The digests of the definitions that the experiment reaches, in any cell."""
    return {n: d for cause in fingerprint.causes(name, "laptop").values() for n, d in cause.definitions.items()}


def test_what_is_no_cause_makes_nothing_stale(name):
    part, short = name.split("/")
    mine = set(reached(name))
    texts = (
        edited(f"snippets/{name}.py", spare={*mine, "PRESETS"})  # its claims, and what they compute
        | edited(f"snippets/{part}/figures/{short}.py")
        | edited("snippets/style.py")
        | edited("snippets/contract.py", spare=mine)
        | edited("snippets/book/measure/judge.py")
    )
    assert "CLAIMS" not in mine
    assert stamps(name, texts) == stamps(name)


@cache
def remarked() -> Tree:
    """Every file with a comment in front and other docstrings."""
    texts: Texts = {}
    for path in files():
        tree = ast.parse(text_of(path))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
                node.body[0] = ast.Expr(ast.Constant("Other words."))
        texts[path] = "# a comment\n" + ast.unparse(ast.fix_missing_locations(tree))
    return Tree(ROOT, texts)


def test_comments_docstrings_and_layout_make_nothing_stale(name):
    assert fingerprint.stamps(name, "laptop", SEEDS, remarked()) == stamps(name)


@cache
def moved() -> Tree:
    """Every module of icl in another folder, under another name."""
    new_names = {
        path: f"snippets/icl/moved/{path.removesuffix('.py').replace('/', '_')}.py"
        for path in files()
        if path.startswith("snippets/icl/") and not path.endswith("__init__.py")
    }
    modules = {old: new for old, new in ((dotted(o), dotted(n)) for o, n in new_names.items())}
    texts: Texts = {path: rewritten(text_of(path), modules) for path in files() if path not in new_names}
    for old, new in new_names.items():
        texts[new] = rewritten(text_of(old), modules)
        texts[old] = None
    return Tree(ROOT, texts)


def dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def rewritten(text: str, modules: dict[str, str]) -> str:
    """A file whose imports follow the moves."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            package = str(node.module)
            if package in modules:
                node.module = modules[package]
            elif any(f"{package}.{alias.name}" in modules for alias in node.names):
                for alias in node.names:
                    new = modules[f"{package}.{alias.name}"]
                    alias.asname = alias.asname or alias.name
                    node.module, alias.name = new.rsplit(".", 1)
    return ast.unparse(tree)


def test_moving_modules_makes_nothing_stale(name):
    assert fingerprint.stamps(name, "laptop", SEEDS, moved()) == stamps(name)


@cache
def all_edited() -> Tree:
    texts: Texts = {}
    for path in files():
        texts |= edited(path, spare={"PRESETS"})
    return Tree(ROOT, texts)


def test_editing_any_definition_that_run_reaches_makes_it_stale(name):
    """All are edited at once: the digest of each has to change, and one changed digest is another fingerprint."""
    after = {n: d for c in fingerprint.causes(name, "laptop", all_edited()).values() for n, d in c.definitions.items()}
    same = [definition for definition, digest in reached(name).items() if after.get(definition) == digest]
    assert same == [], "these do not count"
    for cell, cause in fingerprint.causes(name, "laptop").items():
        for definition in cause.definitions:
            other = fingerprint.Cause(
                cause.definitions | {definition: "another"}, cause.configuration, cause.pins, cause.places
            )
            assert other.stamp(0) != cause.stamp(0), (cell, definition)


def test_each_definition_counts_alone():
    """One experiment, one edit at a time."""
    name, path = "abrupt_learning/jump", "snippets/abrupt_learning/jump.py"
    own = {node.name for node in ast.parse(text_of(path)).body if isinstance(node, ast.FunctionDef)}
    before = stamps(name)
    for definition in sorted(own & set(reached(name))):
        assert stamps(name, edited(path, only={definition})) != before, definition
    for definition in sorted(own - set(reached(name))):
        assert stamps(name, edited(path, only={definition})) == before, definition


def test_another_cell_makes_nothing_stale(name):
    cells = fingerprint.configurations(name, "laptop")
    if len(cells) == 1:
        pytest.skip("no sweep")
    path = f"snippets/{name}.py"
    tree = ast.parse(text_of(path))
    last = list(cells)[-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for i, key in enumerate(node.keys):
                if isinstance(key, ast.Constant) and key.value == last:
                    node.values[i] = ast.Tuple([node.values[i], ast.Constant("edited")], ast.Load())
    before, after = stamps(name), stamps(name, {path: ast.unparse(ast.fix_missing_locations(tree))})
    if set(before) != set(after):
        pytest.fail("the cells changed")
    changed = {cell for (_, cell), stamp in before.items() if after[0, cell] != before[0, cell]}
    assert last in changed
    assert changed == {last} or mentions(name, last), changed


def mentions(name: str, cell: str) -> bool:
    """Whether what run reaches has a table with an entry of the cell's name: that was edited too."""
    path = f"snippets/{name}.py"
    tables = [n for n in ast.walk(ast.parse(text_of(path))) if isinstance(n, ast.Dict)]
    return sum(any(isinstance(k, ast.Constant) and k.value == cell for k in table.keys) for table in tables) > 1

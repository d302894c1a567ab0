"""When is a result stale? When the code that made it would now read differently.

A fingerprint is a hash over the cause of a result: each definition that `run` reaches, in its own module and in every
module of ours (closure.py); the expression of the configuration; the seed; and the pins of every module of others among
them (pins.py). Comments, docstrings, annotations and the places of modules are no part of it.

What it cannot see: names looked up by a string at run time, and what a decorator or another module puts into a table.
Don't.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from snippets.book.errors import BookError
from snippets.book.measure import pins
from snippets.book.measure.closure import closure
from snippets.book.measure.scopes import Reader, Ref
from snippets.book.measure.sources import TREE, Tree
from snippets.book.paths import figures_module, module_of

Unit = tuple[int, str]  # what is trained in one go: a seed, and in a sweep one cell of it ('' elsewhere)


@dataclass(frozen=True)
class Cause:
    """What the measurements of one cell depend on, whatever the seed."""

    definitions: dict[str, str]  # digest of each definition that is reached, by name
    configuration: str  # digest of the expression in PRESETS
    pins: dict[str, str]  # the lines of requirements.txt, by package
    places: dict[str, str]  # the module of each definition, for people to find it

    def stamp(self, seed: int) -> str:
        return digest("run", self.definitions, self.configuration, self.pins, seed)


def digest(*parts: object) -> str:
    """A short hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def preset_expression(experiment: str, preset: str, tree: Tree = TREE) -> ast.expr | None:
    """The expression behind PRESETS[preset], so that another preset can change without this one going stale."""
    tree.look()
    value = getattr(tree.source(module_of(experiment)).nodes.get("PRESETS"), "value", None)
    if isinstance(value, ast.Dict):
        for key, expression in zip(value.keys, value.values):
            if isinstance(key, ast.Constant) and key.value == preset:
                return expression
    return None


def configurations(experiment: str, preset: str, tree: Tree = TREE) -> dict[str, ast.expr]:
    """The expression behind each cell of a preset, by name. A preset that is one configuration is one cell, ''."""
    expression = preset_expression(experiment, preset, tree)
    if expression is None:
        raise BookError(f"{experiment} has no preset '{preset}'; write PRESETS = {{'{preset}': ...}} out in its file")
    if not isinstance(expression, ast.Dict):
        return {"": expression}
    named = zip(expression.keys, expression.values)
    return {str(key.value): value for key, value in named if isinstance(key, ast.Constant)}


def cells(experiment: str, preset: str) -> list[str]:
    """The names of a preset's cells, read off the file without importing it."""
    return list(configurations(experiment, preset))


def causes(experiment: str, preset: str, tree: Tree = TREE) -> dict[str, Cause]:
    """What the measurements of each cell depend on: its own configuration, and no other cell's."""
    tree.look()
    module = module_of(experiment)
    source = tree.source(module)
    reader = Reader(module, source.imports, tree.has)
    found = {}
    for cell, expression in configurations(experiment, preset, tree).items():
        text, refs = reader.read(expression)
        reached = closure(tree, [Ref(module, "run"), *refs])
        found[cell] = Cause(reached.definitions, digest(text), pins.of(reached.others), reached.places)
    return found


def stamps(experiment: str, preset: str, seeds: Iterable[int], tree: Tree = TREE) -> dict[Unit, str]:
    """The fingerprint of each seed in each cell."""
    found = causes(experiment, preset, tree)
    return {(seed, cell): cause.stamp(seed) for seed in seeds for cell, cause in found.items()}


def of_run(experiment: str, preset: str, seed: int, cell: str = "", tree: Tree = TREE) -> str:
    """What the measurements of one seed depend on, in one cell."""
    return causes(experiment, preset, tree)[cell].stamp(seed)


def of_measurements(stamps: dict[Unit, str]) -> str:
    """One word for the fingerprints of all seeds in all cells."""
    return digest("measurements", sorted(stamps.values()))


def of_claims(experiment: str, tree: Tree = TREE) -> str:
    """What the verdicts depend on besides the measurements: the claims, and how a claim is judged."""
    tree.look()
    roots = [Ref(module_of(experiment), "CLAIMS"), Ref("snippets.book.measure.judge", "verdict")]
    reached = closure(tree, roots)
    return digest("claims", reached.definitions, pins.of(reached.others))


def of_results(experiment: str, preset: str, seeds: Iterable[int], tree: Tree = TREE) -> str:
    """What the verdicts depend on: the measurements of all seeds, and the claims."""
    return digest(of_measurements(stamps(experiment, preset, seeds, tree)), of_claims(experiment, tree))


def of_drawing(experiment: str, tree: Tree = TREE) -> str:
    """What the figures depend on besides the measurements: how they are drawn and saved."""
    tree.look()
    machinery = [Ref("snippets.book.figures.drawing", "save"), Ref("snippets.style", "use")]
    reached = closure(tree, [Ref(figures_module(experiment), "draw"), *machinery])
    return digest("figures", reached.definitions, pins.of(reached.others))


def of_figures(experiment: str, preset: str, seeds: Iterable[int], tree: Tree = TREE) -> str:
    """What the figures depend on: the measurements of all seeds, and the drawing."""
    return digest(of_measurements(stamps(experiment, preset, seeds, tree)), of_drawing(experiment, tree))

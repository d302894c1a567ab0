"""Everything that a definition reaches, in whatever module, and a digest of each part of it.

A digest covers a definition's name, its text, and what each name in it stands for. Modules have no part in it: a module
may move, and two definitions of one name in two modules both count.
"""

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from snippets.book.measure.scopes import Ref, is_ours
from snippets.book.measure.sources import Item, Tree


@dataclass
class Closure:
    """What some roots reach."""

    definitions: dict[str, str] = field(default_factory=dict)  # digest of each definition, by name
    places: dict[str, str] = field(default_factory=dict)  # the module of each, for people to find it
    others: set[str] = field(default_factory=set)  # modules that are not ours and not Python's own


def digest(*parts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def closure(tree: Tree, roots: Iterable[Ref]) -> Closure:
    """The definitions that the roots reach."""
    found: dict[str, set[str]] = {}
    reached = Closure()
    seen: set[Ref] = set()
    modules: set[str] = set()
    waiting = list(roots)
    while waiting:
        ref = resolve(tree, waiting.pop())
        if ref in seen:
            continue
        seen.add(ref)
        if ref.name is None:
            top = ref.module.split(".")[0]
            if top not in sys.stdlib_module_names:
                reached.others.add(top)
            continue
        items = items_of(tree, ref)
        if ref.module not in modules:  # what runs on import is part of the cause, whichever name was wanted
            modules.add(ref.module)
            items = [*items, *tree.source(ref.module).always]
        for item in items:
            reached.places[item.name] = ref.module.split(".")[-1]
            found.setdefault(item.name, set()).add(item_digest(tree, item))
            waiting += item.refs
    reached.definitions = {name: "+".join(sorted(found[name])) for name in sorted(found)}
    return reached


def resolve(tree: Tree, ref: Ref) -> Ref:
    """Follow a name through the modules that only pass it on."""
    return tree.remember(("resolve", ref), lambda: followed(tree, ref))


def followed(tree: Tree, ref: Ref) -> Ref:
    for _ in range(20):
        if not is_ours(ref.module) or ref.name in (None, "*"):
            return ref if is_ours(ref.module) else Ref(ref.module, None)
        source = tree.source(ref.module)
        target = source.imports.get(str(ref.name))
        if target is None or ref.name in source.definitions:
            return ref
        ref = Ref(target.module, target.name or ("*" if is_ours(target.module) else None))
    return ref


def items_of(tree: Tree, ref: Ref) -> list[Item]:
    """What a name is bound to; all that a module defines for '*'. Nothing for a name that Python brings."""
    source = tree.source(ref.module)
    if ref.name == "*":
        return [item for items in source.definitions.values() for item in items]
    return source.definitions.get(str(ref.name), [])


def item_digest(tree: Tree, item: Item) -> str:
    """The digest of a definition: what it says, and what the names in it stand for."""
    return tree.remember(item, lambda: digest(item.name, item.text, *(meaning(tree, ref) for ref in item.refs)))


def meaning(tree: Tree, ref: Ref) -> str:
    """What a name stands for, in a word that is the same wherever it is defined."""
    ref = resolve(tree, ref)
    if ref.name is None:
        return ref.module
    return tree.remember(
        ("meaning", ref), lambda: digest(*(part for item in items_of(tree, ref) for part in (item.name, item.text)))
    )

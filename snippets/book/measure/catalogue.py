"""The experiments there are: how each is found, loaded and checked against the contract.

    snippets/<part>/<name>.py             PRESETS, CLAIMS, run(config, seed) -> Measurements
    snippets/<part>/figures/<name>.py     draw(runs) -> dict of figures, from the measurements of all seeds, in order

A preset is one configuration, or several by name: the cells of a sweep. `run` then takes one cell's configuration, and
`draw` and the claims find a seed's measurements by cell: m["cell"]["name"].

An experiment is found by its path: snippets/abrupt_learning/jump.py is `abrupt_learning/jump`.
"""

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import fingerprint
from snippets.book.paths import SNIPPETS
from snippets.contract import VERDICTS, Claim, Measurements, Predicate

ROOMS_WITHOUT_EXPERIMENTS = ("benchmarks", "book", "diagrams", "icl", "interactives", "labs", "live")


@dataclass(frozen=True)
class Experiment:
    """An experiment that keeps the contract."""

    name: str  # part/name
    module: ModuleType

    @property
    def draw(self) -> Callable[[list[Measurements]], dict[str, Any]]:
        """What draws its figures. Raises BookError where there is none."""
        name = f"snippets.{figures_of(self.name)}"
        try:
            module = importlib.import_module(name)
        except Exception as error:
            raise BookError(f"{name} does not import: {type(error).__name__}: {error}; mend the module") from error
        if problem := broken_function(module, "draw", ["runs"]):
            raise BookError(f"{name} breaks the contract: {problem}; CONTRIBUTING.md shows what an experiment has")
        return module.draw

    @property
    def claims(self) -> list[Claim]:
        return self.module.CLAIMS

    @property
    def question(self) -> str:
        """The docstring's first paragraph."""
        return inspect.cleandoc(self.module.__doc__ or "").split("\n\n")[0].replace("\n", " ")

    def preset(self, preset: str) -> Any:
        """The configuration of that name. Raises UsageError where the experiment has none."""
        if preset not in self.module.PRESETS:
            has = ", ".join(self.module.PRESETS)
            raise UsageError(f"{self.name} has no preset '{preset}': choose from {has}")
        return self.module.PRESETS[preset]

    def cells(self, preset: str) -> dict[str, Any]:
        """The configuration of each cell of a sweep, by name. A preset that is one configuration is one cell, ''."""
        return cells_of(self.preset(preset))

    def choose_cells(self, preset: str, names: str) -> list[str]:
        """The cells that a text names, such as a,b; all of them if it names none. Raises UsageError."""
        has = self.cells(preset)
        for name in names.split(",") if names else []:
            if name not in has:
                choice = "it is no sweep" if "" in has else f"choose from {', '.join(has)}"
                raise UsageError(f"{self.name} has no cell '{name}' in preset '{preset}': {choice}")
        return names.split(",") if names else list(has)

    def setting(self, preset: str, name: str) -> Any:
        """A field of a preset; a dot reaches into a cell, or a field that is itself a configuration. Raises KeyError or
        AttributeError where there is none.
        """
        value = self.preset(preset)
        for part in name.split("."):
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        return value


def figures_of(experiment: str) -> str:
    """The module that draws an experiment, below snippets: part.figures.name."""
    part, name = experiment.split("/")
    return f"{part}.figures.{name}"


def cells_of(preset: Any) -> dict[str, Any]:
    return preset if isinstance(preset, dict) else {"": preset}


def discover() -> list[str]:
    """The names of all experiments, sorted."""
    files = SNIPPETS.glob("*/*.py")
    return sorted(
        f"{file.parent.name}/{file.stem}"
        for file in files
        if file.parent.name not in ROOMS_WITHOUT_EXPERIMENTS and not file.stem.startswith("_")
    )


def resolve(name: str) -> str:
    """The full name of an experiment given in full or, where only one matches, without its part."""
    names = discover()
    wanted = name.removeprefix("snippets/").removesuffix(".py").replace("-", "_")
    matches = [n for n in names if n == wanted] or [n for n in names if n.split("/")[1] == wanted]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"'{name}' is several experiments: choose from {', '.join(matches)}")
    near = difflib.get_close_matches(wanted, names + [n.split("/")[1] for n in names], n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "`python -m snippets list` shows what there is"
    raise UsageError(f"no experiment '{name}': {hint}")


def load(name: str) -> Experiment:
    """Import an experiment and check the contract. Raises BookError naming the part that is missing or wrong."""
    name = resolve(name)
    try:
        module = importlib.import_module("snippets." + name.replace("/", "."))
    except Exception as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        raise BookError(f"{name} does not import: {type(error).__name__}: {error}{line}; mend the module") from error
    if problem := broken_part(module) or unwritten_cells(name, module):
        raise BookError(f"{name} breaks the contract: {problem}; CONTRIBUTING.md shows what an experiment has")
    return Experiment(name, module)


def unwritten_cells(name: str, module: ModuleType) -> str | None:
    """Whether a preset computes its cells. They are read off the file, so they have to be written out in it."""
    for preset, value in module.PRESETS.items():
        if isinstance(value, dict) and fingerprint.cells(name, preset) != list(value):
            return f"PRESETS['{preset}'] computes its cells; write them out, one 'name': Config(...) a line"
    return None


def forget() -> None:
    """Forget every experiment and all of icl, so that the next `load` reads the files anew."""
    kept = ("book", "contract", "progress")  # what this process has made use of already
    for module in [m for m in sys.modules if m.startswith("snippets.") and m.split(".")[1] not in kept]:
        del sys.modules[module]


def broken_part(module: ModuleType) -> str | None:
    """The first part of the contract that the module breaks, or None."""
    if not (module.__doc__ or "").strip():
        return "the module has no docstring; it states the question and the source"
    presets = getattr(module, "PRESETS", None)
    if not isinstance(presets, dict) or "laptop" not in presets:
        return "PRESETS is not a dictionary with a 'laptop' entry"
    for key, preset in presets.items():
        if preset == {}:
            return f"PRESETS['{key}'] is a sweep without cells"
        for cell, config in cells_of(preset).items():
            where = f"PRESETS['{key}']" + (f"['{cell}']" if isinstance(preset, dict) else "")
            if isinstance(preset, dict) and not re.fullmatch("[a-z0-9-]+", str(cell)):
                return f"the cell {where} is not named in lower-case letters, digits and hyphens"
            settings: Any = getattr(type(config), "__dataclass_params__", None)
            if settings is None or not settings.frozen:
                return f"{where} is not an instance of a frozen dataclass"
    return broken_function(module, "run", ["config", "seed"]) or broken_claims(getattr(module, "CLAIMS", None))


def broken_function(module: ModuleType, name: str, takes: list[str]) -> str | None:
    """Whether a function is missing or takes something else, or None."""
    if not inspect.isfunction(getattr(module, name, None)):
        return f"{name} is not a function"
    if list(inspect.signature(getattr(module, name)).parameters) != takes:
        return f"{name} does not take ({', '.join(takes)})"
    return None


def broken_claims(claims: object) -> str | None:
    """The first thing wrong with an experiment's claims, or None."""
    if not isinstance(claims, list) or not claims or not all(isinstance(c, Claim) for c in claims):
        return "CLAIMS is not a non-empty list of Claim"
    ids = [claim.id for claim in claims]
    for claim in claims:
        if ids.count(claim.id) > 1:
            return f"two claims share the id '{claim.id}'"
        if not claim.id.replace("-", "").isalnum() or claim.id != claim.id.lower():
            return f"the claim id '{claim.id}' is not made of lower-case letters, digits and hyphens"
        if not isinstance(claim.holds, Predicate):
            return f"claim '{claim.id}' is not judged by a predicate that prints itself, such as below(0.2)"
        if not claim.says.strip().endswith("."):
            return f"claim '{claim.id}' does not say a whole sentence"
        if not 0 < claim.quorum <= 1:
            return f"claim '{claim.id}' has quorum {claim.quorum}, which is not a share of the seeds"
        if claim.reported and claim.reported.verdict not in VERDICTS:
            return f"claim '{claim.id}' has the verdict '{claim.reported.verdict}', not one of {', '.join(VERDICTS)}"
    return None

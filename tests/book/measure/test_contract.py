"""Every experiment keeps the contract, and one that does not is told which part it breaks."""

import types
from dataclasses import dataclass

import pytest

from snippets.book.errors import UsageError
from snippets.book.measure import catalogue
from snippets.contract import Claim, Reported


@dataclass(frozen=True)
class Config:
    size: int = 1


@dataclass
class Thawed:
    size: int = 1


def claim(**changes) -> Claim:
    return Claim(**({"id": "a", "says": "It holds.", "value": lambda m: 1.0, "holds": lambda v: True} | changes))


def module(**changes) -> types.ModuleType:
    """A module that keeps the contract, with some parts replaced (None: left out)."""
    made = types.ModuleType("made", "A question?")
    parts = {
        "PRESETS": {"laptop": Config()},
        "CLAIMS": [claim()],
        "run": lambda config, seed: {},
        "draw": lambda runs: {},
    }
    for key, value in (parts | changes).items():
        if value is None:
            continue
        setattr(made, key, value)
    if "doc" in changes:
        made.__doc__ = changes["doc"]
    return made


def test_every_experiment_keeps_the_contract(name):
    experiment = catalogue.load(name)
    assert experiment.question.endswith("?"), "the first paragraph of the docstring is the question"
    assert "source" in experiment.module.__doc__.lower(), "the docstring names the source, or says that there is none"


def test_a_module_that_keeps_the_contract_has_no_broken_part():
    assert catalogue.broken_part(module()) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"doc": ""}, "docstring"),
        ({"PRESETS": None}, "PRESETS"),
        ({"PRESETS": {"paper": Config()}}, "'laptop'"),
        ({"PRESETS": {"laptop": Thawed()}}, "frozen dataclass"),
        ({"PRESETS": {"laptop": Config}}, "frozen dataclass"),
        ({"PRESETS": {"laptop": {}}}, "a sweep without cells"),
        ({"PRESETS": {"laptop": {"a": Config(), "b": Thawed()}}}, "PRESETS['laptop']['b'] is not an instance"),
        ({"PRESETS": {"laptop": {"a b": Config()}}}, "the cell PRESETS['laptop']['a b'] is not named in"),
        ({"PRESETS": {"laptop": {"": Config()}}}, "the cell PRESETS['laptop'][''] is not named in"),
        ({"run": None}, "run is not a function"),
        ({"run": lambda seed: {}}, "run does not take (config, seed)"),
        ({"draw": None}, "draw is not a function"),
        ({"draw": lambda runs, seed: {}}, "draw does not take (runs)"),
        ({"CLAIMS": None}, "CLAIMS"),
        ({"CLAIMS": []}, "CLAIMS"),
        ({"CLAIMS": ["it holds"]}, "CLAIMS"),
        ({"CLAIMS": [claim(), claim()]}, "share the id 'a'"),
        ({"CLAIMS": [claim(id="Not an id")]}, "'Not an id'"),
        ({"CLAIMS": [claim(says="no stop")]}, "whole sentence"),
        ({"CLAIMS": [claim(quorum=0)]}, "quorum"),
        ({"CLAIMS": [claim(reported=Reported("k", "figure 1", "x", "confirmed"))]}, "'confirmed'"),
    ],
)
def test_the_broken_part_is_named(changes, says):
    assert says in catalogue.broken_part(module(**changes))


def test_a_sweep_keeps_the_contract():
    sweep = {"small": Config(1), "large": Config(2)}
    made = module(PRESETS={"laptop": sweep, "paper": Config(3)})
    assert catalogue.broken_part(made) is None
    experiment = catalogue.Experiment("part/made", made)
    assert experiment.cells("laptop") == sweep and experiment.cells("paper") == {"": Config(3)}
    assert experiment.setting("laptop", "large.size") == 2 and experiment.setting("paper", "size") == 3
    for name in ("size", "small.length", "small.size.more", "huge.size"):
        with pytest.raises((KeyError, AttributeError)):
            experiment.setting("laptop", name)
    assert experiment.choose_cells("laptop", "") == ["small", "large"]
    assert experiment.choose_cells("laptop", "large") == ["large"]
    with pytest.raises(UsageError, match="no cell 'huge' in preset 'laptop': choose from small, large"):
        experiment.choose_cells("laptop", "small,huge")


@pytest.mark.parametrize(
    ("quorum", "seeds", "needed"), [(0.8, 5, 4), (0.8, 1, 1), (0.8, 10, 8), (1.0, 5, 5), (0.6, 5, 3)]
)
def test_quorum(quorum, seeds, needed):
    assert claim(quorum=quorum).needed(seeds) == needed


def test_names_resolve_in_full_and_in_short(name):
    assert catalogue.resolve(name) == name
    assert catalogue.resolve(f"snippets/{name}.py") == name
    assert catalogue.resolve(name.split("/")[1].replace("_", "-")) == name


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean abrupt_learning/jump"):
        catalogue.resolve("abrupt_learning/jumps")


def test_a_missing_preset_lists_those_there_are(name):
    with pytest.raises(UsageError, match="choose from laptop"):
        catalogue.load(name).preset("cluster")

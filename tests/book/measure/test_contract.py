"""Every experiment keeps the contract, and one that does not is told which part it breaks."""

import types
from dataclasses import dataclass

import pytest

from snippets.book.errors import BookError, UsageError
from snippets.book.measure import catalogue, judge
from snippets.contract import Claim, Reported, above, below


@dataclass(frozen=True)
class Config:
    size: int = 1


@dataclass
class Thawed:
    size: int = 1


def claim(**changes) -> Claim:
    parts = {"id": "a", "value": lambda m: 1.0, "holds": above(0), "unit": "", "says": "It holds."}
    return Claim(**(parts | changes))


def module(**changes) -> types.ModuleType:
    """A module that keeps the contract, with some parts replaced (None: left out)."""
    made = types.ModuleType("made", "A question?")
    parts = {
        "PRESETS": {"laptop": Config()},
        "CLAIMS": [claim()],
        "run": lambda config, seed: {},
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
    assert callable(experiment.draw)
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
        ({"CLAIMS": None}, "CLAIMS"),
        ({"CLAIMS": []}, "CLAIMS"),
        ({"CLAIMS": ["it holds"]}, "CLAIMS"),
        ({"CLAIMS": [claim(), claim()]}, "share the id 'a'"),
        ({"CLAIMS": [claim(id="Not an id")]}, "'Not an id'"),
        ({"CLAIMS": [claim(says="no stop")]}, "whole sentence"),
        ({"CLAIMS": [claim(quorum=0)]}, "quorum"),
        ({"CLAIMS": [claim(holds=lambda value: True)]}, "a predicate that prints itself"),
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


def judged(values: list[float | None], **changes) -> dict:
    """The verdict on a claim whose value on each seed is this; None where it does not apply."""
    stated = claim(value=lambda m: m["v"], **({"applies": lambda m: m["v"] is not None} | changes))
    return judge.verdict("part/name", stated, list(range(len(values))), [{"v": value} for value in values])


def test_a_claim_holds_on_enough_of_the_seeds_it_applies_to():
    found = judged([1.0, -1.0, None, 2.0, 3.0])
    assert found["values"] == [1.0, -1.0, None, 2.0, 3.0] and found["passed"] == [True, False, None, True, True]
    assert (found["applies"], found["needed"], found["holds"]) == (4, 4, False)
    assert judged([1.0, -1.0, 1.0, 2.0, 3.0])["holds"] and judged([1.0, None, 1.0, 2.0, None])["holds"]
    assert (found["low"], found["median"], found["high"]) == (-1.0, 1.5, 3.0)
    nowhere = judged([None, None])
    assert not nowhere["holds"] and nowhere["median"] is None, "a claim that applies to no seed fails"


def test_an_exact_claim_needs_every_seed():
    found = judged([0.1, 0.1, 0.1, 0.1, 3.0], holds=below(1), exact=True)
    assert not found["holds"] and found["needed"] == 5
    assert (found["kind"], found["verdict"], found["predicate"]) == ("exact", "exact", "< 1")


def test_never_is_written_as_a_word_and_nan_is_an_error():
    assert judged([float("inf")])["high"] == "never"
    with pytest.raises(BookError, match="claim 'a' of part/name is NaN on seed 1"):
        judged([1.0, float("nan")])


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

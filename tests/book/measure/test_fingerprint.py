"""What changes a fingerprint and what does not, on a small book of three modules."""

import pytest

from snippets.book.measure import fingerprint

EXPERIMENT = '''"""Question?"""
import torch
from snippets.book import style
from snippets.icl.shared import helper, UNUSED
from snippets.icl import whole

SCALE = 2


class Config:
    size: int = 1


PRESETS = {"laptop": Config(), "paper": Config()}


def run(config, seed: int) -> dict:
    """Docstring."""
    return {"a": inner(config) * SCALE}  # comment


def inner(config):
    return helper(config) + whole.other(config)


def only_drawn(runs):
    return style.WIDTH


def value(m):
    return m["a"]


CLAIMS = [value]


def draw(runs):
    return only_drawn(runs)
'''
SHARED = '''"""Doc."""
from snippets.icl.deep import CONSTANT

UNUSED = 1


def helper(x):
    return x + CONSTANT
'''
FILES = {
    "snippets/part/experiment.py": EXPERIMENT,
    "snippets/icl/shared.py": SHARED,
    "snippets/icl/deep.py": "CONSTANT = 3\nOTHER = 4\n",
    "snippets/icl/whole.py": "def other(x):\n    return x\n",
    "snippets/style.py": "WIDTH = 5\n\n\ndef use(theme):\n    return WIDTH\n",
    "snippets/book/figures/drawing.py": "def save(figure):\n    return figure\n",
}


@pytest.fixture
def prints(tmp_path, monkeypatch):
    """Fingerprints (run, results, figures) of the small book, with some texts replaced."""

    def compute(**replaced) -> tuple[str, str, str]:
        for file, text in FILES.items():
            for old, new in replaced.get(file.rsplit("/", 1)[1].removesuffix(".py"), []):
                assert old in text
                text = text.replace(old, new)
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
        fingerprint.parse_file.cache_clear()
        of = ("part/experiment", "laptop")
        return (
            fingerprint.of_run(*of, 0),
            fingerprint.of_results(*of, [0, 1]),
            fingerprint.of_figures(*of, [0, 1]),
        )

    yield compute
    fingerprint.parse_file.cache_clear()


def changed(before, after) -> str:
    return "".join(letter for letter, a, b in zip("rjd", before, after, strict=True) if a != b)


# r: train again, j: judge again, d: draw again
@pytest.mark.parametrize(
    ("module", "old", "new", "what"),
    [
        ("experiment", "# comment", "# another", ""),
        ("experiment", '"""Docstring."""', '"""Another."""', ""),
        ("experiment", "seed: int) -> dict", "seed)", ""),
        ("experiment", "return only_drawn(runs)", "return [only_drawn(runs)]", "d"),
        ("experiment", "return style.WIDTH", "return style.WIDTH + 1", "d"),
        ("experiment", 'return m["a"]', 'return -m["a"]', "j"),
        ("experiment", "SCALE = 2", "SCALE = 3", "rjd"),
        ("experiment", "return {", "return {**{}, ", "rjd"),
        ("experiment", "return helper(config)", "return 1 + helper(config)", "rjd"),
        ("experiment", "size: int = 1", "size: int = 2", "rjd"),
        ("experiment", '"laptop": Config()', '"laptop": Config(2)', "rjd"),
        ("experiment", '"paper": Config()', '"paper": Config(2)', ""),
        ("experiment", "import torch", "import torch\nimport numpy", ""),
        ("shared", "return x + CONSTANT", "return x - CONSTANT", "rjd"),
        ("shared", "UNUSED = 1", "UNUSED = 2", ""),
        ("shared", '"""Doc."""', "", ""),
        ("deep", "CONSTANT = 3", "CONSTANT = 5", "rjd"),
        ("deep", "OTHER = 4", "OTHER = 5", ""),
        ("deep", "OTHER = 4", "OTHER = 4\nif OTHER:\n    CONSTANT += 1", "rjd"),
        ("whole", "return x", "return x * 2", "rjd"),
        ("style", "WIDTH = 5", "WIDTH = 6", "d"),
        ("drawing", "return figure", "return [figure]", "d"),
    ],
)
def test_what_an_edit_makes_stale(prints, module, old, new, what):
    assert changed(prints(), prints(**{module: [(old, new)]})) == what


def test_seeds_and_presets_differ(prints):
    prints()
    assert fingerprint.of_run("part/experiment", "laptop", 0) != fingerprint.of_run("part/experiment", "laptop", 1)


def test_a_cell_depends_on_its_own_configuration_alone(prints):
    def cells(*replaced) -> dict[str, str]:
        sweep = '{"a": Config(2), "b": Config(SCALE)}'
        prints(experiment=[('"paper": Config()', f'"paper": {sweep}'), *replaced])
        assert fingerprint.cells("part/experiment", "paper") == ["a", "b"]
        return {cell: fingerprint.of_run("part/experiment", "paper", 0, cell) for cell in "ab"}

    before, changed = cells(), cells(("Config(2)", "Config(3)"))
    assert before["a"] != before["b"]
    assert changed["a"] != before["a"] and changed["b"] == before["b"]
    edited = cells(("inner(config) * SCALE", "inner(config) + SCALE"))
    assert edited["a"] != before["a"] and edited["b"] != before["b"]
    stamps = fingerprint.of_runs("part/experiment", "paper", [0, 1])
    assert len(set(stamps)) == 4, "two seeds in two cells"
    assert fingerprint.cells("part/experiment", "laptop") == [""]


def test_the_torch_version_counts(prints, monkeypatch):
    before = prints()
    monkeypatch.setattr(fingerprint, "version", lambda package: "0")
    assert changed(before, prints()) == "rjd"


def test_every_experiment_reaches_what_it_trains_with():
    cause = fingerprint.cause([("snippets.abrupt_learning.jump", "run")])
    assert {"snippets.icl.tasks.item_label.World", "snippets.icl.networks.two_layer.TwoLayerNetwork"} <= set(cause)
    assert not any(name.startswith("snippets.book") for name in cause), "the harness is no cause of a measurement"

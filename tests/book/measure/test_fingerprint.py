"""What changes a fingerprint and what does not, on a small book of three modules."""

import pytest

from snippets.book.errors import BookError
from snippets.book.measure import fingerprint, pins
from snippets.book.measure.sources import Tree

EXPERIMENT = '''"""Question?"""
import torch
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
    return [runs]


def value(m):
    return m["a"]


CLAIMS = [value]
'''
DRAWING = '''"""The drawing."""
from snippets import style
from snippets.part.experiment import only_drawn


def draw(runs):
    return only_drawn(runs) + style.WIDTH
'''
SHARED = '''"""Doc."""
from snippets.icl.deep import CONSTANT

UNUSED = 1


def helper(x):
    return x + CONSTANT
'''
FILES = {
    "snippets/part/experiment.py": EXPERIMENT,
    "snippets/part/figures/experiment.py": DRAWING,
    "snippets/icl/shared.py": SHARED,
    "snippets/icl/deep.py": "CONSTANT = 3\nOTHER = 4\n",
    "snippets/icl/whole.py": "def other(x):\n    return x\n",
    "snippets/style.py": "WIDTH = 5\n\n\ndef use(theme):\n    return WIDTH\n",
    "snippets/book/figures/drawing.py": "def save(figure):\n    return figure\n",
}


@pytest.fixture
def prints(tmp_path):
    """Fingerprints (run, results, figures) of the small book, with some texts replaced."""

    def compute(**replaced) -> tuple[str, str, str]:
        for file, text in FILES.items():
            key = "figure" if "/part/figures/" in file else file.rsplit("/", 1)[1].removesuffix(".py")
            for old, new in replaced.get(key, []):
                assert old in text
                text = text.replace(old, new)
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        compute.tree = Tree(tmp_path)
        of = ("part/experiment", "laptop")
        return (
            fingerprint.of_run(*of, 0, tree=compute.tree),
            fingerprint.of_results(*of, [0, 1], tree=compute.tree),
            fingerprint.of_figures(*of, [0, 1], tree=compute.tree),
        )

    return compute


def changed(before, after) -> str:
    return "".join(letter for letter, a, b in zip("rjd", before, after, strict=True) if a != b)


# r: train again, j: judge again, d: draw again
@pytest.mark.parametrize(
    ("module", "old", "new", "what"),
    [
        ("experiment", "# comment", "# another", ""),
        ("experiment", '"""Docstring."""', '"""Another."""', ""),
        ("experiment", "seed: int) -> dict", "seed)", ""),
        ("experiment", "size: int = 1", "size: float = 1", ""),
        ("experiment", "size: int = 1", "size: ClassVar[int] = 1", "rjd"),
        ("experiment", "return [runs]", "return [[runs]]", "d"),
        ("figure", "style.WIDTH", "style.WIDTH + 1", "d"),
        ("figure", '"""The drawing."""', '"""Other words."""', ""),
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


def test_seeds_differ(prints):
    prints()
    of = ("part/experiment", "laptop")
    assert fingerprint.of_run(*of, 0, tree=prints.tree) != fingerprint.of_run(*of, 1, tree=prints.tree)


def test_a_cell_depends_on_its_own_configuration_alone(prints):
    def cells(*replaced) -> dict[str, str]:
        sweep = '{"a": Config(2), "b": Config(SCALE)}'
        prints(experiment=[('"paper": Config()', f'"paper": {sweep}'), *replaced])
        stamps = fingerprint.stamps("part/experiment", "paper", [0], prints.tree)
        return {cell: stamp for (_, cell), stamp in stamps.items()}

    before, changed = cells(), cells(("Config(2)", "Config(3)"))
    assert before["a"] != before["b"]
    assert changed["a"] != before["a"] and changed["b"] == before["b"]
    edited = cells(("inner(config) * SCALE", "inner(config) + SCALE"))
    assert edited["a"] != before["a"] and edited["b"] != before["b"]
    stamps = fingerprint.stamps("part/experiment", "paper", [0, 1], prints.tree)
    assert len(set(stamps.values())) == 4, "two seeds in two cells"


def test_a_local_name_is_no_mention(prints):
    """Local variables, arguments, comprehensions and attributes named as something global."""
    local = """
def inner(config):
    only_drawn = helper(config)
    draw = [style for style in range(3)]
    value = lambda SCALE_2, CLAIMS=1: SCALE_2 + CLAIMS
    return only_drawn + config.draw + whole.other(config) + len(draw) + value(1)
"""
    prints(experiment=[("def inner(config):\n    return helper(config) + whole.other(config)\n", local)])
    found = fingerprint.causes("part/experiment", "laptop", prints.tree)[""].definitions
    assert set(found) == {"Config", "SCALE", "inner", "run", "helper", "CONSTANT", "other"}


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("[only_drawn for x in range(3)]", True),
        ("[x for only_drawn in range(3) for x in [only_drawn]]", False),
        ("[x for only_drawn in only_drawn]", True),
        ("(lambda x=only_drawn: x)()", True),
        ("(lambda only_drawn: only_drawn)(1)", False),
        ("[(only_drawn := 1), only_drawn]", False),
        ("{only_drawn.x: 1}", True),
        ("f'{only_drawn}'", True),
        ("config.only_drawn", False),
        ("dict(only_drawn=1)", False),
    ],
)
def test_scopes_are_pythons_own(prints, text, reached):
    prints(experiment=[("return helper(config) + whole.other(config)", f"return {text}")])
    found = fingerprint.causes("part/experiment", "laptop", prints.tree)[""].definitions
    assert ("only_drawn" in found) is reached


@pytest.mark.parametrize(
    ("new", "same"),
    [
        ("from snippets.icl.shared import helper as h", True),
        ("import snippets.icl.shared\nh = snippets.icl.shared.helper", False),
        ("from snippets.icl.deep import helper as h", False),
    ],
)
def test_what_a_name_stands_for_counts_and_not_what_it_is_called(tmp_path, new, same):
    def stamp(line: str, call: str) -> str:
        experiment = f"{line}\n\n\ndef run(config, seed):\n    return {call}(1)\n\n\nPRESETS = {{'laptop': 1}}\n"
        files = {"part/e.py": experiment, "icl/shared.py": "def helper(x):\n    return x\n",
                 "icl/deep.py": "def helper(x):\n    return -x\n"}  # fmt: skip
        for file, text in files.items():
            path = tmp_path / line.replace(" ", "_").replace("\n", "_")[:40] / "snippets" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return fingerprint.of_run("part/e", "laptop", 0, tree=Tree(path.parents[2]))

    assert (stamp(new, "h") == stamp("from snippets.icl.shared import helper", "helper")) is same


def test_two_definitions_of_one_name_both_count_and_cannot_change_places(tmp_path):
    def stamp(call: str, one: str = "1") -> str:
        files = {
            "part/e.py": f"from snippets.icl import a, b\n\n\ndef run(config, seed):\n    return {call}\n\n\n"
            "PRESETS = {'laptop': 1}\n",
            "icl/a.py": f"def ridge():\n    return {one}\n",
            "icl/b.py": "def ridge():\n    return 2\n",
        }
        root = tmp_path / f"{call}{one}".replace(" ", "")
        for file, text in files.items():
            (root / "snippets" / file).parent.mkdir(parents=True, exist_ok=True)
            (root / "snippets" / file).write_text(text, encoding="utf-8")
        return fingerprint.of_run("part/e", "laptop", 0, tree=Tree(root))

    stamps = [stamp("a.ridge() - b.ridge()"), stamp("b.ridge() - a.ridge()"), stamp("a.ridge() - b.ridge()", one="3")]
    assert len(set(stamps)) == 3


def test_the_pins_count_and_not_what_is_installed(prints, monkeypatch):
    lines = {"torch": ["torch==2.13.0"], "numpy": ["numpy==2.4.6 ; old", "numpy==2.5.5 ; new"], "matplotlib": ["m==1"]}
    monkeypatch.setattr(pins, "requirements", lambda root=None: lines)
    before = prints()
    monkeypatch.setattr(pins, "installed", lambda package: "0")
    assert changed(before, prints()) == ""
    lines["numpy"] = ["numpy==2.4.6 ; old", "numpy==2.6.0 ; new"]
    assert changed(before, prints()) == "", "nothing here reaches numpy"
    with_numpy = [("import torch\n", "import numpy as np\n"), ("return {", "return {'n': np.pi, ")]
    before = prints(experiment=with_numpy)
    lines["numpy"] = ["numpy==2.4.6 ; old", "numpy==2.7.0 ; new"]
    assert changed(before, prints(experiment=with_numpy)) == "rjd"


def test_pins_are_read_without_what_is_said_beside_them(tmp_path):
    path = tmp_path / "requirements.txt"
    for said in ("reason", "another"):
        path.write_text(f"numpy==1.0 ; python_full_version < '3.12'  # {said}\nnumpy==2.0 # {said}\n# numpy==3\n")
        pins.read.cache_clear()
        assert pins.requirements(tmp_path) == {"numpy": ["numpy==1.0 ; python_full_version < '3.12'", "numpy==2.0"]}


def test_an_installed_version_that_is_no_pin_is_said(monkeypatch, capsys):
    monkeypatch.setattr(pins, "requirements", lambda root=None: {"torch": ["torch==2.13.0"], "numpy": ["numpy==2.5.5"]})
    monkeypatch.setattr(pins, "installed", {"torch": "2.13.0+cpu", "numpy": "1.0"}.__getitem__)
    pins.say_what_is_no_pin.__wrapped__(("torch", "numpy"))
    said = capsys.readouterr().err
    assert said.startswith("note: numpy 1.0 is installed and requirements.txt pins 2.5.5") and "torch" not in said


def test_a_module_without_a_pin_is_named(prints):
    with pytest.raises(BookError, match=r"module 'left_pad' is imported but requirements\.txt pins no 'left-pad'"):
        prints(experiment=[("import torch\n", "import left_pad\n"), ("return {", "return {'n': left_pad.x, ")])

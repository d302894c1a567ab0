"""The race on a small repository that stands for the authors'; and what it says where theirs is not as it should be."""

import json
import subprocess
from dataclasses import replace

import pytest

from snippets.benchmarks import __main__ as command
from snippets.benchmarks import papers, race
from snippets.benchmarks.papers import PAPERS, Goal

CODE = '''
"""A linear attention layer by layer, with a loop where the released code has products."""
import torch

class Transformer_F(torch.nn.Module):
    def __init__(self, layers, heads, d, spread):
        super().__init__()
        self.allparam = torch.nn.Parameter(spread * torch.randn(layers, heads, 2, d, d))

    def zero_p(self):
        self.allparam.data[:, :, 0] = 0

def in_context_loss(network, tokens, answers):
    x, y = tokens[..., :-1], tokens[..., -1]
    for Q in network.allparam[:, 0, 1]:
        scores = torch.einsum("bic,cd,bjd->bij", x, Q, x[:, :-1])
        y = y + torch.einsum("bij,bj->bi", scores, y[:, :-1]) / (x.shape[1] - 1)
    return (y[:, -1] + answers).square().mean()

def generate_data(mode, n, d, batch, shape, U, D):
    return generate_data_inplace(torch.zeros(100, n + 1, d + 1), U, D)

def generate_data_inplace(tokens, U, D):
    print("what the authors print")
    x = torch.randn(tokens.shape[0], tokens.shape[1], tokens.shape[2] - 1) @ (U @ D).T
    y = (x @ torch.randn(len(x), x.shape[2], 1))[..., 0]
    answers = y[:, -1].clone()
    y[:, -1] = 0
    return torch.cat([x, y[..., None]], 2), answers
'''


@pytest.fixture
def authors(tmp_path, monkeypatch):
    """A folder with one checkout, at the commit that is asked for."""
    checkout = tmp_path / "authors" / PAPERS["ahn"].folder
    checkout.mkdir(parents=True)
    (checkout / "linear_transformer.py").write_text(CODE, encoding="utf-8")
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b"]
    for call in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *call], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setitem(papers.PAPERS, "ahn", replace(PAPERS["ahn"], commit=head))
    monkeypatch.setattr(race, "LENGTH", 20.0)
    return tmp_path / "authors"


def call(authors, *more: str) -> int:
    into = str(authors.parent / "found.json")
    return command.main(["--authors", str(authors), "--rounds", "3", "--seeds", "--into", into, "--", *more])


def test_both_sides_are_timed_and_their_losses_compared(authors, capsys):
    assert call(authors, "ahn") == 0
    assert "times as fast" in capsys.readouterr().out
    found = json.loads((authors.parent / "found.json").read_text(encoding="utf-8"))["papers"]["ahn"]
    assert found["same_loss"]["apart"] < 1e-5
    assert found["same_loss"]["ours"] > 0
    assert found["rounds"] == 3
    assert 0 < found["ours_ms"]["low"] <= found["ours_ms"]["median"] <= found["ours_ms"]["high"]
    low, high = (
        found["theirs_ms"]["low"] / found["ours_ms"]["high"],
        found["theirs_ms"]["high"] / found["ours_ms"]["low"],
    )
    assert low * 0.99 <= found["ratio"]["low"] <= found["ratio"]["high"] <= high * 1.01
    assert found["versions"]["theirs"].keys() == {"torch", "numpy"}
    assert found["measured_on"]["date"]


def test_without_rounds_the_times_are_kept(tmp_path):
    file = tmp_path / "found.json"
    times = {side: {"median": 1.0, "low": 1.0, "high": 1.0} for side in ("ours_ms", "theirs_ms", "ratio")}
    seeds = {"ours": [{"seed": 0, "steps": 1}], "theirs": [{"seed": 0, "steps": 2}]}
    command.keep("von_oswald", times | {"rounds": 7}, file)
    command.keep("von_oswald", {"reached": seeds}, file)
    command.keep("garg", times, file)
    found = json.loads(file.read_text(encoding="utf-8"))["papers"]
    assert list(found) == ["von_oswald", "garg"]
    assert found["von_oswald"]["ratio"] == times["ratio"]
    assert found["von_oswald"]["reached"] == seeds
    assert "as they were" in command.told({"reached": seeds})


def test_another_commit_is_named_with_the_way_to_ours(authors, capsys, monkeypatch):
    monkeypatch.setitem(papers.PAPERS, "ahn", replace(PAPERS["ahn"], commit="b6ddc35f0f83e3f8f26e45548e94bac2adafdd50"))
    assert call(authors, "ahn") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("chengxiang/LinearTransformer", "b6ddc35f0f", "checkout b6ddc35f0f83e3f8f26e45548e94bac2adafdd50"):
        assert part in said


@pytest.mark.parametrize(
    ("remove", "says"),
    [("", "there is no folder"), ("LinearTransformer", "git clone https://github.com/chengxiang/LinearTransformer"),
     ("LinearTransformer/.git", "is at no commit")],
)  # fmt: skip
def test_what_is_missing_is_named(authors, capsys, remove, says):
    (authors / remove).rename(authors.parent / "elsewhere")
    assert call(authors, "ahn") == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_paper_that_is_not_there(authors, capsys):
    assert call(authors, "ahm") == 2
    assert "choose from von_oswald" in capsys.readouterr().err


def test_a_library_that_is_missing_is_named_with_those_that_it_was_timed_with(authors, capsys):
    (authors / "LinearTransformer" / "linear_transformer.py").write_text("import torchh", encoding="utf-8")
    assert call(authors, "ahn") == 1
    said = capsys.readouterr().err
    assert "torchh" in said
    assert "timed with torch, numpy" in said


def test_an_interpreter_that_is_missing_is_named(authors, capsys):
    assert command.main(["--authors", str(authors), "--python", "no-such-python", "ahn"]) == 1
    assert "cannot start no-such-python" in capsys.readouterr().err


def test_seeds_that_were_not_asked_for_keep_what_is_known_of_them():
    before = {"ours": [{"seed": 0, "steps": 1}, {"seed": 1, "steps": 2}], "theirs": [{"seed": 0, "steps": 3}]}
    now = {"ours": [{"seed": 1, "steps": 4}], "theirs": [{"seed": 1, "steps": 5}]}
    assert command.merged(before, now) == {
        "ours": [{"seed": 0, "steps": 1}, {"seed": 1, "steps": 4}],
        "theirs": [{"seed": 0, "steps": 3}, {"seed": 1, "steps": 5}],
    }


def test_a_loss_falls_to_its_goal_and_an_accuracy_rises():
    loss, accuracy = Goal("", 0.2, True, 1, 1), Goal("", 0.9, False, 1, 1)
    assert loss.reached(0.2) and not loss.reached(0.21)
    assert accuracy.reached(0.9) and not accuracy.reached(0.89)


@pytest.mark.parametrize("arrives", [True, False])
def test_training_to_a_goal_stops_there_or_at_its_last_step(arrives):
    from snippets.benchmarks.worker import Side

    class Trainer:
        steps = 0

        def step(self) -> None:
            self.steps += 1

        def look(self) -> float:
            return 1 / (1 + self.steps)

        def finish(self) -> None: ...

    side = Side.__new__(Side)
    side.paper = replace(PAPERS["von_oswald"], goal=Goal("", 0.1 if arrives else 0.0, True, every=4, at_most=20))
    side.trainer = lambda seed: Trainer()
    found = side.reach(3)
    assert found["steps"] == (12 if arrives else None)  # 1 / 13 is the first below, of 1, 1 / 5, 1 / 9
    assert found["at_the_end"] == pytest.approx(1 / 13 if arrives else 1 / 21, abs=1e-5)

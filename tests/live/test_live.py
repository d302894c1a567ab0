"""A real language model at the book's questions: on models of our own, since no test may need a hub.

One call of an interpreter that has transformers makes them, saves them, loads them from their folders and measures
them (`says.py`); the tests below judge what it wrote.
"""

import json
import math

import pytest
import torch
import typer.testing

from snippets.book import cli
from snippets.book.paths import DOCS
from snippets.live import command, loading, tables, vector, words
from tests import libraries

KINDS = ("gpt2", "gpt_neox", "llama")
needs_libraries = pytest.mark.peft


@pytest.fixture(scope="module")
def folder(python_with_libraries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    done = libraries.call(python_with_libraries, "-m", "tests.live.says", folder, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def says(folder) -> dict:
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(params=KINDS)
def random_one(says, request) -> dict:
    return says["random"][request.param]


@needs_libraries
def test_each_architecture_is_loaded_by_path(says):
    types = [says["random"][kind]["type"] for kind in KINDS]
    assert types == ["GPT2LMHeadModel", "GPTNeoXForCausalLM", "LlamaForCausalLM"]


@needs_libraries
def test_patterns_are_causal_shares(random_one):
    assert random_one["rows"] < 1e-5 and random_one["later"] == 0
    assert random_one["sizes"][:2] == [2, 4]


@needs_libraries
def test_a_silenced_head_writes_nothing(random_one):
    none_left, one_left, all_there, bias = random_one["silenced"]
    assert none_left == bias < one_left < all_there  # with no head the output is its bias
    assert random_one["same_first_pattern"] == 0 < random_one["moved_pattern"]


@needs_libraries
def test_a_state_put_back_changes_nothing_and_another_moves_what_comes_after(random_one):
    assert random_one["put_back"] < 1e-5
    assert max(random_one["moved"][:3]) == 0 < min(random_one["moved"][3:])


@needs_libraries
def test_a_prompt_that_is_filled_up_is_answered_as_alone(random_one):
    assert random_one["filled"] < 1e-5


@needs_libraries
def test_random_weights_know_nothing(random_one):
    found, n_vocab = random_one["found"], random_one["sizes"][2]
    heads = torch.tensor(found["induction"]["prefix"])
    assert (heads - found["induction"]["prefix_if_even"]).abs().max() < 0.002
    previous = torch.tensor(found["induction"]["previous"])
    assert (previous - found["induction"]["previous_if_even"]).abs().max() < 0.002
    for loss in (found["induction"]["first_copy"], found["induction"]["later_copies"]):
        assert loss == pytest.approx(math.log(n_vocab), abs=0.1)
    for curves in found["prompt"]["few_shot"].values():
        assert max(curves["right"]) < 3 / n_vocab
    for task in found["vector"]["tasks"].values():
        assert max(task["vector"] + [task["few_shot"]]) < 0.2


@needs_libraries
def test_scores_find_the_heads_that_the_hand_made(says):
    found = says["by_hand"]
    prefix, previous = torch.tensor(found["prefix"]), torch.tensor(found["previous"])
    assert prefix[1, 1] > 0.999 and previous[0, 0] > 0.999
    others = torch.ones(2, 2, dtype=torch.bool)
    others[1, 1] = False
    assert prefix[others].max() <= found["prefix_if_even"] + 1e-4


@needs_libraries
def test_the_repeat_is_known_and_hangs_on_the_head(says):
    found = says["by_hand"]
    assert found["later_copies"] < 1e-3 < 1 < found["first_copy"]
    assert found["loss"][0] > 1 and max(found["loss"][25:]) < 20  # one loss for each token but the start
    assert len(found["loss"]) == 100 and max(found["loss"][26:]) < 1e-3
    one = found["without"][0]
    assert one["heads"] == 1 and one["best"] > one["random"] + 1


@needs_libraries
@pytest.mark.parametrize("task", ["plural", "upper", "back"])
def test_a_task_vector_says_the_task_and_another_says_another(says, task):
    found = says["trained"]["tasks"][task]
    assert found["few_shot"] > 0.9 > found["zero_shot"]
    assert found["at_layer"]["vector"] > 0.9 and found["at_layer"]["other_vector"] < 0.1
    assert found["at_layer"]["follows_other"] > 0.9
    assert found["vector"][2] < 0.5  # behind the last block the dummy's own answer stands
    assert found["layer"] in (0, 1)


@needs_libraries
def test_one_layer_can_be_asked_for(says):
    assert says["one_layer"]["layers"] == [2]
    for name, task in says["one_layer"]["tasks"].items():
        assert task["vector"] == [says["trained"]["tasks"][name]["vector"][2]] and task["layer"] == 2


SAID = {
    "no folder": "there is no folder",
    "empty": "it has no config.json",
    "torn": "not a valid JSON file",
    "bert": "is no causal language model: a later token moves its earlier answers",
    "t5": "is no causal language model: it is a t5",
    "wordless": "tokenizer without words; save its own beside the weights",
    "mamba": "has no attention heads: nothing to look at",
    "layer": "has no layer 2: its 2 blocks are numbered 0 to 1",
    "negative": "has no layer -1",
    "only": "--only takes prompt, induction, vector",
    "offline": "the hub is out of reach",
    "malformed": "the hub has no model 'what is this'",
}


@needs_libraries
@pytest.mark.parametrize("call", SAID)
def test_what_goes_wrong_is_said_in_one_line(says, call):
    code, out, err = says["errors"][call]
    assert code != 0 and SAID[call] in err and not out
    assert err.startswith("error: ") and err.count("\n") == 1, err


@needs_libraries
def test_a_name_that_the_hub_does_not_know(says):
    assert says["unknown"] == "the hub has no model 'someone/nothing' that may be read without signing in"


@needs_libraries
def test_a_model_without_heads_still_reads_prompts(says):
    code, out, _ = says["errors"]["mamba prompt"]
    assert code == 0 and "a dax is red" in out


@needs_libraries
def test_numbers_and_figures_are_written(says, folder):
    code, out, _ = says["errors"]["drawn"]
    assert code == 0 and "numbers:" in out and "figures:" in out
    assert sorted(p.name for p in (folder / "drawn").iterdir()) == ["induction.svg", "prompt.svg", "vector.svg"]
    numbers = json.loads((folder / "all.json").read_text())
    assert set(numbers) == {"model", "revision", "seed", "prompt", "induction", "vector"}
    page = (DOCS / "labs" / "live-model.md").read_text()
    printed = page.split("```text\n")[1].split("```")[0]
    form = [" ".join(w for w in line.split() if not is_number(w)) for line in printed.strip().splitlines()]
    said = [
        " ".join(w for w in line.split() if not is_number(w)) for line in "\n".join(tables.lines(numbers)).splitlines()
    ]
    assert [line for line in form if line] == [line for line in said if line]


def is_number(word: str) -> bool:
    return word.replace(".", "").isdigit() or word == "…"


def test_without_the_packages_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(cli.BookError, match=r"pip install transformers==\S+ safetensors==\S+ regex==\S+$"):
        loading.load("gpt2")


@pytest.mark.parametrize("raised", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_large_a_model_is_said_to_be_so(raised):
    def too_large(*_, **__):
        raise raised

    with pytest.raises(cli.BookError, match="'big' does not fit into this machine's memory; choose a smaller"):
        loading.asked(too_large, "big", {"revision": None})


def test_a_revision_is_named_in_what_goes_wrong():
    def unknown(*_, **__):
        raise OSError("no such thing\nand more")

    with pytest.raises(cli.BookError, match=r"^'gpt2' at revision 'old' cannot be loaded: no such thing$"):
        loading.asked(unknown, "gpt2", {"revision": "old"})


def test_the_command_is_among_the_books():
    cli_with_live = typer.Typer()
    cli_with_live.command()(command.live)
    shown = typer.testing.CliRunner().invoke(cli_with_live, ["--help"], env={"COLUMNS": "200"}).output
    assert "--model" in shown and "--layer" in shown and "--draw" in shown


@pytest.mark.parametrize("task", words.TASKS)
def test_tasks_have_pairs_enough_and_a_rival(task):
    pairs = words.TASKS[task]
    assert len(pairs) >= 20 and words.OTHER[task] in set(words.TASKS) - {task}
    assert all(x != y and " " not in x + y for x, y in pairs.items())


@pytest.mark.parametrize("task", words.TASKS)
def test_no_word_has_two_roles(task):
    draw = vector.draw_words(words.TASKS[task], torch.Generator().manual_seed(0))
    roles = [*draw.shown, draw.dummy, *draw.choosing, *draw.asked]
    assert sorted(roles) == sorted(words.TASKS[task]) and len(draw.asked) >= 7


def test_a_task_of_few_pairs():
    with pytest.raises(cli.BookError, match="7 pairs are too few: a task needs 8"):
        vector.draw_words({str(i): "y" for i in range(7)}, torch.Generator())

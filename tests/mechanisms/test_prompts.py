"""The chapter on prompts: what is measured, on readers whose answers are known, and short runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Generator

from snippets.icl.tasks.yes_or_no import NO, YES, Game, World, exact
from snippets.icl.tasks.yes_or_no_rules import new_task, questions
from snippets.icl.training import yes_or_no_prompts as prompts
from snippets.icl.training.yes_or_no_training import Reader, asked, new_decoder
from snippets.mechanisms import context_wall, prompt_sensitivity, soft_prompts

WORLD = World()


def stream(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def untrained():
    return new_decoder(Reader(), stream()).requires_grad_(False)


def test_rules_and_what_is_given():
    for kind in ("known", "parity"):
        task = new_task(WORLD, kind, stream(3))
        assert task.yes.sum() == 8 and task.yes[task.given].sum() == 4 and task.yes[task.held_out].sum() == 4
        assert sorted([*task.given.tolist(), *task.held_out.tolist()]) == list(range(16))
    parity, traits = new_task(WORLD, "parity", stream(3)).yes, 2 * WORLD.traits - 1
    assert (traits.T @ (2 * parity - 1)).abs().max() == 0, "no single trait tells anything of a parity"
    with pytest.raises(ValueError, match="no rule 'vote': choose from known, parity"):
        new_task(WORLD, "vote", stream())


@pytest.mark.parametrize(("n_yes", "n_no"), [(2, 2), (4, 0), (0, 4), (3, 1)])
def test_prompts_have_so_many_yeses_and_no_thing_twice(n_yes, n_no):
    made = prompts.new_prompts(WORLD, 20, n_yes, n_no, stream())
    assert ((made.answers == YES).sum(1) == n_yes).all() and made.things.shape == (20, n_yes + n_no)
    assert all(len(set(row)) == n_yes + n_no for row in made.things.tolist())
    truth = made.truth.gather(1, made.things) == 1
    assert torch.equal(truth, made.answers == YES)
    repeating = prompts.repeating_prompts(WORLD, 20, n_yes, n_no, stream())
    assert ((repeating.answers == NO).sum(1) == n_no).all()


def test_asking_each_is_asking_one_by_one(untrained):
    made = prompts.new_prompts(WORLD, 3, 2, 2, stream())
    queries = torch.tensor([5, 16])
    said, best = prompts.ask_each(untrained, WORLD, made.things, made.answers, queries, phrasing=2)
    for row in range(3):
        for column, query in enumerate(queries):
            things = torch.cat([made.things[row], query[None]])[None]
            answers = torch.cat([made.answers[row], torch.tensor([0])])[None]
            alone = asked(untrained, WORLD, Game(things, answers, torch.tensor([2])))
            assert float(said[row, column]) == pytest.approx(float(alone), abs=1e-5)
            assert float(best[row, column]) == pytest.approx(float(exact(WORLD, things, answers)[0, -1]), abs=1e-6)


def test_a_toss_counts_half():
    said, truth = torch.tensor([[0.9, 0.2, 0.5, 0.6]]), torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    assert float(prompts.share_right(said, truth)) == pytest.approx((1 + 1 + 0.5 + 0) / 4)


def test_calibration_makes_the_content_free_question_even():
    said, free = torch.tensor([[0.6, 0.9, 0.7]]), torch.tensor([[0.7]])
    found = prompt_sensitivity.calibrated(said, free)[0]
    assert float(found[2]) == pytest.approx(0.5)
    assert float(found[0]) == pytest.approx((0.6 / 0.7) / (0.6 / 0.7 + 0.4 / 0.3)), "as W = diag(1 / p_cf) has it"
    assert float(found[0]) < 0.5 < float(found[1])


def test_gain_is_positive_negative_or_nothing():
    leaning = torch.tensor([[0.9, 0.6, 0.7]])  # the last is it
    assert float(prompt_sensitivity.gain(leaning, torch.tensor([[1.0, 0.0]]))) == 0.5
    assert float(prompt_sensitivity.gain(leaning, torch.tensor([[1.0, 1.0]]))) == -0.5
    even = torch.tensor([[0.9, 0.4, 0.5]])
    assert float(prompt_sensitivity.gain(even, torch.tensor([[1.0, 0.0]]))) == 0


def test_the_box_holds_what_is_asked(untrained):
    found = prompt_sensitivity.box(untrained, WORLD)
    assert found.shape == (24, 16, 17) and found.dtype == np.uint8
    order, labels = prompt_sensitivity.ORDERS[7], prompt_sensitivity.LABELS[6]
    things, answers = prompt_sensitivity.BOX[order][None], labels[order][None]
    said, _ = prompts.ask_each(untrained, WORLD, things, answers, torch.arange(17))
    np.testing.assert_allclose(found[7, 6] / 255, said[0].numpy(), atol=0.003)


def test_a_text_that_is_read_and_its_keys_and_values(untrained):
    assert soft_prompts.identity(untrained, WORLD, torch.tensor([1, 50, 7])) < 1e-5


def test_tuning_moves_what_is_in_front_and_no_weight(untrained):
    before = {name: w.clone() for name, w in untrained.state_dict().items()}
    config = replace(soft_prompts.PRESETS["laptop"], n_tuning=15)
    task, text = new_task(WORLD, "known", stream()), torch.tensor([3, 60])
    start = float(soft_prompts.error(untrained, WORLD, task, task.given, soft=untrained.W_E[text]))
    for tune, shape in ((soft_prompts.prompt_tuning, (2, 32)), (soft_prompts.prefix_tuning, (4, 4, 2, 8))):
        front = tune(untrained, text, task, config)
        assert next(iter(front.values())).shape == shape
        assert float(soft_prompts.error(untrained, WORLD, task, task.given, **front)) < start - 1e-3
    assert all(torch.equal(before[name], w) for name, w in untrained.state_dict().items())


def test_the_search_never_ends_worse_than_its_first_round(untrained):
    config = replace(soft_prompts.PRESETS["laptop"], n_rounds=1)
    task, text = new_task(WORLD, "known", stream()), torch.tensor([3, 60, 9])

    def loss(rounds: int) -> float:
        front = soft_prompts.search(untrained, text, task, replace(config, n_rounds=rounds), stream(5))
        return float(soft_prompts.error(untrained, WORLD, task, task.given, **front))

    assert loss(20) <= loss(1)


def test_questions_hold_no_example():
    assert questions(WORLD, torch.tensor([0, 4])).tolist() == [[51, 2], [51, 14]]


@pytest.mark.parametrize("encoding", ["none", "learned", "shifted", "rotary", "alibi"])
def test_every_encoding_is_asked_beyond_its_training(encoding):
    config = replace(context_wall.PRESETS["laptop"][encoding], n_steps=2, n_test=4, n_shots_test=9)
    found = context_wall.run(config, 1000)
    assert len(found["accuracy"]) == len(found["best"]) == 9
    assert ("squeezed" in found) == (encoding == "rotary")


def test_no_such_encoding():
    with pytest.raises(ValueError, match="no encoding 'sine': choose from none, learned, shifted, rotary, alibi"):
        context_wall.encoding(replace(context_wall.Config(), encoding="sine"), stream())


def values(module, m) -> dict[str, bool]:
    return {claim.id: claim.holds(claim.value(m)) for claim in module.CLAIMS}


def test_each_claim_of_the_soft_prompts_can_fail_and_can_hold():
    parts = [
        f"{k}_{w}_{p}" for k in ("known", "parity") for w in ("text", "soft", "prefix") for p in ("given", "held_out")
    ]
    good = {"size": np.array([1, 2, 4, 8, 16]), **{name: np.full(5, 0.95) for name in parts}}
    good |= {f"parity_{w}_held_out": np.full(5, 0.5) for w in ("soft", "prefix")}
    good |= {
        "known_text_held_out": np.array([0.5, 0.6, 0.8, 0.9, 0.9]),
        "identity": 1e-7,
    }
    nothing = [f"{k}_nothing_{p}" for k in ("known", "parity") for p in ("given", "held_out")]
    good |= dict.fromkeys(nothing, 0.5)
    good |= {"known_shots_held_out": 0.9, "known_full_held_out": 0.9, "parity_full_held_out": 0.5}
    assert all(values(soft_prompts, good).values())
    bad = {name: 1 - np.asarray(x) for name, x in good.items()} | {"size": good["size"], **dict.fromkeys(nothing, 0.9)}
    bad |= {"known_text_held_out": np.full(5, 0.2), "known_soft_held_out": np.full(5, 0.1), "parity_full_held_out": 0.9}
    bad |= {f"parity_{w}_held_out": np.full(5, 0.9) for w in ("soft", "prefix")}
    assert not any(values(soft_prompts, bad).values())


def test_each_claim_of_the_wall_can_fail_and_can_hold():
    def curve(early: float, late: float) -> np.ndarray:
        return np.r_[np.full(6, early), np.full(58, late)]

    ends = {"none": 0.92, "learned": 0.81, "shifted": 0.86, "rotary": 0.86, "alibi": 0.89}
    good = {name: {"accuracy": curve(0.68 if name == "shifted" else 0.73, end)} for name, end in ends.items()}
    for cell in good.values():
        cell["best"] = curve(0.78, 0.93)
    good["rotary"]["squeezed"] = curve(0.73, 0.91)
    assert all(values(context_wall, good).values())
    bad = {name: {"accuracy": curve(0.73, 0.5), "best": curve(0.78, 0.93)} for name in ends}
    bad["learned"]["accuracy"] = curve(0.6, 0.92)
    bad["rotary"]["squeezed"] = curve(0.7, 0.4)
    assert not any(values(context_wall, bad).values())


def test_each_claim_of_sensitivity_can_fail_and_can_hold():
    order, phrasing = np.full((4, 24), 0.9), np.full((4, 16), 0.9)
    order[:, 0], order[0, 1], phrasing[:, 0], phrasing[:, 9] = 0.8, 0.6, 0.85, 0.7
    ten = {"yeses_exact": [0.5, 0.5], "yeses_network": [0.5, 0.7], "halves_network": [0.5, 0.1]}
    good = {
        "usual_accuracy": [0.88, 0.91], "order_network": order, "order_exact": np.full((4, 24), 0.9),
        "phrasing": phrasing, "majority_network": np.linspace(0.3, 0.7, 5),
        "majority_exact": np.linspace(0.28, 0.71, 5),
        "recency_network": 0.01, "gain_network": np.array([0.25, 0, 0.01, 0, 0.25]), "usual_network": -0.02,
        "gain_exact": np.array([0.24, 0, 0, 0, 0.24]), "usual_exact": -0.05, **ten,
    }  # fmt: skip
    assert all(values(prompt_sensitivity, good).values())
    bad = {
        "usual_accuracy": [0.5, 0.5], "order_network": np.full((4, 24), 0.9), "order_exact": order,
        "phrasing": phrasing[:, ::-1] * np.linspace(0, 0.06, 16), "majority_network": np.linspace(0.7, 0.3, 5),
        "majority_exact": np.linspace(0.3, 0.7, 5), "recency_network": -0.2,
        "gain_network": np.array([0, 0.1, 0.1, 0.1, 0]), "usual_network": 0.05,
        "gain_exact": np.zeros(5), "usual_exact": 0.0, "yeses_exact": [0.5, 0.9],
        "yeses_network": [0.5, 0.3], "halves_network": [0.5, 0.6],
    }  # fmt: skip
    bad["phrasing"] = np.full((4, 16), 0.9) - 0.3 * (np.arange(16) == 1) - 0.05 * (np.arange(16) == 12)
    held = values(prompt_sensitivity, bad)
    assert not any(held.values()), held

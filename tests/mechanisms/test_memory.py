"""The experiments of *memory* and the cipher: claims on made-up numbers, wrong networks, bad input, short runs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from snippets.icl.networks.recaller import LookUp, Recaller, Vocabulary, accuracy_of
from snippets.icl.tasks.cipher import draw_cipher
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.tasks.recall import Recall, draw_recall
from snippets.mechanisms import cipher, compression, fixed_states, layers_exact, mesa_trained

EXPERIMENTS = (cipher, compression, fixed_states, layers_exact, mesa_trained)
HELD = {  # measurements on which every claim holds, and for each claim some on which it fails
    "fixed_states": (
        {
            cell: {"size": np.array([2, 4, 32]), "accuracy": np.array(values)}
            for cell, values in {
                "state-space": (0.99, 0.95, 0.5),
                "hybrid": (1.0, 1.0, 0.99),
                "gated-convolution": (0.95, 0.7, 0.1),
            }.items()
        },
        {
            "full": ("state-space", (0.99, 0.95, 0.9)),
            "hybrid": ("hybrid", (1.0, 1.0, 0.9)),
            "lead": ("hybrid", (1.0, 1.0, 0.6)),
            "gated": ("gated-convolution", (0.6, 0.7, 0.1)),
            "gated-four": ("gated-convolution", (0.9, 0.3, 0.1)),
        },
    ),
    "compression": (
        {
            cell: {"size": np.array([2, 8]), "accuracy": np.array(values)}
            for cell, values in {
                "m1": (0.6, 0.3), "m4": (0.8, 0.5), "m8": (0.9, 0.7), "m16": (1.0, 0.9),
            }.items()
        },
        {
            "many": ("m16", (1.0, 0.7)),
            "one": ("m1", (0.6, 0.6)),
            "one-of-two": ("m1", (0.9, 0.3)),
            "gain": ("m1", (0.6, 0.65)),
            "between": ("m4", (0.8, 0.85)),
        },
    ),
    "mesa_trained": (
        {
            cell: {"size": np.array([3, 6, 12]), "error": np.array(values)}
            for cell, values in {
                "mesa": (0.15, 0.02, 0.01), "deltanet": (0.4, 0.1, 0.05), "attention": (0.4, 0.2, 0.1),
            }.items()
        },
        {
            "elbow": ("deltanet", (0.16, 0.1, 0.05)),
            "twelve": ("deltanet", (0.4, 0.1, 0.011)),
            "attention": ("attention", (0.4, 0.2, 0.02)),
            "half": ("mesa", (0.15, 0.2, 0.01)),
            "not-exact": ("mesa", (0.001, 0.0, 0.0)),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize(("which", "claim"), [(name, id) for name, (_, spoilt) in HELD.items() for id in spoilt])
def test_each_claim_can_hold_and_can_fail(which, claim):
    good, spoilt = HELD[which]
    found = {c.id: c for c in next(e for e in EXPERIMENTS if e.__name__.endswith(which)).CLAIMS}
    assert set(found) == set(spoilt), "a claim has no measurements on which it fails"
    cell, values = spoilt[claim]
    key = "error" if which == "mesa_trained" else "accuracy"
    bad = good | {cell: good[cell] | {key: np.array(values)}}
    assert found[claim].holds(found[claim].value(good)) and not found[claim].holds(found[claim].value(bad))


def made_up_cipher(**changed: dict) -> dict:
    one = {"step": np.array([0, 100, 200]), "accuracy": np.array([0.2, 0.95, 1.0]), "final": 1.0, "other_order": 1.0}
    late = one | {"accuracy": np.array([0.2, 0.5, 0.8]), "other_order": 0.25}
    slow = late | {"final": 0.8}
    good = {"encoder-decoder": one, "prefix-lm": one, "decoder": slow, "decoder-text-first": late}
    return good | {cell.replace("_", "-"): good[cell.replace("_", "-")] | values for cell, values in changed.items()}


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("encoder", {"encoder_decoder": {"final": 0.8}}),
        ("late", {"decoder": {"final": 0.95}}),
        ("begun", {"prefix_lm": {"final": 0.2}}),
        ("same", {"encoder_decoder": {"other_order": 0.9}}),
        ("turned", {"decoder_text_first": {"other_order": 0.99}}),
    ],
)
def test_each_claim_on_the_cipher_can_hold_and_can_fail(claim, changed):
    found = {c.id: c for c in cipher.CLAIMS}
    if claim not in found:
        pytest.fail(f"no claim {claim}")
    assert found[claim].holds(found[claim].value(made_up_cipher()))
    assert not found[claim].holds(found[claim].value(made_up_cipher(**changed)))


def test_a_state_space_that_has_not_begun_says_nothing_of_its_size():
    good = HELD["fixed_states"][0]
    late = good | {"state-space": good["state-space"] | {"accuracy": np.array([0.5, 0.3, 0.1])}}
    assert fixed_states.begun(good) and not fixed_states.begun(late)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("which", "cell"),
    [
        ("cipher", "encoder-decoder"), ("cipher", "decoder-text-first"), ("compression", "m4"),
        ("fixed_states", "hybrid"), ("fixed_states", "gated-convolution"), ("mesa_trained", "mesa"),
    ],
)  # fmt: skip
def test_a_short_run_is_finite_and_repeats(which, cell):
    experiment = next(e for e in EXPERIMENTS if e.__name__.endswith(which))
    config = replace(experiment.PRESETS["laptop"][cell], n_steps=2, n_test=4)
    if which == "cipher":
        config = replace(config, evaluate_every=1)
    one, two = experiment.run(config, 5), experiment.run(config, 5)
    for key in one:
        assert np.isfinite(one[key]).all(), key
        np.testing.assert_array_equal(one[key], two[key])


def test_what_the_page_says_of_the_claims_that_failed():
    """All three above 0.9 on one seed of five; below half in the other order on two."""
    path = Path(__file__).parents[2] / "record/mechanisms/cipher/results.json"
    numbers = json.loads(path.read_text())["numbers"]
    first = [numbers[f"{cell}.final"]["values"] for cell in ("encoder-decoder", "prefix-lm", "decoder")]
    assert sum(min(seed) > 0.9 for seed in zip(*first, strict=True)) == 1
    assert sum(value < 0.5 for value in numbers["decoder.other_order"]["values"]) == 2


def test_all_networks_of_a_comparison_have_one_size():
    for experiment in (fixed_states, cipher, mesa_trained):
        sizes = []
        for config in experiment.PRESETS["laptop"].values():
            found = experiment.run(replace(config, n_steps=1, n_test=2), 0)
            sizes.append(found["n_parameters"])
        assert max(sizes) / min(sizes) < 1.005, experiment.__name__


def test_a_code_by_heart_does_not_help():
    """A network that always answers by one code is right once in so many symbols."""
    drawn = draw_cipher(4000, 5, 4, generator())
    assert (drawn.text.flip(1) == drawn.answer).double().mean().item() == pytest.approx(1 / 5, abs=0.02)


def translator(**settings) -> cipher.Translator:
    return cipher.Translator(replace(cipher.PRESETS["laptop"]["encoder-decoder"], **settings), generator())


def test_the_answers_are_written_from_left_to_right():
    network, drawn = translator(), draw_cipher(3, 5, 4, generator(1))
    at_once = network(drawn, drawn.answer[:, :-1])
    for done in range(4):
        torch.testing.assert_close(network(drawn, drawn.answer[:, :done]), at_once[:, : done + 1])
    written = cipher.write(network, drawn)
    assert torch.equal(network(drawn, written[:, :-1]).argmax(-1), written)


@pytest.mark.parametrize("architecture", ["encoder-decoder", "prefix-lm", "decoder"])
def test_to_whom_the_order_is_nothing(architecture):
    network, drawn = translator(architecture=architecture), draw_cipher(3, 5, 4, generator(1))
    before = network(drawn, drawn.answer[:, :-1])
    network.text_first = True
    after = network(drawn, drawn.answer[:, :-1])
    assert torch.allclose(before, after, atol=1e-4) == (architecture != "decoder")


def test_a_text_longer_than_the_positions():
    with pytest.raises(ValueError, match="a text of 5 symbols is longer than the 4 positions"):
        translator()(draw_cipher(2, 5, 5, generator()), torch.zeros(2, 0, dtype=torch.long))


def recaller(words: Vocabulary = Vocabulary(8, 4, 2)) -> Recaller:
    network = Recaller(words, 4, generator(), lambda g: torch.nn.Identity())
    network.blocks.forward = lambda pairs, queries: torch.ones_like(queries)
    return network


def test_loss_and_accuracy_of_a_network_that_names_one_value():
    network, tokens = recaller(), torch.tensor([[0, 1]])
    with torch.no_grad():
        network.W_U.zero_()
        network.W_U[:, 2] = 1.0
    prompts = Recall(tokens, torch.tensor([[2, 3]]), tokens, torch.tensor([[2, 3]]))
    assert accuracy_of(network, prompts) == 0.5
    high = torch.tensor([0.0, 0, 4, 0]).log_softmax(0)
    expected = -(high[2] + high[3]).item() / 2
    assert LookUp(network.words).loss(network, prompts).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("place", "token", "words"),
    [("keys", 8, "a key is none of 0 to 7"), ("values", 4, "a value is none of 0 to 3"), ("queries", -1, "a query is")],
)
def test_an_unknown_symbol(place, token, words):
    prompts = draw_recall(1, 2, 2, 8, 4, generator())
    bad = replace(prompts, **{place: torch.full((1, 2), token)})
    with pytest.raises(ValueError, match=words):
        recaller()(bad)


def test_an_empty_prompt():
    none = torch.zeros(1, 0, dtype=torch.long)
    with pytest.raises(ValueError, match="the prompt is empty"):
        recaller()(Recall(none, none, none, none))


def test_the_mesa_networks_see_no_y_of_the_queries():
    config = mesa_trained.PRESETS["laptop"]["mesa"]
    network, prompts = mesa_trained.Fitter(config, generator()), draw_prompts(5, 9, config.d, generator(1))
    hidden = replace(prompts, y=torch.cat([prompts.y[:, :4], torch.zeros(5, 6)], 1))
    torch.testing.assert_close(network(hidden, 4), network(prompts, 4))
    assert not torch.allclose(network(replace(prompts, y=prompts.y + 1), 4), network(prompts, 4))


def test_the_answer_0_has_error_1_and_least_squares_none():
    prompts = draw_prompts(50, 7, 3, generator())
    assert mesa_trained.error_of(torch.zeros(50, 4), prompts, 4) == 1
    assert mesa_trained.error_of(mesa_trained.least_squares(prompts, 4), prompts, 4) < 1e-6


def test_the_exact_checks_hold_and_can_fail(monkeypatch):
    found = layers_exact.run(layers_exact.Config(), 3)
    assert all(c.holds(c.value(found)) for c in layers_exact.CLAIMS)
    monkeypatch.setattr(layers_exact, "convolve", lambda x, h: x)
    monkeypatch.setattr(layers_exact, "parallel", lambda q, k, v: q)
    monkeypatch.setattr(layers_exact.selective_ssm, "doubling", lambda keep, write: write)
    spoilt = layers_exact.run(layers_exact.Config(), 3)
    failed = {c.id for c in layers_exact.CLAIMS if not c.holds(c.value(spoilt))}
    assert failed == {"scan", "convolution", "mesa"}

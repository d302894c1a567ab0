"""The token before: the task, the bound for whoever sees no order, the networks, and what the claims say."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
import torch

from snippets.icl.networks.positional_encodings import Rotary
from snippets.mechanisms import positions
from snippets.mechanisms.figures import positions as figures

SMALL = positions.Config(
    "none", n_symbols=5, n_tokens=6, n_tokens_test=24, d_model=8, n_heads=2, batch=3, n_steps=3, warm_up=2, n_test=4
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(encoding: str, n_layers: int = 1, **changes) -> positions.TokenBefore:
    config = dataclasses.replace(SMALL, encoding=encoding, n_layers=n_layers, **changes)
    return positions.TokenBefore(config, generator()).double().requires_grad_(False)


def test_tokens_and_answers():
    tokens = positions.draw_tokens(50, 9, 5, generator())
    assert (tokens[:, 0] == 5).all() and tokens[:, 1:].unique().tolist() == [0, 1, 2, 3, 4]
    assert positions.before(torch.tensor([[5, 1, 2, 3]])).tolist() == [[1, 2]]


def test_the_bound_without_order():
    """By hand: after a, then a b, then a b a, the most frequent symbol is the one before in 1, 1/2 and 2/3."""
    tokens = torch.tensor([[5, 0, 1, 0, 3]])
    assert positions.best_without_order(tokens, 5).tolist() == pytest.approx([1, 1 / 2, 2 / 3])


def test_one_layer_without_positions_sees_a_heap_and_two_do_not():
    past = list(permutations([0, 1, 2, 2]))
    tokens = torch.tensor([[5, *p, 3] for p in past])
    last = made("none")(tokens)[0][:, -1]
    assert torch.allclose(last, last[:1].expand_as(last), atol=1e-12)
    last = made("none", n_layers=2)(tokens)[0][:, -1]
    assert (last - last[:1]).abs().max() > 1e-6
    for name in ("learned", "sinusoidal", "rotary", "alibi"):
        last = made(name)(tokens)[0][:, -1]
        assert (last - last[:1]).abs().max() > 1e-6, name


@pytest.mark.parametrize("encoding", positions.ENCODINGS)
def test_the_future_moves_nothing(encoding):
    network = made(encoding, n_layers=2)
    tokens = positions.draw_tokens(3, 8, 5, generator())
    other = tokens.clone()
    other[:, 5:] = (other[:, 5:] + 1) % 5
    assert torch.equal(network(tokens)[0][:, :5], network(other)[0][:, :5])


def test_the_best_head_is_the_one_that_looks_back():
    pattern = torch.zeros(1, 2, 4, 4)
    pattern[0, 0, range(4), range(4)] = 1
    pattern[0, 1, range(1, 4), range(3)] = 1
    assert positions.best_head(pattern, 4) == 1


def test_a_slow_hand():
    network = positions.TokenBefore(dataclasses.replace(SMALL, encoding="rotary", rotary_base=1e6), generator())
    assert isinstance(network.positions, Rotary) and network.positions.base == 1e6


def example(**changes) -> dict:
    """A made-up sweep in which each claim holds."""
    good = {"within": 0.99, "heap_within": 0.34, "at_the_edge": 0.6, "to_twice": 0.99, "beyond": 0.08}
    good |= {"previous": 0.9, "far": 0.9}
    sweep = {cell: dict(good) for cell in positions.PRESETS["laptop"]}
    sweep["none-1"]["within"] = 0.34
    sweep["alibi-1"] |= {"within": 0.7, "beyond": 0.55, "previous": 0.24}
    sweep["slow-rotary-1"]["beyond"] = sweep["alibi-2"]["beyond"] = 0.95
    for cell, values in changes.items():
        sweep[cell.replace("_", "-")] |= values
    return sweep


def test_each_claim_can_hold():
    for claim in positions.CLAIMS:
        assert claim.holds(claim.value(example())), claim.id


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        ("heap", {"none_1": {"within": 0.4}}),
        ("finds", {"rotary_1": {"within": 0.9}}),
        ("alibi-blurs", {"alibi_1": {"within": 0.95}}),
        ("alibi-looks", {"alibi_1": {"previous": 0.5}}),
        ("learned-ends", {"learned_2": {"beyond": 0.3}}),
        ("sinusoidal-ends", {"sinusoidal_1": {"beyond": 0.3}}),
        ("rotary-carries", {"rotary_2": {"to_twice": 0.8}}),
        ("rotary-ends", {"rotary_1": {"beyond": 0.9}}),
        ("rotary-far", {"rotary_1": {"far": 0.2}}),
        ("slow-rotary", {"slow_rotary_1": {"beyond": 0.4}}),
        ("alibi-steady", {"alibi_1": {"beyond": 0.4}}),
        ("alibi-two", {"alibi_2": {"within": 0.8}}),
        ("alibi-two-beyond", {"rotary_2": {"beyond": 0.9}}),
        ("none-two", {"none_2": {"within": 0.5}}),
        ("none-two-beyond", {"none_2": {"beyond": 0.9}}),
    ],
)
def test_each_claim_can_fail(claim, changes):
    failed = [c.id for c in positions.CLAIMS if not c.holds(c.value(example(**changes)))]
    assert claim in failed and len(failed) <= 2


def test_no_claim_is_left_out():
    cases = test_each_claim_can_fail.pytestmark[0].args[1]
    assert [name for name, _ in cases] == [claim.id for claim in positions.CLAIMS]


def test_a_short_run_is_finite_and_repeats():
    def sweep(seed: int) -> dict:
        return {
            cell: positions.run(dataclasses.replace(SMALL, encoding=config.encoding, n_layers=config.n_layers), seed)
            for cell, config in positions.PRESETS["laptop"].items()
        }

    one, two, other = (sweep(seed) for seed in (5, 5, 6))
    for cell in one:
        for name in one[cell]:
            assert np.isfinite(one[cell][name]).all(), name
            np.testing.assert_array_equal(one[cell][name], two[cell][name])
    assert not np.array_equal(one["none-1"]["pattern"], other["none-1"]["pattern"])
    assert one["none-1"]["pattern"].shape == (24, 24) and len(one["none-1"]["accuracy"]) == 22
    assert set(figures.draw([one, other])) == {"curves", "patterns"}


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (torch.full((1, 4), 6), "token ids run from 6 to 6; this network knows 0 to 5"),
        (torch.full((1, 4), -1), "token ids run from -1"),
        (torch.zeros(1, 0, dtype=torch.long), "the prompt is empty"),
        (torch.zeros(1, 25, dtype=torch.long), "25 tokens is longer than the 24 positions"),
    ],
)
def test_what_it_cannot_read(tokens, says):
    with pytest.raises(ValueError, match=says):
        made("learned")(tokens)


def test_an_encoding_that_does_not_exist():
    with pytest.raises(ValueError, match="there is no encoding 'rope': choose from none, learned"):
        made("rope")

"""Recall: claims on made-up accuracies, the network on a task solved by hand, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.networks.same_block import ARCHITECTURES
from snippets.icl.tasks.recall import Recall, draw_recall
from snippets.icl.training import comparison
from snippets.mechanisms import recall
from snippets.mechanisms.figures import eight
from snippets.mechanisms.figures import recall as figures


def made_up(**accuracy) -> dict:
    """One seed: each cell's accuracy at 2, 4 and 32 pairs."""
    return {
        cell: {"size": np.array([2, 4, 32]), "accuracy": np.array(values), "n_parameters": 1000 + len(cell) // 20}
        for cell, values in accuracy.items()
    }


ATTENTION, MATRIX, OTHER = (1.0, 1.0, 0.99), (1.0, 0.98, 0.7), (0.3, 0.2, 0.1)
GOOD = made_up(
    **dict.fromkeys(recall.ATTENTION, ATTENTION),
    **dict.fromkeys(recall.MATRICES, MATRIX),
    **dict.fromkeys(recall.OTHERS, OTHER),
) | {"lstm-long": made_up(x=(0.95, 0.65, 0.0))["x"]}
SPOILT = {  # for each claim, one cell with accuracies on which it fails
    "attention": {"prefix-lm": (1.0, 1.0, 0.9)},
    "most": {"titans": (1.0, 0.98, 0.97)},
    "few": {"deltanet": (1.0, 0.85, 0.6), "titans": (1.0, 0.85, 0.6)},
    "full": {"deltanet": (1.0, 0.98, 0.95)},
    "not-begun": {"lstm": (0.6, 0.5, 0.1)},
    "lstm-long": {"lstm-long": (0.55, 0.65, 0.1)},
    "lstm-long-four": {"lstm-long": (0.95, 0.31, 0.1)},
}


def test_the_groups_are_the_eight():
    assert sorted(recall.ATTENTION + recall.MATRICES + recall.OTHERS) == sorted(ARCHITECTURES)
    assert list(recall.PRESETS["laptop"])[:8] == ARCHITECTURES
    assert all(cell.removesuffix("-long") == c.architecture for cell, c in recall.PRESETS["laptop"].items())
    shown = {cell for cells in eight.GROUPS.values() for cell in cells}
    assert shown == set(ARCHITECTURES) == set(eight.NAMES)


def test_no_rate_of_a_compared_network_lies_at_an_edge_of_those_tried():
    for cell in (*recall.ATTENTION, *recall.MATRICES):
        assert recall.PRESETS["laptop"][cell].rate in comparison.RATES[1:-1], cell


@pytest.mark.parametrize("claim", recall.CLAIMS, ids=lambda c: c.id)
def test_each_claim_can_hold_and_can_fail(claim):
    assert claim.holds(claim.value(GOOD))
    bad = GOOD | made_up(**SPOILT.get(claim.id, {}))
    if claim.id == "matched":
        bad = GOOD | {"lstm": GOOD["lstm"] | {"n_parameters": 1020}}
    assert not claim.holds(claim.value(bad))


def test_naming_any_stored_value():
    """What the page and the figure say it would give, against prompts."""
    for n in (2, 4, 32):
        prompts = draw_recall(20_000, n, 1, 64, 16, torch.Generator().manual_seed(n))
        assert (prompts.values[:, :1] == prompts.answers).double().mean().item() == pytest.approx(
            figures.any_stored(np.array([n]))[0], abs=0.015
        )
    assert figures.any_stored(np.array([2]))[0] == pytest.approx(0.53, abs=0.002)
    assert figures.any_stored(np.array([4]))[0] == pytest.approx(0.30, abs=0.004)


def test_loss_and_accuracy_of_a_network_that_names_one_value():
    config = replace(recall.PRESETS["laptop"]["decoder"], n_values=4)
    network, task = recall.RecallNetwork(config, torch.Generator().manual_seed(0)), recall.LookUp(config)
    network.blocks.forward = lambda pairs, queries: torch.ones_like(queries)
    with torch.no_grad():
        network.W_U.zero_()
        network.W_U[:, 2] = 1.0
    tokens = torch.tensor([[0, 1]])
    prompts = Recall(tokens, torch.tensor([[2, 3]]), tokens, torch.tensor([[2, 3]]))
    assert recall.accuracy_of(network, prompts) == 0.5
    high, d = torch.tensor([0.0, 0, config.d_model, 0]).log_softmax(0), config.d_model
    assert task.loss(network, prompts).item() == pytest.approx(-(high[2] + high[3]).item() / 2, rel=1e-4), d


@pytest.mark.parametrize("cell", ["decoder", "titans", "lstm-long"])
def test_a_short_run_is_finite_and_repeats(cell):
    config = replace(recall.PRESETS["laptop"][cell], n_steps=3, n_test=4)
    one, two, other = (recall.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["loss"] != other["loss"]


@pytest.mark.parametrize("cell", ARCHITECTURES)
def test_every_architecture_takes_the_longest_prompt(cell):
    config = recall.PRESETS["laptop"][cell]
    assert max(config.test_sizes) >= max(config.train_sizes)
    network = recall.RecallNetwork(config, torch.Generator().manual_seed(0))
    keys = torch.arange(max(config.test_sizes))[None]
    prompts = Recall(keys, keys % config.n_values, keys[:, : config.n_queries], keys[:, : config.n_queries])
    assert network(prompts).shape == (1, config.n_queries, config.n_values)


def test_every_size_tested_lies_within_the_sizes_trained_on():
    for cell, config in recall.PRESETS["laptop"].items():
        assert min(config.train_sizes) <= min(config.test_sizes), cell
        assert max(config.test_sizes) <= max(config.train_sizes), cell

"""Chapter 5's recall: claims on made-up accuracies, the network on a task solved by hand, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.networks.same_block import ARCHITECTURES
from snippets.icl.tasks.recall import Recall
from snippets.icl.training.tuned_training import Schedule
from snippets.mechanisms import recall

SHORT = Schedule((0.003, 0.01), n_tune=2, n_steps=3, warm_up=1)


def made_up(**accuracy) -> dict:
    """One seed: each cell's accuracy at 2, 4 and 32 pairs."""
    return {
        cell: {"n_pairs": np.array([2, 4, 32]), "accuracy": np.array(values), "n_parameters": 1000 + len(cell) // 20}
        for cell, values in accuracy.items()
    }


ATTENTION, MATRIX, OTHER = (1.0, 1.0, 0.99), (1.0, 0.98, 0.7), (0.3, 0.2, 0.1)
GOOD = made_up(
    **dict.fromkeys(recall.ATTENTION, ATTENTION),
    **dict.fromkeys(recall.MATRICES, MATRIX),
    **dict.fromkeys((*recall.OTHERS, "lstm-longer"), OTHER),
) | made_up(deltanet=(1.0, 0.98, 0.8))
SPOILT = {  # for each claim, one cell with accuracies on which it fails
    "attention": {"prefix-lm": (1.0, 1.0, 0.9)},
    "most": {"titans": (1.0, 0.98, 0.97)},
    "alike": {"deltanet": (1.0, 0.98, 0.4)},
    "few": {"deltanet": (1.0, 0.85, 0.6)},
    "full": {"deltanet": (1.0, 0.98, 0.95)},
    "longer": {"lstm-longer": (0.8, 0.6, 0.1)},
    "vector": {"lstm": (0.6, 0.2, 0.1)},
    "some": {"convolution": (0.3, 0.07, 0.1)},
}


def test_the_groups_are_the_eight():
    assert sorted(recall.ATTENTION + recall.MATRICES + recall.OTHERS) == sorted(ARCHITECTURES)
    assert list(recall.PRESETS["laptop"])[:8] == ARCHITECTURES
    assert all(cell.removesuffix("-longer") == c.architecture for cell, c in recall.PRESETS["laptop"].items())
    shown = {cell for cells in recall.GROUPS.values() for cell in cells}
    assert shown == set(ARCHITECTURES) == set(recall.NAMES)


@pytest.mark.parametrize("claim", recall.CLAIMS, ids=lambda c: c.id)
def test_each_claim_can_hold_and_can_fail(claim):
    assert claim.holds(claim.value(GOOD))
    bad = GOOD | made_up(**SPOILT.get(claim.id, {}))
    if claim.id == "matched":
        bad = GOOD | {"lstm": GOOD["lstm"] | {"n_parameters": 1020}}
    assert not claim.holds(claim.value(bad))


def test_loss_and_accuracy_of_a_network_that_names_one_value():
    config = replace(recall.PRESETS["laptop"]["decoder"], n_values=4)
    network = recall.RecallNetwork(config, torch.Generator().manual_seed(0))
    network.blocks.forward = lambda pairs, queries: torch.ones_like(queries)
    with torch.no_grad():
        network.unembed.zero_()
        network.unembed[2] = 1.0
    tokens = torch.tensor([[0, 1]])
    prompts = Recall(tokens, torch.tensor([[2, 3]]), tokens, torch.tensor([[2, 3]]))
    assert recall.accuracy_of(network, prompts) == 0.5
    high, d = torch.tensor([0.0, 0, config.d_model, 0]).log_softmax(0), config.d_model
    assert recall.loss_of(network, prompts).item() == pytest.approx(-(high[2] + high[3]).item() / 2, rel=1e-4), d


@pytest.mark.parametrize("cell", ["decoder", "titans"])
def test_a_short_run_is_finite_and_repeats(cell):
    config = replace(recall.PRESETS["laptop"][cell], schedule=SHORT, n_held_out=2, n_test=4)
    one, two, other = (recall.run(config, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["tuning_loss"], other["tuning_loss"])
    assert one["rate"] in SHORT.rates


@pytest.mark.parametrize("cell", ARCHITECTURES)
def test_every_architecture_takes_the_longest_prompt(cell):
    config = recall.PRESETS["laptop"][cell]
    assert max(config.test_pairs) >= max(config.train_pairs)
    network = recall.RecallNetwork(config, torch.Generator().manual_seed(0))
    keys = torch.arange(max(config.test_pairs))[None]
    prompts = Recall(keys, keys % config.n_values, keys[:, : config.n_queries], keys[:, : config.n_queries])
    assert network(prompts).shape == (1, config.n_queries, config.n_values)

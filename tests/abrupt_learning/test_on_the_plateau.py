"""The wait before the jump: what its measures count, and what help does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import on_the_plateau as plateau
from snippets.abrupt_learning.figures import on_the_plateau as figures
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import World, label_to_item

SMALL = replace(plateau.Config(), n_steps=50, batch=4, n_test=16)


def test_the_mean_cosine_is_that_of_all_pairs():
    states = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    pairs = [torch.cosine_similarity(states[i], states[j], dim=0) for i in range(7) for j in range(7) if i != j]
    assert plateau.mean_cosine(states) == pytest.approx(float(sum(pairs)) / 42)
    assert plateau.mean_cosine(states[:1].expand(3, 5)) == pytest.approx(1)
    assert plateau.mean_cosine(torch.eye(4)) == pytest.approx(0)


def test_repeats_is_the_share_of_the_commonest():
    assert plateau.repeats(torch.tensor([3, 3, 3, 0])) == 0.75
    assert plateau.repeats(torch.arange(4)) == 0.25


@pytest.mark.parametrize("help", [0.0, 0.3, 1.0])
def test_help_is_attention_of_labels_on_their_items(help):
    fixed, weights, data, _ = streams(1000, 4)
    tokens = World(SMALL.task, fixed).train(8, data).tokens
    network, edges = plateau.Helped(SMALL, weights), label_to_item(tokens.shape[1])
    own = network(tokens)[1]
    network.help = help
    first = network(tokens)[1]
    torch.testing.assert_close(first[:, edges], (1 - help) * own[:, edges] + help)
    torch.testing.assert_close(first[:, ::2], own[:, ::2])  # items and target have no help
    torch.testing.assert_close(first.sum(-1), torch.ones(8, tokens.shape[1]))


@pytest.mark.parametrize("help", [-0.1, 1.5])
def test_help_that_is_no_share_is_refused(help):
    with pytest.raises(ValueError, match=r"a share of attention is 0 to 1"):
        plateau.Config(help=help)


def test_a_short_run_repeats_and_is_finite():
    one, two = plateau.run(SMALL, 1000), plateau.run(SMALL, 1000)
    for name, values in one.items():
        assert np.isfinite(values).all(), name
        np.testing.assert_array_equal(values, two[name])
    assert set(figures.CURVES) <= set(one)


def waited(**changed: list[float]) -> dict[str, np.ndarray]:
    curves = {
        "step": [0, 100, 200, 300, 400], "accuracy": [0, 0.1, 0.1, 0.9, 0.9], "repeats": [0.3, 0.2, 0.2, 0.2, 0.2],
        "answers": [0.2, 0.2, 0.9, 0.1, 0.1], "label_to_item": [0.1, 0.1, 0.9, 0.9, 0.9],
        "target_to_label": [0.1, 0.1, 0.05, 0.9, 0.9],
    }  # fmt: skip
    return {name: np.array(values) for name, values in (curves | changed).items()}


def test_every_claim_but_one_of_two_can_fail():
    late = waited(accuracy=[0, 0, 0, 0, 0.9])
    failed = lambda m: {claim.id for claim in plateau.CLAIMS if not claim.holds(float(claim.value(m)))}  # noqa: E731
    assert failed({"alone": waited(), "helped": late}) == {
        "parallel-first", "not-parallel", "repeats", "second-stirs", "first-waits", "sooner",
    }  # fmt: skip
    early = waited(accuracy=[0.9] * 5)
    climbs = waited(target_to_label=[0.1, 0.5, 0.5, 0.9, 0.9])
    assert {"still-waits", "second-little"} <= failed({"alone": climbs, "helped": early})

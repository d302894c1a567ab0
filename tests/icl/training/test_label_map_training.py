"""Measures on attention and curves whose answers are known, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.training.label_map_training import Config, first_step, longest_rest, train, where_the_query_looks


def test_attention_measures_on_hand_made_attention():
    first, second = torch.zeros(2, 3, 5, 5), torch.zeros(2, 3, 5)
    first[0, :, 4], second[0] = torch.tensor([0.1, 0.2, 0.1, 0.4, 0.2]), torch.tensor([0.0, 0.5, 0.0, 0.1, 0.4])
    first[1, :, 1, 0], first[1, :, 3, 2] = 1.0, 0.5
    looks = where_the_query_looks(first, second)
    assert looks["bigram_1"] == pytest.approx([0.2, 0])
    assert looks["label_1"] == pytest.approx([0.6, 0])
    assert looks["chunk"] == pytest.approx([0, 0.75])
    assert looks["bigram_2"] == pytest.approx([0.4, 0])
    assert looks["label_2"] == pytest.approx([0.6, 0])


def test_an_even_look_gives_the_chunk_that_the_page_states():
    even = torch.ones(9, 9).tril()
    even = (even / even.sum(1, keepdim=True)).expand(1, 2, 9, 9)
    chunk = where_the_query_looks(even, torch.full((1, 2, 9), 1 / 9))["chunk"]
    assert chunk == pytest.approx([(1 / 2 + 1 / 4 + 1 / 6 + 1 / 8) / 4])


def curve(*accuracy: float) -> dict:
    return {"step": np.arange(len(accuracy)) * 100, "accuracy": np.array(accuracy)}


@pytest.mark.parametrize(
    "accuracy, rest",
    [
        ((0, 0, 0, 0.3, 0.6, 0.95), (0, np.inf)),  # before a quarter does not count
        ((0, 0.3, 0.34, 0.35, 0.6, 0.7, 0.95), (200, 100)),
        ((0.3, 0.5, 0.71, 0.7, 0.74, 0.72, 0.95, 0.95, 0.95, 0.95), (300, 200)),
        ((0.3, 0.4, 0.5, 0.6, 0.6), (100, 300)),  # never nine tenths
    ],
)
def test_longest_rest(accuracy, rest):
    assert longest_rest(curve(*accuracy)) == rest


def test_first_step_is_infinite_where_it_never_comes():
    m = curve(0.1, 0.2, 0.6)
    assert first_step(m, m["accuracy"], 0.5) == 200
    assert first_step(m, m["accuracy"], 0.9) == np.inf


@pytest.mark.parametrize("n_heads", [1, 2])
def test_a_short_run_is_finite_and_repeats(n_heads):
    config = Config(
        n_heads=n_heads, n_steps=5, evaluate_every=2, n_test=16, n_last=400, batch=4, draw_ahead=2, mastered=2.0
    )
    one, two, other = (train(config, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4]
    assert one["bigram_1"].shape == (3, n_heads)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["bigram_1"], other["bigram_1"])


def test_a_run_ends_when_the_task_is_mastered():
    config = Config(n_steps=9, evaluate_every=1, n_test=16, n_last=400, batch=4, draw_ahead=2, mastered=0.0)
    assert train(config, 5)["step"].tolist() == [0], "all that is asked of it is there at once"


def test_weights_world_and_sequences_come_from_streams_of_their_own():
    """Another batch size changes what is trained on, and neither the start nor the tests."""
    config = Config(n_steps=2, evaluate_every=2, n_test=16, n_last=400, batch=4, draw_ahead=2)
    one, two = train(config, 5), train(replace(config, batch=8), 5)
    assert one["bigram_1"][0] == two["bigram_1"][0] and one["bigram_1"][1] != two["bigram_1"][1]
    assert one["share_shown"] == two["share_shown"]

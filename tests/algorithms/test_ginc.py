"""The small GINC: its oracle is an oracle, and a short run."""

import numpy as np
import torch

from snippets.algorithms import ginc
from snippets.icl.tasks.concepts import Ginc

CONFIG = ginc.Config(n_steps=3, n_test=20, batch=4, shots=(0, 2), lengths=(3,), n_positions=20)


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (ginc.run(CONFIG, seed) for seed in (5, 5, 6))
    assert one["seen: oracle"].shape == (1, 2) and one["distance"].shape == (19,)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])


def test_the_exact_predictor_loses_least():
    m = ginc.run(CONFIG, 5)
    assert m["exact_loss"].mean() < m["loss"].mean() - 0.1
    np.testing.assert_allclose(m["distance"].mean(), (m["loss"] - m["exact_loss"]).mean(), atol=0.15)
    assert m["sure"][-1] > m["sure"][0] and m["sure"].max() <= 1


def test_who_answers_for_a_world_of_one_concept():
    """With a single concept there is nothing to infer: the prior of training is the truth."""
    c = ginc.Config(task=Ginc(n_concepts=1), n_steps=1, batch=2, n_test=60, shots=(0,), lengths=(4,), n_positions=12)
    m = ginc.run(c, 3)
    assert (m["sure"] > 1 - 1e-6).all()
    assert m["seen: oracle"][0, 0] >= m["seen: other"][0, 0]


def made_up() -> dict:
    def rows(*values: float) -> np.ndarray:
        return np.array(values).reshape(2, 2)

    return {
        "seen: oracle": rows(0.5, 0.65, 0.65, 0.85),
        "seen: network": rows(0.5, 0.55, 0.6, 0.7),
        "unseen: oracle": rows(0.5, 0.5, 0.6, 0.6),
        "unseen: other": rows(0.5, 0.7, 0.7, 0.85),
        "distance": np.full(52, 0.1),
        "sure": np.full(52, 0.6),
    }


def test_each_claim_can_hold_and_can_fail():
    good = made_up()
    flat = np.full((2, 2), 0.5)
    bad = {name: flat for name in good} | {"distance": np.full(52, 0.5), "sure": np.full(52, 0.1)}
    bad["seen: oracle"] = np.array([[0.7, 0.7], [0.62, 0.7]])  # gains less than the network
    bad["seen: network"] = np.array([[0.5, 0.55], [0.6, 0.7]])
    bad["unseen: other"] = np.full((2, 2), 0.4)
    bad["unseen: oracle"] = np.array([[0.5, 0.5], [0.3, 0.5]])  # gains as much
    for claim in ginc.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_logits_read_tokens():
    network = ginc.LSTMReader(9, 9, 8, torch.Generator().manual_seed(0))
    tokens = torch.tensor([[0, 3, 8]])
    assert ginc.logits(network, tokens).shape == (1, 3, 9)

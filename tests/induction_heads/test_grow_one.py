"""The experiment *grow one* without its training: roles, ablations, circuits, and the numbers derived from curves."""

import dataclasses

import numpy as np
import pytest
import torch

from snippets.icl.networks.circuits import ablations, circuits, composition, roles
from snippets.icl.networks.parts import rms_norm
from snippets.icl.networks.small_transformer import SmallTransformer
from snippets.icl.streams import streams
from snippets.icl.tasks.repeated_segments import Task, World
from snippets.induction_heads import grow_one as g


def untrained(n_layers: int = 2, smeared: bool = False) -> SmallTransformer:
    return SmallTransformer(n_layers, 32, 64, 16, 2, torch.Generator().manual_seed(0), smeared)


@pytest.fixture(scope="module")
def test_set():
    return World(Task(), streams(9, 1)[0]).draw(16, streams(9, 2)[1])


def test_evaluate_has_a_row_for_each_layer_and_a_column_for_each_head(test_set):
    found = g.evaluate(untrained(), test_set)
    assert found["prefix"].shape == found["previous"].shape == found["itself"].shape == (2, 2)
    assert found["probe"].shape == (2, 2, len(g.PROBE), len(g.PROBE))
    assert found["losses"].shape == (3,)


def test_losses_are_means_over_their_places(test_set):
    logits = torch.zeros(16, 64, 32)
    assert g.losses(logits, test_set) == pytest.approx([np.log(32), np.log(32), 0], abs=1e-5)
    sure = torch.full((16, 64, 32), -50.0).scatter(2, test_set.wanted[..., None], 50.0)
    sure[~test_set.repeats] = 0  # right on the repeats, without a guess elsewhere
    repeats, background, _ = g.losses(sure, test_set)
    assert repeats == pytest.approx(0, abs=1e-6)
    assert background == pytest.approx(np.log(32), abs=1e-5)


def test_roles_go_by_what_heads_do_at_the_end():
    curves = {
        "previous": np.array([[[0.9, 0.0], [0.9, 0.0]], [[0.1, 0.6], [0.3, 0.2]]]),
        "prefix": np.array([[[0.9, 0.0], [0.9, 0.0]], [[0.8, 0.1], [0.2, 0.7]]]),
    }
    assert roles(curves) == [[(0, 1), (0, 0)], [(1, 1), (1, 0)]]
    one = {name: curve[:, :1] for name, curve in curves.items()}
    assert roles(one) == [[(0, 0), (0, 1)]]  # one layer: by prefix matching


def test_ablations_follow_the_roles(test_set):
    network = untrained()
    heads = [[(0, 1), (0, 0)], [(1, 0), (1, 1)]]
    found = ablations(network, heads, test_set.read, lambda logits: g.losses(logits, test_set))
    assert found.shape == (2, 3, 2, 3)
    with torch.no_grad():
        network.W_O[0][8:16] = 0  # head 1 of layer 1
        assert found[0, 0, 0] == pytest.approx(g.losses(network(test_set.read)[0], test_set), abs=1e-5)
    assert found[1, :, 0] == pytest.approx(found[1, :, 1], abs=1e-5)  # in the last layer both modes are the same


def test_circuits_of_two_layers_go_through_the_first():
    """Where the rewriting head writes nothing, tokens as embedded and as rewritten are the same."""
    network = untrained()
    heads = [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]
    with torch.no_grad():
        network.W_O[0][8:16] = 0  # the rewriting head writes nothing
        found = circuits(network, heads)
        assert found["match"] == pytest.approx(found["match_plain"])
        assert found["QK"] == pytest.approx(found["QK_plain"])
        carrier, best = network.head(0, 0), network.head(1, 0)
        carried = rms_norm(network.W_E) @ carrier.W_V @ carrier.W_O
        expected = network.W_E @ best.W_Q @ best.W_K.T @ carried.T
        assert found["QK"] == pytest.approx(expected.numpy(), abs=2e-3)  # pictures are in half precision
        values = np.linalg.eigvals(expected.double().numpy())
        assert found["match"][0] == pytest.approx(values.sum().real / np.abs(values).sum(), abs=1e-3)


def test_circuits_of_a_head_built_to_copy():
    network = untrained(n_layers=1)
    with torch.no_grad():
        network.W_E.copy_(torch.eye(32)[:, :16] * 3)  # the last sixteen tokens are nothing
        network.W_U.copy_(torch.eye(32)[:16])
        network.W_QKV[0][:, 32:40] = torch.eye(16)[:, :8]  # W_V of head 0
        network.W_O[0][:8] = torch.eye(16)[:8]
    found = circuits(network, [[(0, 0), (0, 1)]])
    assert found["copy"][0] == pytest.approx(1)
    assert found["OV"][:8, :8] == pytest.approx(3 * np.eye(8))


def test_composition_is_measured_from_random_heads():
    network = untrained()
    heads = [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]
    found = composition(network, heads, torch.Generator().manual_seed(1))
    assert found["composition"].shape == (2, 2)
    assert np.abs(found["composition"]).max() < 0.2  # an untrained network is random


def curves_that_fall_at(step: int) -> dict[str, np.ndarray]:
    steps = np.arange(0, 451, 15)
    loss = np.where(steps < step, 3.6, 0.6)
    prefix = np.where(steps < step + 15, 0.1, 0.8)
    return {
        "two_step": steps,
        "two_losses": np.stack([loss, loss, -loss], 1),
        "two_prefix": np.stack([prefix, prefix / 2], 1)[:, None],
    }


def test_numbers_derived_from_curves():
    m = curves_that_fall_at(210)
    assert g.half_way(m["two_step"], g.repeats(m, "two")) == 210
    assert g.half_way(m["two_step"], g.best_prefix(m, "two")) == 225
    assert g.steepest(m, "two") == pytest.approx(3.0)
    ramp = m | {"two_losses": np.linspace(4, 1, 31)[:, None].repeat(3, 1)}
    assert g.steepest(ramp, "two") == pytest.approx(0.3)  # three of thirty intervals


def test_the_share_of_the_score_leaves_out_what_a_table_scores():
    m = {"two_background": 2.0, "without_layer_background": 2.1, "table_icl": -0.2, "two_icl_own": -1.0}
    assert g.share_of_score(m | {"without_layer_icl": -0.2}) == pytest.approx(1)  # all that is left is the table's
    assert g.share_of_score(m | {"without_layer_icl": -0.7}) == pytest.approx(0.5)
    assert g.share_of_score(m | {"without_layer_icl": -0.2, "without_layer_background": 2.5}) == 0


def test_settings_are_those_that_the_docstring_declares():
    config = g.PRESETS["laptop"]
    assert dataclasses.is_dataclass(config) and config.faster == 20
    assert config.n_steps % config.evaluate_every == 0 and g.LEARNED % config.evaluate_every == 0
    assert set(g.PROBE) <= set(g.NAMES) and len(g.NAMES) == config.task.n_vocab

"""Chapter 19's measures on curves and attention whose answers are known, and a short run."""

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import jump
from snippets.icl.tasks.item_label import Task, World


@pytest.fixture
def curves() -> dict:
    """A made-up run: flat at an eighth, a jump at step 500, and a second curve half a jump later."""
    step = np.arange(0, 1001, 100)
    novel = np.where(step < 500, 0.125, 1.0)
    novel[5] = 0.5
    return {
        "step": step,
        "accuracy_novel": novel,
        "label_in_context": np.where(step < 300, 0.25, 0.9),
        "label_to_item": np.where(step < 600, 0.2, 1.0),
        "target_to_label": np.where(step < 500, 0.0, 1.0),
        "logit_spread": np.ones(11),
    }


def test_derived_numbers(curves):
    assert jump.onset(curves) == 500
    assert jump.arrival(curves) == 600
    assert jump.rise(curves) == pytest.approx(0.2)
    assert jump.before_the_jump(curves, "label_in_context") == pytest.approx(0.9)
    assert jump.before_the_jump(curves, "accuracy_novel") == pytest.approx(0.125)
    assert jump.half_way(curves, "label_to_item") == 600
    assert jump.half_way_spread(curves) == 600 - 500
    assert jump.at_the_end(curves, "accuracy_novel") == 1


def test_a_run_without_a_jump_is_never_and_fails(curves):
    flat = curves | {"accuracy_novel": np.full(11, 0.03)}
    assert jump.rise(flat) == jump.half_way_spread(flat) == np.inf
    values = {claim.id: claim.holds(claim.value(flat | END)) for claim in jump.CLAIMS}
    assert not values["sharp"] and not values["new-classes"] and not values["onset"]
    assert not values["silent"], "it has a spread, so it is not silent"


END = {"accuracy_rotated": np.zeros(11), "accuracy_from_memory": np.zeros(11), "accuracy_cut": 0.0}


def test_each_claim_can_fail_and_can_hold(curves):
    good = curves | END | {"accuracy_rotated": np.ones(11)}
    good["step"] = good["step"] * 3
    good["accuracy_novel"] = np.where(good["step"] < 1500, 0.125, 1.0)
    good["label_to_item"] = good["target_to_label"] = good["accuracy_novel"]
    bad = {key: np.full(11, 0.5) for key in good} | {"step": good["step"], "accuracy_cut": 0.5}
    for claim in jump.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bad)), claim.id


def test_attention_measures_on_hand_made_attention():
    task = Task(n_pairs=2, n_labels=4, n_classes=8, n_novel=8, n_slots=5)
    batch = World(task, torch.Generator().manual_seed(0)).novel(3)
    first = torch.zeros(3, 5, 5)
    first[:, 1, 0], first[:, 3, 2] = 0.5, 1.0
    assert jump.label_to_item(first) == pytest.approx(0.75)
    second = torch.full((3, 5), 0.1)
    shown = batch.answer_shown.bool()
    second[:, 1::2][shown] = 0.6
    assert jump.target_to_label(second, batch) == pytest.approx(0.6)
    assert jump.where_the_target_looks(second, batch) == pytest.approx([0.6, 0.1, 0.1, 0.1, 0.1])
    assert jump.names_a_shown_label(batch.context_labels[:, 1], batch) == 1
    absent = torch.tensor([next(x for x in range(4) if x not in row) for row in batch.context_labels.tolist()])
    assert jump.names_a_shown_label(absent, batch) == 0


def test_edges_lead_from_labels_to_their_items():
    edges = jump.label_to_item_edges(5)
    assert edges.nonzero().tolist() == [[1, 0], [3, 2]]


def test_a_short_run_is_finite_and_repeats():
    config = jump.Config(n_steps=4, evaluate_every=2, n_test=8, batch=8)
    one, two, other = (jump.run(config, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4]
    assert one["first_layer"].shape == (3, 17, 17)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])

"""The jump's measures on curves and attention whose answers are known, and a short run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import cliff_in_network, jump
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.tasks.item_label import Task, World, label_to_item


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
    }


def test_derived_numbers(curves):
    assert jump.onset(curves) == 500
    assert jump.arrival(curves) == 600
    assert jump.rise(curves) == pytest.approx(0.2) and jump.jumps(curves)
    assert jump.before_the_jump(curves, "label_in_context") == pytest.approx(0.9)
    assert jump.before_the_jump(curves, "accuracy_novel") == pytest.approx(0.125)
    assert jump.half_way(curves, "label_to_item") == 600
    assert jump.half_way_spread(curves) == 600 - 500
    assert jump.at_the_end(curves, "accuracy_novel") == 1


END = {
    "accuracy_rotated": np.ones(11),
    "accuracy_from_memory": np.zeros(11),
    "without_its": 0.0,
    "without_others": 1.0,
    "edges_moved": 1.0,
}


def test_a_run_without_a_jump_is_never_and_fails(curves):
    flat = curves | END | {"accuracy_novel": np.full(11, 0.03)}
    assert jump.arrival(flat) == np.inf and not jump.jumps(flat)
    values = {c.id: c.holds(c.value(flat)) for c in jump.CLAIMS if c.applies is None or c.applies(flat)}
    assert set(values) == {"jumps", "onset", "new-classes", "rotated"}
    assert not values["jumps"] and not values["new-classes"] and not values["onset"]
    assert jump.last_before_the_jump(flat) == 10, "there is a last look before a jump that never comes"


def test_each_claim_can_fail_and_can_hold(curves):
    good = curves | END
    good["step"] = good["step"] * 2
    good["accuracy_novel"] = np.where(good["step"] < 1000, 0.125, 1.0)
    good["label_to_item"] = good["target_to_label"] = good["accuracy_novel"]
    late = good["step"] >= 1800
    worse = {
        "jumps": {"accuracy_novel": np.where(late, 1.0, 0.125)},
        "sharp": {"accuracy_novel": np.where(late, 1.0, np.where(good["step"] < 1000, 0.125, 0.5))},
        "onset": {"accuracy_novel": np.where(late, 1.0, 0.125)},
        "slow": {"label_in_context": np.full(11, 0.25)},
        "guessing": {"accuracy_novel": np.where(good["step"] < 1000, 0.03, 1.0)},
        "together": {"target_to_label": np.where(late, 1.0, 0.0)},
        "new-classes": {"accuracy_novel": good["accuracy_novel"] * 0.93},
        "rotated": {"accuracy_rotated": np.full(11, 0.5)},
        "memory": {"accuracy_from_memory": np.full(11, 0.07)},
        "without-its": {"without_its": 0.2},
        "without-others": {"without_others": 0.5},
        "moved": {"edges_moved": 0.5},
    }
    assert set(worse) == {claim.id for claim in jump.CLAIMS}
    for claim in jump.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(good | worse[claim.id])), claim.id


def test_attention_measures_on_hand_made_attention():
    task = Task(n_pairs=2, n_labels=4, n_classes=8, n_slots=5)
    batch = World(task, torch.Generator().manual_seed(0)).novel(3, torch.Generator().manual_seed(1))
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


class Ideal(TwoLayerNetwork):
    """An induction head by hand. Its logits are over places: which pair's label it names."""

    def forward(self, x, first=None):
        items = x[..., 17:] * 8  # far apart
        if first is None:
            first = label_to_item(17).float().repeat(len(x), 1, 1)
        held = first @ items
        places = (held[:, 1::2] @ items[:, -1:].mT)[..., 0].softmax(-1)
        return places, first, places


def ideal(task: Task) -> Ideal:
    return Ideal(task.d_model, task.d_item, task.n_labels, 8, torch.Generator())


def test_cut_edges_on_an_induction_head_made_by_hand():
    """The right label is found by its own edge alone, and moving the edges moves the answer."""
    task = Task(noise=0.01)
    batch = World(task, torch.Generator().manual_seed(0)).novel(64, torch.Generator().manual_seed(1))
    # let the answer be the place of the label, which is what the head above gives
    places = torch.arange(task.n_pairs).expand(64, -1)
    batch = replace(batch, context_labels=places, answer=batch.answer_shown.argmax(1))
    found = jump.without_edges(ideal(task), batch)
    assert found["without_its"] < 0.1 and found["without_others"] == 1
    assert jump.edges_moved(ideal(task), batch) == 1


def swapped(x: torch.Tensor, one: int, other: int) -> torch.Tensor:
    """The contents of two tokens change places; positions stay."""
    changed = x.clone()
    changed[:, one, 17:], changed[:, other, 17:] = x[:, other, 17:], x[:, one, 17:]
    return changed


def test_one_layer_cannot_tell_two_items_that_are_swapped():
    """Exercise 2: attention to the labels keeps its order under the swap, place by place, but the answer has moved."""
    task, g = Task(), torch.Generator().manual_seed(2)
    x = World(task, torch.Generator().manual_seed(0)).novel(16, torch.Generator().manual_seed(1)).tokens.double()
    W = torch.randn(49, 49, generator=g, dtype=torch.float64) / 7

    def to_labels(x):
        """Attention of the target; labels are alike to the head: it sees their position and not their vector."""
        seen = x.clone()
        seen[:, 1::2, 17:] = 0
        scores = (x[:, -1:] @ W @ seen.mT)[:, 0]
        return scores.softmax(-1)[:, 1::2]

    before, after = to_labels(x), to_labels(swapped(x, 0, 4))
    share = after / before
    torch.testing.assert_close(share, share[:, :1].expand_as(share))  # all of them by one factor
    assert torch.equal(before.argsort(1), after.argsort(1))


def test_which_swap_moves_the_answer():
    """An induction head follows two swapped items to the other place. Where two labels are swapped its place stays:
    the answer moves together with its label, so that swap shows nothing."""
    task = Task()
    batch = World(task, torch.Generator().manual_seed(0)).novel(16, torch.Generator().manual_seed(1))
    head = ideal(task)
    for row, pair in enumerate(batch.answer_shown.argmax(1).tolist()):
        x, other = batch.tokens[row : row + 1], (pair + 3) % 8
        assert head(x)[0].argmax() == pair
        assert head(swapped(x, 2 * pair, 2 * other))[0].argmax() == other
        assert head(swapped(x, 2 * pair + 1, 2 * other + 1))[0].argmax() == pair


def test_a_short_run_is_finite_and_repeats():
    config = jump.Training(n_steps=4, evaluate_every=2, n_test=8, batch=8)
    one, two, other = (jump.run(config, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4]
    assert one["maps"].shape == (3, 17, 17) and one["target_looks"].shape == (3, 5)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])


def test_the_networks_of_the_cliff_are_the_same():
    config = jump.Training(n_steps=50, n_test=32)
    np.testing.assert_array_equal(jump.run(config, 5)["loss"], cliff_in_network.run(config, 5)["loss"].astype(float))

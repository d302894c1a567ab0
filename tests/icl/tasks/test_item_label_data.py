"""The four dials do what they say, and what cannot be is said in one line."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.item_label_data import (
    Data,
    World,
    asked_before,
    commonest_label,
    frequencies,
    often_asked,
    target_in_context,
)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def kinds(draw) -> Data:
    """Any data that the constructor accepts."""
    copies = draw(st.integers(0, 3))
    n_pairs = max(copies, 1) * draw(st.integers(1, 3))
    n_labels = draw(st.integers(max(n_pairs, 2), 12))
    return Data(
        n_classes=n_labels * draw(st.integers(2, 4)),
        copies=copies,
        noise=draw(st.sampled_from([0.0, 0.3, 2.0])),
        exponent=draw(st.sampled_from([0.0, 0.7, 1.5])),
        burst_share=draw(st.sampled_from([0.0, 0.5, 1.0])),
        n_pairs=n_pairs,
        n_labels=n_labels,
        d_item=draw(st.integers(1, 6)),
    )


@settings(max_examples=60)
@given(kinds(), st.integers(0, 100))
def test_a_bursty_context_shows_the_target_so_many_times(data, seed):
    if not data.copies:
        return
    context, target = World(data, stream(seed)).bursty(9, data.copies, stream(seed + 1))
    for classes, one in zip(context, target):
        kinds_shown, counts = classes.unique(return_counts=True)
        assert (counts == data.copies).all() and one in kinds_shown
        assert len((kinds_shown % data.n_labels).unique()) == len(kinds_shown), "labels differ"


@settings(max_examples=60)
@given(kinds(), st.sampled_from(["train", "novel", "rotated", "absent", "source_iid"]), st.integers(0, 100))
def test_the_answer_is_what_is_shown_with_the_target(data, kind, seed):
    batch = getattr(World(data, stream(seed)), kind)(7, stream(seed + 1))
    assert batch.tokens.shape == (7, data.n_tokens, data.d_model)
    shown = batch.answer_shown.bool()
    if kind in ("novel", "rotated"):
        assert (shown.sum(1) == 1).all()
    if kind == "absent":
        assert not shown.any()
    assert (batch.context_labels == batch.answer[:, None])[shown].all()


def test_without_bursts_all_is_drawn_by_frequency_and_alike():
    world = World(Data(n_classes=16, copies=0, exponent=1.0), stream())
    context, target = world.iid(40_000, stream(1))
    for drawn in (*context.T, target):
        share = drawn.bincount(minlength=16) / len(drawn)
        np.testing.assert_allclose(share, world.p, atol=0.01)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_target_of_a_bursty_sequence_follows_the_frequencies_too(exponent):
    world = World(Data(n_classes=32, exponent=exponent), stream())
    _, target = world.bursty(40_000, 1, stream(1))
    np.testing.assert_allclose(target.bincount(minlength=32) / 40_000, world.p, atol=0.01)


def test_the_others_are_drawn_one_after_the_other():
    """B = 2 and N = 4: one other class. Its law given the target's label, exactly."""
    world = World(Data(n_classes=8, n_labels=4, copies=2, exponent=1.0), stream())
    context, target = world.bursty(60_000, 2, stream(1))
    others = context.sum(1) // 2 - target  # two classes, each twice
    seen = others[target == 0].bincount(minlength=8).double()
    expected = world.p.double().clone()
    expected[[0, 4]] = 0  # classes 0 and 4 share a label
    np.testing.assert_allclose(seen / seen.sum(), expected / expected.sum(), atol=0.012)


def test_share_of_contexts_that_show_the_target():
    for data in (Data(n_classes=16, copies=0), Data(n_classes=32, exponent=1.0, burst_share=0.5)):
        batch = World(data, stream()).train(20_000, stream(1))
        assert batch.answer_shown.any(1).float().mean() == pytest.approx(target_in_context(data), abs=0.012)


def test_closed_forms_by_hand():
    assert frequencies(4, 1.0).tolist() == pytest.approx([12 / 25, 6 / 25, 4 / 25, 3 / 25])
    assert asked_before(1024, 0.0) == pytest.approx(1 / 1024)
    assert asked_before(4, 1.0) == pytest.approx((144 + 36 + 16 + 9) / 625)
    assert often_asked(4, 1.0, 25, 6) == pytest.approx(18 / 25)
    assert commonest_label(4, 2, 1.0) == pytest.approx(16 / 25)
    assert target_in_context(Data(n_classes=16, copies=0)) == pytest.approx(1 - (15 / 16) ** 4)


def test_items_vary_as_they_should_and_keep_their_length():
    for noise in (0.0, 0.5, 2.0):
        data = Data(n_classes=16, noise=noise, d_item=400)
        world = World(data, stream())
        items = world.source_iid(200, stream(1)).tokens[:, -1, data.n_tokens :]
        assert float(items.square().sum(1).mean()) == pytest.approx(1, abs=0.03)
        target = world.iid(200, stream(1))[1]  # the same draws
        likeness = (items * world.means[target]).sum(1).mean() / world.means.square().sum(1).mean()
        assert float(likeness) == pytest.approx((1 + noise**2) ** -0.5, abs=0.05)


def test_known_classes_keep_their_labels_and_rotated_ones_move_by_one():
    world = World(Data(n_classes=64, noise=0.0), stream())
    for kind, by in (("source_iid", 0), ("absent", 0), ("rotated", 1)):
        batch = getattr(world, kind)(50, stream(2))
        items = batch.tokens[:, 0::2, world.data.n_tokens :]
        classes = torch.cdist(items, world.means.expand(50, -1, -1)).argmin(-1)
        assert (batch.context_labels == (classes[:, :-1] + by) % 16).all()
        assert (batch.answer == (classes[:, -1] + by) % 16).all()


def test_absent_keeps_to_its_ranks():
    world = World(Data(n_classes=64, noise=0.0), stream())
    batch = world.absent(200, stream(1), range(8, 12))
    items = batch.tokens[:, -1, world.data.n_tokens :]
    assert set(torch.cdist(items, world.means).argmin(-1).tolist()) == {8, 9, 10, 11}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n_labels": 16, "n_classes": 8}, "L = 16 labels for K = 8"),
        ({"n_classes": 100}, "multiple of L"),
        ({"copies": 3}, "divide N = 4"),
        ({"copies": -1}, "B = -1"),
        ({"exponent": -0.1}, "alpha = -0.1"),
        ({"exponent": float("nan")}, "alpha"),
        ({"noise": -1.0}, "epsilon = -1.0"),
        ({"noise": float("nan")}, "epsilon"),
        ({"n_pairs": 0}, "N = 0"),
        ({"n_pairs": 20}, "too few"),
        ({"n_labels": 1, "n_pairs": 1}, "too few"),
        ({"burst_share": 1.2}, "p_B = 1.2"),
    ],
)
def test_what_cannot_be_is_said(change, says):
    with pytest.raises(ValueError, match=says):
        Data(**change)

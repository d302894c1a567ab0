"""The parts of the chapter on subcircuits that are exact, and what they refuse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from snippets.icl.networks.clamped import PARTS, Clamped, all_clamps, previous
from snippets.icl.networks.packed import Packed, SparseAutoencoder, recovered
from snippets.icl.streams import streams
from snippets.icl.tasks.relabelled import Task, sample
from snippets.icl.theory import factors
from snippets.icl.training.clamped_networks import passes


def generator(seed: int = 7) -> torch.Generator:
    return streams(seed, 1)[0]


@given(
    m=st.sampled_from([1, 2, 3]),
    start=st.floats(0.02, 0.5),
    further=st.floats(0.01, 0.45),
)
@settings(max_examples=40, deadline=None)
def test_waiting_time_is_the_integral(m, start, further):
    end = start + further
    area = quad(lambda x: 1 / (x ** (m - 1) * (1 - x**m)), start, end)[0]
    assert factors.waiting_time(m, start, end) == pytest.approx(area, rel=1e-7)


def test_loss_and_gradient_are_those_of_the_tensor():
    truth, v = factors.draw(4, generator()), factors.draw(4, generator(8))
    v.requires_grad_()
    off = torch.einsum("i,j,k", *v) - torch.einsum("i,j,k", *truth)
    mean = off.square().mean() / 2
    assert torch.isclose(factors.loss(v, truth), mean)
    (slope,) = torch.autograd.grad(mean, v)
    assert torch.allclose(factors.gradient(v.detach(), truth), slope)


def test_a_clamped_factor_stays_at_the_truth():
    truth, v = factors.draw(3, generator()), factors.draw(3, generator(8))
    _, end = factors.descend(v, truth, factors.free_factors("c"), 0.1, 5)
    assert torch.equal(end[2], truth[2]) and not torch.equal(end[0], v[0])


@pytest.mark.parametrize("clamped", ["d", "bd", "B"])
def test_no_such_factor(clamped):
    with pytest.raises(ValueError, match="no factor"):
        factors.free_factors(clamped)


def test_toy_refuses():
    with pytest.raises(ValueError, match="dimension 0"):
        factors.draw(0, generator())
    with pytest.raises(ValueError, match="4 free factors"):
        factors.waiting_time(4, 0.1, 0.5)
    with pytest.raises(ValueError, match="go up"):
        factors.waiting_time(2, 0.5, 0.1)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"n_labels": 20}, "as many classes as labels"),
        ({"n_pairs": 9}, "as many labels as pairs"),
        ({"n_pairs": 1}, "two pairs or more"),
        ({"d_item": -1}, "0 or more dimensions"),
    ],
)
def test_no_such_task(bad, words):
    with pytest.raises(ValueError, match=words):
        Task(**bad)


def test_prompts_hold_the_answer_beside_the_repeated_thing():
    task = Task(n_pairs=3)
    batch = sample(task, task.vectors(generator()), 200, generator())
    every, pair = torch.arange(200), 2 * batch.match
    assert torch.equal(batch.tokens[every, pair], batch.tokens[:, -1])
    label = batch.tokens[every, pair + 1, task.d :]
    assert torch.equal(label.argmax(-1), batch.answer)
    shown = batch.tokens[:, 0:-1:2, : task.d].sum(1)
    assert shown.max() == 1  # classes of one prompt differ
    assert batch.tokens[:, 1::2, task.d :].sum(1).max() == 1  # and labels


def test_all_three_clamps_answer_right():
    task = Task(n_pairs=3)
    network = Clamped(task, [(), PARTS], generator(), strength=20.0)
    batch = sample(task, task.vectors(generator()), 100, generator(9))
    logits, first, _ = network(batch.tokens)
    right = (logits.argmax(-1) == batch.answer).float().mean(-1)
    assert right[1] == 1 and right[0] < 0.6
    assert torch.equal(first[1, 0], previous(task.n_tokens))


def test_a_clamped_part_learns_nothing():
    task = Task(n_pairs=3)
    clamps = all_clamps()
    network = Clamped(task, clamps, generator())
    batch = sample(task, task.vectors(generator()), 20, generator(9))
    network(batch.tokens)[0].square().sum().backward()
    owns = {"previous": network.A1, "match": network.A2, "copy": network.W}
    for part, weights in owns.items():
        for net, clamp in enumerate(clamps):
            moves = bool(weights.grad[net].abs().max() > 0)
            assert moves == (part not in clamp)


def test_networks_side_by_side_do_not_touch():
    task = Task(n_pairs=3)
    batch = sample(task, task.vectors(generator()), 20, generator(9))
    both = Clamped(task, [(), ("copy",)], generator())(batch.tokens)[0]
    alone = Clamped(task, [("copy",)], generator())(batch.tokens)[0]
    assert torch.allclose(both[1], alone[0], atol=1e-6)


def test_no_such_part_or_head():
    task = Task()
    with pytest.raises(ValueError, match="no part 'paste'"):
        Clamped(task, [("paste",)], generator())
    with pytest.raises(ValueError, match="no network"):
        Clamped(task, [], generator())
    with pytest.raises(ValueError, match="n_heads = 0"):
        Clamped(task, [()], generator(), n_heads=0)
    network = Clamped(task, [()], generator(), n_heads=2)
    for net, head in ((0, 2), (1, 0), (0, -1)):
        with pytest.raises(ValueError, match="no head"):
            network.cut(net, head)


def test_a_head_that_is_cut_adds_nothing():
    task = Task()
    batch = sample(task, task.vectors(generator()), 20, generator(9))
    network = Clamped(task, [(), ()], generator(), n_heads=2)
    network.cut(0, 0)
    network.cut(0, 1)
    logits = network(batch.tokens)[0]
    assert logits[0].abs().max() == 0 and logits[1].abs().max() > 0


def test_passes_is_on_the_line_between_two_looks():
    steps, loss = np.array([0, 10, 20]), np.array([2.0, 1.0, 0.0])
    assert passes(steps, loss, 0.25) == pytest.approx(17.5)
    assert passes(steps, loss, -1.0) == math.inf
    assert passes(steps, loss, 3.0) == 0


def test_recovered_counts_directions_with_their_sign():
    axes = torch.eye(3)
    assert recovered(axes, 5 * axes) == 1
    assert recovered(axes, -axes) == 0
    assert recovered(axes, axes[:1]) == pytest.approx(1 / 3)


def test_two_features_on_one_axis():
    network = Packed(1, 2, 1, generator())
    with torch.no_grad():
        network.W.copy_(torch.tensor([[[1.0], [-1.0]]]))
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    back = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    assert torch.equal(network(x), back)


def test_nothing_to_pack_or_to_find():
    with pytest.raises(ValueError, match="in 0 dimensions"):
        Packed(1, 5, 0, generator())
    with pytest.raises(ValueError, match="dictionary of 0"):
        SparseAutoencoder(1, 0, 5, generator())
    with pytest.raises(ValueError, match="directions of 0"):
        SparseAutoencoder(1, 5, 0, generator())
    with pytest.raises(ValueError, match="empty dictionary"):
        recovered(torch.eye(2), torch.zeros(0, 2))

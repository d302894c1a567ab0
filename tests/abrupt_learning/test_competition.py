"""Coming and going: the two ways, the toy of shared factors, the sums; what each must get right, and bad input."""

import numpy as np
import pytest
import torch

from snippets.abrupt_learning import come_and_go, grokking, shared_factors
from snippets.icl.networks.one_look import OneLook
from snippets.icl.streams import streams
from snippets.icl.tasks.noisy_pairs import Task, World

QUICK = come_and_go.Config(n_steps=60, n_test=200, n_looks=5, batch=16)


def hand_set(world: World, item: float, name: float) -> OneLook:
    """A network that looks by item, by name, or by both, as hard as is said."""
    network = OneLook(world.task.d_item, world.task.n_classes, torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.W_item.copy_(item * torch.eye(world.task.d_item))
        network.W_name.copy_(name * world.means.T)
        network.gain.fill_(10.0)
    return network


@pytest.mark.parametrize(("by_item", "by_name", "way"), [(30.0, 0.0, "swapped"), (0.0, 30.0, "usual")])
def test_the_tests_tell_the_two_ways_apart(by_item, by_name, way):
    world, exam = (World(Task(noise=0.2), streams(0, 2)[0]), streams(0, 2)[1])
    exams = {kind: world.draw(kind, 400, exam) for kind in ("train", "novel", "swapped", "named")}
    seen = come_and_go.look(hand_set(world, by_item, by_name), exams)
    assert seen["train"] > 0.95 and seen[way] > 0.95
    assert seen["swapped"] + seen["usual"] <= 1
    reads = way == "swapped"
    assert (seen["novel"] > 0.95) == reads and (seen["named"] > 0.95) != reads


def test_looks_are_spread_and_end_at_the_last_step():
    when = come_and_go.moments(QUICK)
    assert min(when) == 0 and max(when) == QUICK.n_steps


def test_a_run_repeats_and_has_no_nan():
    runs = [come_and_go.run(QUICK, seed) for seed in (1000, 1000, 1001)]
    for name, values in runs[0].items():
        assert not np.isnan(values).any(), name
        np.testing.assert_array_equal(values, runs[1][name])
    assert not np.array_equal(runs[0]["loss"], runs[2]["loss"])


def made(swapped: list[float], usual: list[float]) -> dict:
    x = np.arange(len(swapped)) * 100.0
    curves = {"step": x, "swapped": np.array(swapped), "usual": np.array(usual), "novel": np.array(swapped)}
    return {"plain": curves | {"loss": np.linspace(1, 0.1, len(x))}}


def test_reading_that_stays_is_not_called_lost():
    stays, fades = (
        made([0.2, 0.9, 0.9, 0.9, 0.9], [0.2] * 5),
        made([0.2, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0, 0, 0, 0, 0.8, 0.9, 0.9]),
    )
    assert come_and_go.lost(stays) == pytest.approx(0) and come_and_go.crossing(stays) == np.inf
    assert come_and_go.lost(fades) == pytest.approx(0.8) and come_and_go.crossing(fades) == 400


def test_medians_are_over_starts_that_have_both():
    config = shared_factors.Config(n_steps=240, every=60)
    rising = np.array([[0.0, 0.0], [0.6, 0.0], [0.9, 0.0], [0.9, 0.0], [0.9, 0.0]])  # the second start is trapped
    names = list(shared_factors.settings(config.toy))
    found = {which: np.repeat(rising[:, :, None], len(names), 2) for which in ("first", "second")}
    alone = {which: rising[[0, 0, 1, 2, 3]] for which in found}
    told = shared_factors.summary(config, found, alone, names)
    assert told["trapped"] == 0.5 and told["raced"] == 0.5 and told["gone"] == 0
    assert told["second_with_first"] == 0.5 and told["longer"] == 1


def test_a_short_race_has_no_nan():
    m = shared_factors.run(shared_factors.Config(n_starts=2, n_shown=2, n_steps=2400, every=60, n_checked=20), 1000)
    assert m["both_first"].shape == (2, len(m["step"]))
    assert m["map_comes"].shape == m["map_stays"].shape == (len(shared_factors.MU), len(shared_factors.ALPHA))
    assert (m["map_stays"] <= m["map_comes"]).all() and m["eight_numbers"] < 1e-9


def test_a_late_rule_is_late():
    step = np.arange(0, 500, 100.0)
    cell = {"step": step, "train_right": np.array([0, 1, 1, 1, 1.0]), "test_right": np.array([0, 0.1, 0.2, 0.95, 1])}
    m = {"decay": cell | {"train_loss": np.array([3, 1, 0.5, 0.1, 0.05])}}
    assert grokking.known(m) == 100 and grokking.understood(m) == 300 and grokking.when_known(m) == pytest.approx(0.1)
    assert grokking.falls_on(m) == pytest.approx(0.1) and grokking.groks(m)
    cell["test_right"] = np.zeros(5)
    assert not grokking.groks({"decay": cell})


def test_squares_can_add():
    """Weights set by hand, cosines and sines of every frequency, add without a mistake."""
    p = 7
    k, x = torch.arange(1, (p + 1) // 2), torch.arange(p)
    angle = 2 * torch.pi * k[:, None] * x / p
    halves = torch.cat([torch.cos(angle), torch.sin(angle)])  # (2 k, p)
    turns = torch.arange(4) * torch.pi / 4
    rows = [torch.cos(angle - t) for t in turns]  # (cos(ka - t) + cos(kb - t))^2 holds cos(k(a + b) - 2 t)
    W = torch.cat([torch.cat(rows), torch.cat(rows)], 1).T
    U = torch.cat([torch.cos(angle - 2 * t) for t in turns])
    train, test = grokking.table(p, 0.5, torch.Generator().manual_seed(0))
    for side in (train, test):
        assert (grokking.logits([W, U], side.pairs).argmax(1) == side.answer).all()
    assert len(halves) == p - 1

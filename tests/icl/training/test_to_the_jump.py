"""Training that stops at the jump: what it trains, when it stops, and what it refuses."""

import math
from dataclasses import replace

import pytest
import torch

from snippets.icl.tasks.item_label import World
from snippets.icl.training import to_the_jump
from snippets.icl.training.to_the_jump import (
    Training,
    first_below,
    new_classes,
    new_network,
    train,
    train_to_the_jump,
)

SMALL = Training(new_classes(2, 4, 8), batch=8, n_steps=50, evaluate_every=25, n_test=16, width=16)


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_class_is_new_and_positions_do_not_shift():
    task = new_classes(4, 8)
    assert task.novel_share == 1 and task.n_slots == task.n_tokens == 9
    assert (task.n_pairs, task.n_labels, task.d_item) == (4, 8, 32)
    assert new_classes(4, 5).n_labels == 5, "any number of labels will do"


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (train_to_the_jump(SMALL, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 25, 50]
    for name, values in one.items():
        assert values.isfinite().all(), name
        assert torch.equal(values, two[name])
    assert not torch.equal(one["loss"], other["loss"])


@pytest.mark.parametrize("change", [{"optimizer": "adam"}, {"scale": 2.0}, {"learning_rate": 0.1}, {"biases": True}])
def test_optimizer_scale_and_rate_make_a_difference(change):
    assert not torch.equal(train_to_the_jump(SMALL, 5)["loss"], train_to_the_jump(replace(SMALL, **change), 5)["loss"])


def test_a_run_stops_when_its_loss_is_under_half_of_ln_n(monkeypatch):
    """The loss is replaced by one that falls with each call, so that the stop is known."""
    losses = iter([2.0, 1.0, 0.4, 0.3, 0.2])
    real = to_the_jump.F.cross_entropy

    def fake(logits, answer):
        return torch.tensor(next(losses)) if not logits.requires_grad else real(logits, answer)

    monkeypatch.setattr(to_the_jump.F, "cross_entropy", fake)
    curves = train_to_the_jump(replace(SMALL, n_steps=1000, evaluate_every=2), 5)
    assert curves["step"].tolist() == [0, 2, 4, 6], "half of ln 2 is 0.347"


def test_the_share_of_ln_n_that_is_enough_can_be_set(monkeypatch):
    losses = iter([0.8, 0.65, 0.6, 0.3])
    real = to_the_jump.F.cross_entropy
    monkeypatch.setattr(
        to_the_jump.F,
        "cross_entropy",
        lambda logits, answer: real(logits, answer) if logits.requires_grad else torch.tensor(next(losses)),
    )
    curves = train_to_the_jump(replace(SMALL, n_steps=1000, evaluate_every=2, enough=0.9), 5)
    assert curves["step"].tolist() == [0, 2, 4], "nine tenths of ln 2 are 0.624"


def test_training_hands_over_every_look_and_stops_at_the_last_step():
    config = replace(SMALL, n_steps=60, evaluate_every=20)
    world = World(config.task, stream(0))
    network = new_network(config, stream(1))
    before, looks = network.W_V.detach().clone(), []
    for step in train(network, world, config, stream(2)):
        looks.append(step)
        last = network.W_V.detach().clone()
    assert looks == [0, 20, 40, 60]
    assert torch.equal(last, network.W_V) and not torch.equal(before, last), "no step after the last look"


def test_sequences_are_fresh_at_every_step(monkeypatch):
    """Blocks are only a way to draw: no sequence is trained on twice."""
    seen = []

    class Watched(to_the_jump.TwoLayerNetwork):
        def forward(self, x, first=None):
            seen.append(x.detach().clone())
            return super().forward(x, first)

    monkeypatch.setattr(to_the_jump, "TwoLayerNetwork", Watched)
    config = replace(SMALL, n_steps=60, evaluate_every=60)
    list(train(new_network(config, stream(1)), World(config.task, stream(0)), config, stream(2)))
    sequences = torch.cat(seen).flatten(1)
    assert len(sequences) == 60 * 8 == len(sequences.unique(dim=0))


def test_first_below():
    curves = {"step": torch.tensor([0.0, 25, 50]), "loss": torch.tensor([2.0, 0.6, 0.9])}
    assert first_below(curves, 0.7) == 25
    assert first_below(curves, 0.6) == math.inf


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: new_classes(8, 4), "n_labels = 4 is too few: a context shows 8 different ones"),
        (lambda: Training(new_classes(2, 4), "momentum"), "optimizer = 'momentum': choose sgd or adam"),
    ],
)
def test_impossible_trainings_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()

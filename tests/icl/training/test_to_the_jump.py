"""Training that stops at the jump: what it trains, when it stops, and what it refuses."""

import math
from dataclasses import replace

import pytest
import torch

from snippets.icl.tasks.item_label import Task
from snippets.icl.training import to_the_jump
from snippets.icl.training.to_the_jump import Training, first_below, new_classes, train_to_the_jump

SMALL = Training(new_classes(2, 4, 8), batch=8, n_steps=50, evaluate_every=25, n_test=16, width=16)


def test_every_class_is_new_and_positions_do_not_shift():
    task = new_classes(4, 8)
    assert task.novel_share == 1 and task.n_slots == task.n_tokens == 9
    assert (task.n_pairs, task.n_labels, task.d_item) == (4, 8, 32)


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (train_to_the_jump(SMALL, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 25, 50]
    for name, values in one.items():
        assert values.isfinite().all(), name
        assert torch.equal(values, two[name])
    assert not torch.equal(one["loss"], other["loss"])


@pytest.mark.parametrize("change", [{"optimizer": "adam"}, {"scale": 2.0}, {"learning_rate": 0.1}])
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


def test_biases_stay_at_zero(monkeypatch):
    made = []

    class Kept(to_the_jump.TwoLayerNetwork):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(to_the_jump, "TwoLayerNetwork", Kept)
    train_to_the_jump(SMALL, 5)
    assert all(not bias.any() for bias in made[0].b_hidden)


def test_first_below():
    curves = {"step": torch.tensor([0.0, 25, 50]), "loss": torch.tensor([2.0, 0.6, 0.9])}
    assert first_below(curves, 0.7) == 25
    assert first_below(curves, 0.6) == math.inf


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: new_classes(8, 4), "n_labels = 4 is too few: a context shows 8 different ones"),
        (lambda: new_classes(2, 12), "n_labels = 12 must divide n_classes = 12 and n_novel = 128"),
        (lambda: Training(new_classes(2, 4), "momentum"), "optimizer = 'momentum': choose sgd or adam"),
        (lambda: Training(Task()), "novel_share = 0.8 must be 1"),
    ],
)
def test_impossible_trainings_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()

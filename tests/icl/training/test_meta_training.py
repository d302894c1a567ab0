"""The shared training loop trains, on the tasks and within the window that it is given."""

import dataclasses

import pytest
import torch

from snippets.icl.networks.context_classifier import ContextClassifier, Shape
from snippets.icl.tasks.projected_tasks import Batch, DataSet, new_tasks, sequences
from snippets.icl.training import meta_training
from snippets.icl.training.meta_training import Training, accuracy, meta_train

SHORT = Training(n_labels=3, n_dims=4, length=6, batch=4, n_steps=3, start_steps=0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def corners() -> DataSet:
    """Three classes of ten points each, every class at a corner of its own."""
    return DataSet(torch.eye(3).repeat_interleave(10, 0), torch.tensor([10, 10, 10]))


def test_one_task_is_learned_by_heart_and_no_other():
    data, g = corners(), seeded()
    pool = new_tasks(1, data, 4, 3, g)
    how = Training(n_labels=3, n_dims=4, length=6, batch=16, n_steps=80, start_steps=0)
    network = meta_train(Shape(d_model=16), how, data, pool, g, g)
    seen = sequences(data, pool.pick(64, g), 6, g)
    unseen = sequences(data, new_tasks(64, data, 4, 3, g), 6, g)
    assert accuracy(network, seen)[0] == 1 and accuracy(network, unseen)[0] < 0.6


def test_it_repeats_and_follows_its_generator_pool_and_window():
    data = corners()

    def weights(seed=0, pool=None, window=None):
        network = meta_train(Shape(d_model=8), SHORT, data, pool, seeded(seed), seeded(seed), window)
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    first = weights()
    assert torch.equal(weights(), first) and torch.equal(weights(window=6), first)
    assert not torch.equal(weights(seed=1), first)
    assert not torch.equal(weights(pool=new_tasks(1, data, 4, 3, seeded(1))), first)
    assert not torch.equal(weights(window=2), first)


def test_the_learning_rate_comes_up_and_goes_down(monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def noted(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    how = Training(n_labels=3, n_dims=4, length=6, batch=4, learning_rate=1.0, warm_up=4, n_steps=20)
    meta_train(Shape(d_model=8), how, corners(), None, seeded(), seeded())
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1]) and rates[-3:] == pytest.approx([0.5, 1 / 3, 1 / 6])
    assert rates[4:-6] == [1.0] * 10


class Parrot(ContextClassifier):
    """Says what it was told to say."""

    says = torch.tensor([[0, 1, 0], [0, 1, 1]])

    def forward(self, x, label, window=None):
        return torch.nn.functional.one_hot(self.says, 3).float()


def test_accuracy_at_each_position():
    label = torch.tensor([[0, 1, 2], [0, 2, 1]])
    parrot = Parrot(4, 3, Shape(d_model=8), seeded())
    assert accuracy(parrot, Batch(torch.zeros(2, 3, 4), label)).tolist() == [1, 0.5, 0.5]


def test_a_window_that_sees_nothing_is_refused():
    with pytest.raises(ValueError, match="a window of 0 tokens sees nothing"):
        meta_train(Shape(d_model=8), SHORT, corners(), None, seeded(), seeded(), window=0)


def test_an_easier_start_shows_two_classes(monkeypatch):
    shown = []
    monkeypatch.setattr(
        meta_training, "sequences", lambda data, *rest: shown.append(data.n_classes) or sequences(data, *rest)
    )
    how = dataclasses.replace(SHORT, n_steps=4, start_steps=2)
    meta_train(Shape(d_model=8), how, corners(), None, seeded(), seeded())
    assert shown == [2, 2, 3, 3]

"""Sinusoids, a network for each task, and gradient steps, against what is known."""

import math

import pytest
import torch

from snippets.icl.tasks import few_shot


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_tasks_lie_in_their_ranges_and_points_on_their_sinusoid(generator):
    amplitude, phase = tasks = few_shot.sinusoids(2000, generator)
    assert 0.1 <= amplitude.min() < 0.2 and 4.9 < amplitude.max() <= 5
    assert 0 <= phase.min() < 0.1 and math.pi - 0.1 < phase.max() <= math.pi
    x, y = few_shot.points(tasks, 7, generator, low=0.0)
    assert x.shape == y.shape == (2000, 7, 1)
    assert 0 <= x.min() < 0.1 and 4.9 < x.max() <= 5
    torch.testing.assert_close(y, amplitude * torch.sin(x - phase))


def test_a_network_by_hand(generator):
    weights = [torch.tensor([[1.0, -1.0]]), torch.tensor([0.0, 1.0]), torch.tensor([[2.0], [3.0]]), torch.tensor([5.0])]
    x = torch.tensor([[2.0], [-2.0]])
    # hidden: (2, relu(-2 + 1)) and (relu(-2), 2 + 1)
    torch.testing.assert_close(few_shot.network(weights, x), torch.tensor([[9.0], [14.0]]))
    torch.testing.assert_close(few_shot.squared_error(weights, x, torch.zeros(2, 1)), torch.tensor((81 + 196) / 2))


def test_adapting_many_tasks_is_adapting_each_alone(generator):
    weights = [part.requires_grad_() for part in few_shot.new_weights((1, 6, 1), generator)]
    x, y = few_shot.points(few_shot.sinusoids(3, generator), 5, generator)
    together = few_shot.adapt(weights, x, y, 0.02, 3)
    for task in range(3):
        w = weights
        for _ in range(3):
            loss = few_shot.squared_error(w, x[task], y[task])
            w = [part - 0.02 * s for part, s in zip(w, torch.autograd.grad(loss, w, create_graph=True))]
        for mine, alone in zip(together, w):
            torch.testing.assert_close(mine[task], alone)


def test_first_order_changes_the_gradient_and_not_the_weights(generator):
    weights = [part.requires_grad_() for part in few_shot.new_weights((1, 6, 1), generator)]
    x, y = few_shot.points(few_shot.sinusoids(3, generator), 5, generator)
    gradients = []
    for first_order in (False, True):
        w = few_shot.adapt(weights, x, y, 0.05, 2, first_order)
        gradients.append(torch.autograd.grad(few_shot.squared_error(w, x, y).sum(), weights))
    adapted = few_shot.adapt(weights, x, y, 0.05, 2, True)
    for a, b in zip(adapted, few_shot.adapt(weights, x, y, 0.05, 2)):
        torch.testing.assert_close(a, b)
    assert any((a - b).abs().max() > 1e-3 for a, b in zip(*gradients))
    leaves = [part.detach().requires_grad_() for part in adapted]
    expected = torch.autograd.grad(few_shot.squared_error(leaves, x, y).sum(), leaves)
    for found, end in zip(gradients[1], expected):
        torch.testing.assert_close(found, end.sum(0))  # the slope at the end of the path


def test_errors_by_step_are_those_of_adapt(generator):
    weights = [part.requires_grad_() for part in few_shot.new_weights((1, 6, 1), generator)]
    tasks = few_shot.sinusoids(4, generator)
    seen, asked = few_shot.points(tasks, 5, generator), few_shot.points(tasks, 9, generator)
    errors = few_shot.errors_after_steps(weights, seen, asked, 0.02, 3)
    assert errors.shape == (4, 4) and not errors.requires_grad
    torch.testing.assert_close(errors[0], few_shot.squared_error(weights, *asked).detach())
    w = few_shot.adapt(weights, *seen, 0.02, 3)
    torch.testing.assert_close(errors[3], few_shot.squared_error(w, *asked).detach())


def test_curvatures_of_a_linear_network_are_known(generator):
    """Without a hidden layer the loss is quadratic: its Hessian is 2 E[(x, 1)(x, 1)^T]."""
    x, y = few_shot.points(few_shot.sinusoids(3, generator), 8, generator)
    found = few_shot.largest_curvatures([torch.ones(1, 1), torch.zeros(1)], x, y, 200)
    inputs = torch.cat([x, torch.ones_like(x)], -1)
    expected = torch.linalg.eigvalsh(2 * inputs.mT @ inputs / 8)[:, -1]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=0)


def test_no_step_is_an_error(generator):
    weights = few_shot.new_weights((1, 6, 1), generator)
    with pytest.raises(ValueError, match=r"^0 inner steps: take at least 1$"):
        few_shot.adapt(weights, torch.zeros(1, 2, 1), torch.zeros(1, 2, 1), 0.01, 0)


def test_frozen_layers_stay_and_the_last_takes_the_steps(generator):
    """With a fixed hidden layer the loss is quadratic in the last weights: one step is known."""
    weights = few_shot.new_weights((1, 6, 1), generator)
    tasks = few_shot.sinusoids(3, generator)
    (x, y), asked = few_shot.points(tasks, 5, generator), few_shot.points(tasks, 9, generator)
    found = few_shot.errors_after_steps(weights, (x, y), asked, 0.02, 1, frozen=2)
    features = torch.cat([torch.relu(x @ weights[0] + weights[1]), torch.ones_like(x)], -1)
    last = torch.cat([weights[2], weights[3][None]])
    stepped = last - 0.02 * 2 / 5 * features.mT @ (features @ last - y)
    there = torch.cat([torch.relu(asked[0] @ weights[0] + weights[1]), torch.ones_like(asked[0])], -1)
    torch.testing.assert_close(found[1], (there @ stepped - asked[1]).square().mean((1, 2)))


def test_a_task_is_linear_in_sine_and_cosine(generator):
    """So two points determine it, and the tasks fill a plane of functions."""
    amplitude, phase = tasks = few_shot.sinusoids(50, generator)
    x, y = few_shot.points(tasks, 4, generator)
    by_parts = amplitude * phase.cos() * x.sin() - amplitude * phase.sin() * x.cos()
    torch.testing.assert_close(y, by_parts, atol=1e-5, rtol=0)

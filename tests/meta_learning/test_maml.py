"""MAML: the floor, derived numbers on made-up results, a short run, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.tasks.few_shot import network, new_weights, points, sinusoids
from snippets.icl.training import maml_training
from snippets.meta_learning import maml

SHORT = replace(maml.PRESETS["laptop"], n_steps=4, evaluate_every=2, n_test_tasks=20, n_test_points=10, n_curvatures=5)


def test_the_floor_is_the_error_of_the_mean_task():
    generator = torch.Generator().manual_seed(1)
    x, y = points(sinusoids(100_000, generator), 5, generator)
    mean = -2 / np.pi * 2.55 * torch.cos(x)
    assert (y - mean).square().mean().item() == pytest.approx(maml.FLOOR, rel=0.01)
    for other in (0.9 * mean, mean + 0.3, 0 * mean):
        assert (y - other).square().mean() > maml.FLOOR


def test_each_method_has_its_own_outer_loss():
    generator = torch.Generator().manual_seed(1)
    weights = [part.requires_grad_() for part in new_weights((1, 40, 40, 1), generator)]
    x, y = points(sinusoids(25, generator), 20, generator)
    losses = {method: maml_training.outer_loss(weights, method, SHORT, x, y) for method in maml_training.METHODS}
    assert losses["maml"] == losses["first_order"] != losses["pretrained"]
    full, first = (torch.autograd.grad(losses[method], weights) for method in ("maml", "first_order"))
    assert any((a - b).abs().max() > 1e-3 for a, b in zip(full, first))
    with torch.no_grad():
        expected = (network(weights, x) - y).square().mean()
    torch.testing.assert_close(losses["pretrained"].detach(), expected)


@pytest.fixture
def made_up() -> dict:
    """A run in which all is as the chapter says."""
    step = np.array([0, 300, 600])
    return {
        "step": step,
        "alpha": 0.01,
        "maml_errors": np.array([3.0, 0.8, *[0.5] * 9]),
        "first_order_errors": np.array([3.0, 1.0, *[0.6] * 9]),
        "pretrained_errors": np.array([3.0, 2.5, *[2.0] * 9]),
        "maml_halves": np.array([3.0, 1.0]),
        "pretrained_halves": np.array([3.0, 4.0]),
        "maml_after_one": np.array([4.0, 2.0, 0.8]),
        "maml_bend": 150.0,
        "floor": 3.0,
        "maml_last_layer": np.array([3.0, 2.9, *[2.0] * 9]),
        "maml_cosine": np.array([0.9, 0.6, 0.6]),
    }


def test_derived_numbers(made_up):
    assert maml.after(made_up, "maml", 10) == 0.5
    assert maml.overtaken(made_up) == 300
    assert maml.overtaken(made_up | {"maml_after_one": np.full(3, 4.0)}) == np.inf
    assert maml.other_half(made_up, "maml") == pytest.approx(1 / 3)
    assert maml.bend(made_up, "maml") == pytest.approx(1.5)
    assert maml.share_by_last_layer(made_up) == pytest.approx(1 / 2.5)


def test_the_floor_of_an_exam_is_that_of_its_own_tasks():
    exam = maml_training.Exam(replace(SHORT, n_test_tasks=4000), torch.Generator().manual_seed(0))
    assert exam.floor() == pytest.approx(maml.FLOOR, rel=0.06)
    few = maml_training.Exam(replace(SHORT, n_test_tasks=3), torch.Generator().manual_seed(0))
    (a, p), (x, y) = few.tasks, few.whole[1]
    mean = torch.stack([a[i] * torch.sin(x - p[i]) for i in range(3)]).mean(0)
    assert few.floor() == pytest.approx((y - mean).square().mean().item(), rel=1e-5)


def test_each_claim_can_hold_and_can_fail(made_up):
    wrong = made_up | {
        "maml_errors": np.array([4.0, 2.0, *[2.0] * 9]),
        "first_order_errors": np.array([3.0, 1.0, *[0.6] * 9]),
        "maml_halves": np.array([1.0, 1.0]),
        "pretrained_halves": np.array([3.0, 1.0]),
        "maml_after_one": np.full(3, 4.0),
        "maml_bend": 300.0,
        "maml_last_layer": np.array([3.0, *[0.0] * 10]),
        "maml_cosine": np.ones(3),
    }
    for claim in maml.CLAIMS:
        assert claim.holds(claim.value(made_up)), claim.id
        assert not claim.holds(claim.value(wrong)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (maml.run(SHORT, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4] and one["maml_drawn"].shape == (2, 3, 81)
    assert one["n_parameters"] == sum(part.numel() for part in new_weights((1, 40, 40, 1), torch.Generator()))
    for name in one:
        assert not np.isnan(one[name]).any(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["maml_errors"], other["maml_errors"])


def test_the_sources_setting_starts():
    maml.run(replace(maml.PRESETS["paper"], n_steps=2, n_test_tasks=20, n_curvatures=5), 0)


def test_pretraining_is_given_its_best_step_size():
    exam = maml_training.Exam(SHORT, torch.Generator().manual_seed(0))
    weights = [part.requires_grad_() for part in new_weights((1, 40, 40, 1), torch.Generator().manual_seed(0))]
    found = exam.results(weights, "pretrained")
    for size in SHORT.step_sizes:
        errors = exam.errors(weights, "pretrained", size, SHORT.test_steps)
        assert (found["errors"] <= errors.mean(1)).all()
    diverging = exam.errors(weights, "pretrained", 1.0, SHORT.test_steps)
    assert diverging[-1].max() == np.inf, "infinite, never not a number"


def test_inner_steps_that_diverge_are_said_with_the_bound():
    with pytest.raises(ValueError, match=r"^inner step size 1 diverges: .* it must stay below 2/"):
        maml.run(replace(SHORT, alpha=1.0), 0)

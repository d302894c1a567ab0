"""Where MAML's outer gradient goes: exact limits of linear tasks, made-up curves, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.theory.bilevel import descend, implicit, reverse
from snippets.meta_learning import maml_gradient

SET = maml_gradient.PRESETS["laptop"]
SHORT = replace(SET, lengths=(1, 60, 70), solved=80)


def task(n_shown: int, seed: int = 2) -> maml_gradient.LinearTask:
    return maml_gradient.linear_task(SET, n_shown, torch.Generator().manual_seed(seed))


def test_curvatures_and_flat_directions_are_those_asked_for():
    few = task(3)
    H = torch.func.hessian(few.loss)(torch.zeros(6, dtype=torch.float64))
    expected = torch.tensor([0, 0, 0, 0.1, 0.1**0.5, 1], dtype=torch.float64)
    torch.testing.assert_close(torch.linalg.eigvalsh(H), expected)
    P = few.flat()
    torch.testing.assert_close(P @ P, P)
    assert P.trace() == pytest.approx(3) and (H @ P).norm() < 1e-12
    assert task(20).flat().norm() == 0


def test_outer_gradient_of_a_linear_task_is_a_power_of_one_matrix():
    """d w_T / d w_0 = (I - eta H)^T, whatever the points."""
    few, start = task(3), torch.ones(6, dtype=torch.float64)
    problem = maml_gradient.maml(few.loss, few.asked)
    H = torch.func.hessian(few.loss)(start)
    path = descend(problem, start, 0.9, 7)
    expected = torch.linalg.matrix_power(torch.eye(6).double() - 0.9 * H, 7) @ torch.func.grad(few.asked)(path[-1])
    torch.testing.assert_close(reverse(problem, start, 0.9, path), expected)


def test_the_proximal_solution_and_its_derivative_are_in_closed_form():
    few, start = task(3), torch.ones(6, dtype=torch.float64)
    problem = maml_gradient.proximal(few.loss, few.asked, 0.5)
    H = torch.func.hessian(few.loss)(start)
    shrink = torch.linalg.inv(torch.eye(6).double() + H / 0.5)
    w = descend(problem, start, 0.9, 300)[-1]
    torch.testing.assert_close(w, shrink @ (start + few.X.T @ few.y / 3 / 0.5))
    torch.testing.assert_close(implicit(problem, w, start), shrink @ torch.func.grad(few.asked)(w))


@pytest.fixture
def made_up() -> dict:
    T = np.arange(10, 161, 10)
    return {
        "T": T,
        "many_off": 2 * 0.91**T,
        "few_off": 0.91**T,
        "proximal_off": np.maximum(0.82**T, 1e-16),
        "few_size": np.full(len(T), 0.5),
        "implicit_of_many": 0.0,
        "few_has_none": 1.0,
        "identity": 1e-16,
        "first_identity": 1e-16,
    }


def test_each_claim_can_hold_and_can_fail(made_up):
    wrong = {key: 0.01 * np.ones_like(value, dtype=float) for key, value in made_up.items()} | {"T": made_up["T"]}
    for claim in maml_gradient.CLAIMS:
        assert claim.holds(claim.value(made_up)), claim.id
        assert not claim.holds(claim.value(wrong)), claim.id


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (maml_gradient.run(SHORT, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["identity"] < 1e-12 and one["few_has_none"] == 1
    assert not np.array_equal(one["many_off"], other["many_off"])


def test_bad_input_is_said_in_one_line():
    with pytest.raises(ValueError, match=r"^inner step size 1.9 diverges: the largest curvature is 1.1, "):
        maml_gradient.run(replace(SHORT, eta=1.9), 0)
    for strength in (0.0, -1.0):
        with pytest.raises(ValueError, match=rf"^proximal strength {strength:g}: choose one above 0$"):
            maml_gradient.run(replace(SHORT, proximal=strength), 0)

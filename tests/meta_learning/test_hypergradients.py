"""The ridge problem: exact identities, made-up curves with known rates, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snippets.icl.theory import bilevel
from snippets.meta_learning import hypergradients as hyper

SMALL = replace(hyper.PRESETS["laptop"], lengths=(10, 20), solved=25, n_solve=9)


def ridge(seed: int = 1) -> hyper.Ridge:
    return hyper.new_ridge(SMALL, torch.Generator().manual_seed(seed))


def test_curvatures_are_those_asked_for():
    task = ridge()
    h = torch.tensor([SMALL.strength], dtype=torch.float64)
    hessian = torch.func.hessian(task.problem().inner)(torch.zeros(8, dtype=torch.float64), h)
    curvatures = torch.linalg.eigvalsh(hessian)
    torch.testing.assert_close(curvatures[[0, -1]], torch.tensor([0.1, 1.0], dtype=torch.float64))
    torch.testing.assert_close(curvatures[1:] / curvatures[:-1], torch.full((7,), 10 ** (1 / 7)).double())


def test_the_solution_is_stationary_and_its_derivative_the_closed_form():
    task = ridge()
    h = torch.tensor([SMALL.strength], dtype=torch.float64)
    w = task.solution(SMALL.strength)
    assert torch.func.grad(task.problem().inner)(w, h).norm() < 1e-14
    judged = lambda s: task.problem().outer(task.solution(s), h).item()  # noqa: E731
    assert hyper.by_differences(judged, SMALL.strength) == pytest.approx(task.closed_form(SMALL.strength).item(), 1e-6)


@pytest.mark.parametrize("n", [1, 2, 17])
def test_the_derived_sum_is_the_unrolled_hypergradient(n):
    task = ridge()
    h = torch.tensor([SMALL.strength], dtype=torch.float64)
    path = bilevel.descend(task.problem(), h, 0.8, n)
    found = bilevel.reverse(task.problem(), h, 0.8, path).item()
    assert hyper.predicted(task, SMALL.strength, 0.8, n) == pytest.approx(found, rel=1e-12, abs=1e-14)


def test_the_plain_sum_converges_to_the_solved_system():
    task = ridge()
    h = torch.tensor([SMALL.strength], dtype=torch.float64)
    w = task.solution(SMALL.strength)
    found = hyper.neumann(task.problem(), w, h, 1.0, 400)
    assert found[-1] == pytest.approx(task.closed_form(SMALL.strength).item(), 1e-12)
    assert abs(found[0] - found[-1]) > abs(found[50] - found[-1]) > 0


@pytest.fixture
def made_up() -> dict:
    """Errors that fall exactly as theory says, with q = 0.9."""
    T = np.arange(10, 241, 10)
    tiny = dict.fromkeys(
        ("reverse_forward", "reverse_autograd", "reverse_solved", "forward_solved", "implicit_solved", "formula"), 1e-15
    )
    return tiny | {
        "T": T,
        "q": 0.9,
        "unrolled": T * 0.9**T,
        "implicit": 3 * 0.9**T,
        "differences": 1e-9,
        "d": 3,
        "cg": np.array([0.1, 0.1, 1e-15, 1e-15]),
        "neumann": np.array([0.9, 0.8, 0.7, 0.6]),
    }


def test_rates_of_made_up_curves(made_up):
    assert hyper.rate(made_up, "implicit", 0) == pytest.approx(1)
    assert hyper.rate(made_up, "unrolled", 1) == pytest.approx(1)
    assert hyper.rate(made_up, "unrolled", 0) < 0.96
    assert hyper.rate(made_up | {"q": 0.81}, "implicit", 0) == pytest.approx(0.5)
    assert hyper.lag(made_up) == pytest.approx(160 / 3)


def test_each_claim_can_hold_and_can_fail(made_up):
    wrong = {key: 0.1 for key in made_up} | {
        "T": made_up["T"],
        "q": 0.81,
        "d": 3,
        "unrolled": 0.85 ** made_up["T"],
        "implicit": 0.85 ** made_up["T"],
        "cg": made_up["neumann"],
        "neumann": made_up["cg"],
    }
    for claim in hyper.CLAIMS:
        assert claim.holds(claim.value(made_up)), claim.id
        if claim.id != "factor-t":
            assert not claim.holds(claim.value(wrong)), claim.id
    factor = next(claim for claim in hyper.CLAIMS if claim.id == "factor-t")
    assert not factor.holds(factor.value(made_up | {"unrolled": made_up["implicit"]}))


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (hyper.run(SMALL, seed) for seed in (5, 5, 6))
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert one["exact"] != other["exact"]


def test_bad_input_is_said_in_one_line():
    with pytest.raises(ValueError, match=r"^inner step size 2.5 diverges: the largest curvature is 1, .* = 2$"):
        hyper.run(replace(SMALL, eta=2.5), 0)
    for strength in (0.0, -0.1, 0.2):
        with pytest.raises(ValueError, match=rf"^ridge strength {strength:g}: choose one above 0"):
            hyper.run(replace(SMALL, strength=strength), 0)
    with pytest.raises(ValueError, match=r"^ridge strength 0: choose one above 0$"):
        ridge().solution(0.0)

"""Levels, flow and bound of the staircase: against the best steps, autograd, and flows that may not beat the bound."""

import numpy as np
import pytest
import torch

from snippets.icl.theory import best_steps, staircase

LAM = torch.tensor([2.0, 1.0, 0.5, 0.25], dtype=torch.float64)
EYE = torch.eye(4, dtype=torch.float64)


def weights(kind: str, std: float, seed: int) -> dict:
    g = torch.Generator().manual_seed(seed)
    shapes = {"merged": {"v": (2,), "U": (2, 4, 4)}, "apart": {"v": (3,), "Q": (3, 1, 4), "K": (3, 1, 4)},
              "full": {"v": (1,), "Q": (1, 4, 4), "K": (1, 4, 4)}}[kind]  # fmt: skip
    return {name: std * torch.randn(*shape, generator=g, dtype=torch.float64) for name, shape in shapes.items()}


def test_levels_begin_at_zero_and_end_at_the_best_step():
    found = staircase.levels(LAM, 31)
    best = best_steps.best_preconditioner(LAM.diag(), EYE, 31)
    assert found[0] == pytest.approx(3.75)
    assert found[-1] == pytest.approx(best_steps.population_loss(best, LAM.diag(), EYE, 31).item())
    two = best * torch.diag(torch.tensor([1.0, 1, 0, 0], dtype=torch.float64))
    assert found[2] == pytest.approx(best_steps.population_loss(two, LAM.diag(), EYE, 31).item())


@pytest.mark.parametrize("kind", ["merged", "apart", "full"])
def test_the_flow_goes_down_the_gradient_of_the_mean_loss(kind):
    start = weights(kind, 0.4, 1)
    flow = staircase.Flow(start, LAM.diag(), 31)
    leaves = {name: w.clone().requires_grad_() for name, w in start.items()}
    A = staircase.map_of(leaves)
    loss = best_steps.population_loss(A, LAM.diag(), EYE, 31)
    loss.backward()
    expected = torch.cat([-w.grad.flatten() for w in leaves.values()])
    np.testing.assert_allclose(flow.downhill(0.0, flow.start), expected, atol=1e-12)
    np.testing.assert_allclose(flow.map_of(flow.start), A.detach(), atol=1e-14)
    assert flow.loss(flow.start) == pytest.approx(loss.item())
    losses = flow.losses(np.array([0.01, 0.1, 1.0, 300.0]))
    assert (np.diff(losses) < 1e-9).all() and losses[-1] < losses[0]


@pytest.mark.parametrize("seed", range(6))
def test_no_flow_beats_the_bound(seed):
    start = weights("apart", 0.15, seed)
    high, low = staircase.levels(LAM, 31)[:2]
    wait = staircase.Flow(start, LAM.diag(), 31).first_times_below(((high + low) / 2,), 1000.0)[0]
    assert staircase.soonest_drop(start, LAM, 31) < wait < np.inf


def test_the_bound_is_nearly_tight_for_one_head_that_points_the_right_way():
    u = torch.tensor([0.02, 0, 0, 0], dtype=torch.float64)
    start = {"v": torch.tensor([0.02], dtype=torch.float64), "Q": u.view(1, 1, 4), "K": u.view(1, 1, 4)}
    high, low = staircase.levels(LAM, 31)[:2]
    wait = staircase.Flow(start, LAM.diag(), 31).first_times_below(((high + low) / 2,), 1000.0)[0]
    assert 1 < wait / staircase.soonest_drop(start, LAM, 31) < 1.1


def test_what_never_falls_is_infinite_and_bad_input_is_said():
    nothing = {name: 0 * w for name, w in weights("apart", 1.0, 0).items()}
    assert staircase.Flow(nothing, LAM.diag(), 31).first_times_below((2.0, 1.0), 10.0).tolist() == [np.inf, np.inf]
    with pytest.raises(ValueError, match="starts at 0"):
        staircase.soonest_drop(nothing, LAM, 31)
    with pytest.raises(ValueError, match="no negative eigenvalue"):
        staircase.Flow(nothing, torch.diag(torch.tensor([1.0, 1, 1, -1], dtype=torch.float64)), 31)
    with pytest.raises(ValueError, match="n = 0 examples"):
        staircase.levels(LAM, 0)

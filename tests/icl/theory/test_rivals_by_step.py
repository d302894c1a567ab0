"""What is left by spectra against the algorithms themselves, matrix by matrix."""

import pytest
import torch

from snippets.icl.tasks.linear_regression import Prompts, draw_prompts
from snippets.icl.theory import oracles
from snippets.icl.theory.rivals_by_step import Misses, alike, best, descent, newton, ridge


def prompts(batch: int = 20) -> Prompts:
    return draw_prompts(batch, 6, 3, torch.Generator().manual_seed(0), dtype=torch.float64)


def missed_by(w: torch.Tensor, test: Prompts) -> torch.Tensor:
    return test.answer - (w * test.x[:, -1]).sum(1)


def covariance(test: Prompts) -> torch.Tensor:
    x = test.x[:, :-1]
    return x.mT @ x / x.shape[1]


def test_newtons_iteration_step_by_step():
    test = prompts()
    C, misses = covariance(test), Misses(test)
    a = 2 * 0.3 / torch.linalg.eigvalsh(C)[:, -1]
    M = a[:, None, None] * torch.eye(3, dtype=C.dtype)
    b = (C @ test.w[..., None])[..., 0]
    for k in range(4):
        w = (M @ b[..., None])[..., 0]
        torch.testing.assert_close(misses.of(newton(misses.mu, k, 0.3)), missed_by(w, test))
        M = 2 * M - M @ C @ M


def test_descent_step_by_step():
    test = prompts()
    C, misses = covariance(test), Misses(test)
    rate = 2 * 0.4 / torch.linalg.eigvalsh(C)[:, -1:]
    w = torch.zeros_like(test.w)
    for k in range(4):
        torch.testing.assert_close(misses.of(descent(misses.mu, k, 0.4)), missed_by(w, test))
        w = w + rate * (C @ (test.w - w)[..., None])[..., 0]


def test_ridge_is_ridge():
    test = prompts()
    misses = Misses(test)
    w = oracles.ridge(test.x[:, :-1], test.y[:, :-1], 0.5)
    torch.testing.assert_close(misses.of(ridge(misses.mu, 6, 0.5)), missed_by(w, test))


def test_the_best_share_is_no_worse_than_others_and_more_steps_leave_less():
    mu = Misses(prompts(200)).mu
    for way in (descent, newton):
        found = [best(way, mu, k).square().mean() for k in (1, 2, 3)]
        assert found[0] > found[1] > found[2]
        assert all(found[1] <= way(mu, 2, share).square().mean() for share in (0.1, 0.5, 0.9))
    assert best(newton, mu, 3).square().mean() < best(descent, mu, 3).square().mean()


def test_alike_is_one_for_the_same_errors_and_blind_to_their_size():
    misses = Misses(prompts())
    one, other = misses.of(newton(misses.mu, 1, 0.5)), misses.of(ridge(misses.mu, 6, 3.0))
    assert alike(one, 7 * one) == pytest.approx(1)
    assert alike(one, -one) == pytest.approx(-1)
    assert -1 < alike(one, other) < 1
    assert list(misses.rivals((1,), (2,), (0.1,))) == ["descent 1", "newton 2", "ridge 0.1"]


def test_bad_input():
    test = prompts()
    with pytest.raises(ValueError, match="-1 steps: there must be 0 or more"):
        best(descent, Misses(test).mu, -1)
    with pytest.raises(ValueError, match="prompts without an example"):
        Misses(Prompts(test.x[:, -1:], test.y[:, -1:], test.w))

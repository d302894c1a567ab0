"""Chapter 8's plateaus: counts on made-up losses, the mirror image, and short runs."""

import numpy as np
import pytest
import torch

from snippets.algorithms import plateau
from snippets.icl.networks.folded import fold, predict
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import best_rate, least_loss

SMALL = plateau.Config(d=3, n=4, n_runs=3, batch=8, n_steps=20, n_slow_steps=20, n_test=20)
LEVELS = np.array([least_loss(1.0, 10, 10, rank) for rank in (0, 1, 2, 10)])


def measured(one: int, two: int, merged: int, slow: int, mirrored: float = 1.0, loss: float | None = None) -> dict:
    """So many of 50 layers stuck, each way."""
    m: dict = {"levels": LEVELS}
    for way, n in (("one_head", one), ("two_heads", two), ("one_matrix", merged), ("slow", slow)):
        which = np.arange(50) < n
        m[f"{way}_loss"] = np.where(which, loss or LEVELS[1], LEVELS[-1])
        m[f"{way}_share"] = m[f"{way}_loss"] / LEVELS[0]
        m[f"{way}_mirrored"] = np.where(which, mirrored, 0.0)
    return m


def test_each_claim_can_fail_and_can_hold():
    good = measured(7, 1, 0, 7)
    bads = {
        "stuck": measured(0, 0, 0, 7),
        "slow": measured(7, 1, 0, 0),
        "two-heads": measured(7, 6, 0, 7),
        "fewer": measured(7, 6, 0, 7),
        "mirrored": measured(7, 1, 0, 7, mirrored=0.5),
        "level": measured(7, 1, 0, 7, loss=LEVELS[2]),
        "one-matrix": measured(7, 1, 7, 7),
    }
    for claim in plateau.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bads[claim.id])), claim.id


def test_where_none_is_stuck_what_is_said_of_them_fails():
    none = measured(0, 0, 0, 0)
    for claim in plateau.CLAIMS:
        if claim.id in ("stuck", "mirrored", "level", "fewer"):
            assert not claim.holds(claim.value(none)), claim.id


def mirror_image(d: int, rate: float) -> tuple[torch.Tensor, torch.Tensor]:
    """v reads the first coordinate of x; the key reads y."""
    v, W = torch.zeros(1, 1, d + 1), torch.zeros(1, 1, d + 1, d + 1)
    v[..., 0], W[..., d, 0] = -1.0, rate
    return v, W


def test_the_mirror_image_has_the_loss_of_rank_one():
    prompts = draw_prompts(40_000, 10, 10, torch.Generator().manual_seed(0), width=1.0)
    v, W = mirror_image(10, best_rate(1.0, 10, 10))
    loss = (predict(fold(prompts.tokens()), v, W)[0] - prompts.answer).square().mean().item() / 2
    size = prompts.answer.square().mean().item() / 2
    assert loss / size == pytest.approx(LEVELS[1] / LEVELS[0], abs=0.01)


def mirrored_point() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prompts whose even part averages to nothing, since each w comes with -w, and the mirror image."""
    d, n = 4, 10
    prompts = draw_prompts(3000, n, d, torch.Generator().manual_seed(0), width=1.0, dtype=torch.float64)
    tokens = torch.cat([prompts.tokens(), prompts.tokens() * torch.tensor([1.0] * d + [-1.0], dtype=torch.float64)])
    folded, answer = fold(tokens), torch.cat([prompts.answer, -prompts.answer])
    v, W = (weights.double() for weights in mirror_image(d, best_rate(1.0, n, d)))
    return folded, answer, v, W, torch.eye(d + 1, dtype=torch.float64)


def test_with_one_matrix_the_way_out_of_the_mirror_image_is_downhill():
    """Growing v_y and W_xx together, in a fitting ratio, lowers the loss in second order."""
    folded, answer, v, W, eye = mirrored_point()
    out = torch.diag(torch.tensor([0.0, 1, 1, 1, 0], dtype=torch.float64))  # directions it does not know

    def loss(h: float) -> float:
        moved = predict(folded, v - h * eye[-1], W + 80 * h * out)[0]
        return float((moved - answer).square().mean() / 2)

    assert max(loss(0.003), loss(-0.003)) < loss(0)


def test_with_two_matrices_it_is_flat_to_second_order():
    """W_xx is K'Q, and both are zero there: what grows is v_y K'Q, of third order in h."""
    folded, answer, v, W, eye = mirrored_point()
    out = torch.diag(torch.tensor([0.0, 1, 1, 1, 0], dtype=torch.float64))

    def gain(h: float) -> float:
        K = Q = h * out  # the new directions of both
        moved = [predict(folded, v - sign * h * eye[-1], W + K.mT @ Q)[0] for sign in (1, -1)]
        losses = [float((m - answer).square().mean() / 2) for m in moved]
        return losses[1] - losses[0]  # what depends on the sign of v_y: the product of all three

    assert gain(0.02) / gain(0.01) == pytest.approx(8, rel=0.05)


def test_one_matrix_keeps_the_key_as_it_is():
    network = plateau.build("one matrix", SMALL, torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.W, network.Q)
    assert not network.K.requires_grad and network.Q.requires_grad


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (plateau.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["one_head_curves"].shape == (2, 3)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["one_head_loss"], other["one_head_loss"])

"""The plateaus of one layer: counts on made-up losses, the mirror image, the ways out, and short runs."""

import numpy as np
import pytest
import torch

from snippets.algorithms import plateau
from snippets.algorithms.figures import plateau as figures
from snippets.icl.networks.folded import fold, predict
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory.best_rate import best_rate, directions_needed, least_loss, mean_loss, moments, way_out

SMALL = plateau.Config(d=3, n=4, n_runs=3, batch=8, n_steps=50, n_more_steps=50, n_mean_steps=50, n_test=20)
LEVELS = np.array([least_loss(1.0, 10, 10, rank) for rank in (0, 1, 2, 10)])


def measured(
    one: int, two: int, merged: int, more: int, freed: int = 0, mirrored: float = 1.0, loss: float | None = None
) -> dict:
    """So many of 50 layers stuck, each way; of those with one head, so many later."""
    m: dict = {"levels": LEVELS, "more": np.array([one, more]), "freed": np.array([one, freed])}
    for way, n in (("one_head", one), ("two_heads", two), ("one_matrix", merged)):
        which = np.arange(50) < n
        m[f"{way}_loss"] = np.where(which, loss or LEVELS[1], LEVELS[-1])
        m[f"{way}_share"] = m[f"{way}_loss"] / LEVELS[0]
        m[f"{way}_mirrored"] = np.where(which, mirrored, 0.0)
    m["noiseless_curves"] = np.where(np.arange(50) < freed, LEVELS[1], LEVELS[-1])[None]
    return m


def test_each_claim_can_fail_and_can_hold():
    good = measured(15, 3, 0, 12)
    bads = {
        "stuck": measured(0, 0, 0, 0),
        "mirrored": measured(15, 3, 0, 12, mirrored=0.5),
        "level": measured(15, 3, 0, 12, loss=LEVELS[2]),
        "stay": measured(15, 3, 0, 2),
        "leave": measured(15, 3, 0, 12, freed=9),
        "no-noise": measured(15, 3, 0, 12, freed=9),
        "two-heads": measured(15, 12, 0, 12),
        "one-matrix": measured(15, 3, 7, 12),
    }
    for claim in plateau.CLAIMS:
        assert claim.holds(claim.value(good)), claim.id
        assert not claim.holds(claim.value(bads[claim.id])), claim.id


def test_where_none_is_stuck_nothing_is_said_of_them():
    none = measured(0, 0, 0, 0)
    for claim in plateau.CLAIMS:
        if claim.id in ("mirrored", "level", "stay", "leave", "two-heads"):
            assert not claim.applies(none) and claim.applies(measured(15, 3, 0, 12)), claim.id


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
    torch.testing.assert_close(network.W_KQ, network.W_Q)
    assert not network.W_K.requires_grad and network.W_Q.requires_grad


def way_out_by_loss(u: torch.Tensor, r: int, n: int = 10, rho: float = 0.7, k: float = 1e-3) -> float:
    """The least change of the mean loss, over v_y, when W_xx grows by k in r directions at right angles to u."""
    d = len(u)
    basis = torch.linalg.qr(torch.cat([u[:, None], torch.randn(d, d - 1, generator=generator(), dtype=u.dtype)], 1))[0]
    rate, (v, _) = best_rate(1.0, n, d), moments(1.0)
    W_KQ = torch.zeros(1, d + 1, d + 1, dtype=u.dtype)
    W_KQ[0, d, :d] = -rate / rho * u
    w_V = torch.cat([rho * u, torch.zeros(1, dtype=u.dtype)])[None]
    at_rest = mean_loss(w_V, W_KQ, 1.0, n).item()
    W_KQ[0, :d, :d] = k * basis[:, 1 : r + 1] @ basis[:, 1 : r + 1].mT

    v_y = torch.linspace(-0.05, 0.05, 401, dtype=u.dtype) * k
    losses = mean_loss(torch.cat([w_V[:, :d].expand(401, d), v_y[:, None]], 1), W_KQ.expand(401, -1, -1), 1.0, n)
    return (losses.min().item() - at_rest) / (v**3 / 2 * rho**2 * k**2)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_three_new_directions_lead_nowhere_and_four_lead_out():
    """By the mean loss itself; the formula averages over u, so it is met on average."""
    drawn = torch.randn(40, 10, generator=generator(), dtype=torch.float64)
    us = drawn / drawn.norm(dim=1, keepdim=True)
    for r in (1, 3, 4, 9):
        found = float(np.mean([way_out_by_loss(u, r) for u in us]))
        assert found == pytest.approx(way_out(1.0, 10, 10, r), abs=0.02), r
        assert (found < 0) == (r >= 4)
    assert directions_needed(1.0, 10, 10) == 4


def test_v_y_alone_costs():
    """The even part: at the stuck point the loss curves upward in v_y."""
    d, rate = 10, best_rate(1.0, 10, 10)
    w_V, W_KQ = (weights[:, 0].double() for weights in mirror_image(d, rate))
    at_rest = mean_loss(w_V, W_KQ, 1.0, 10).item()
    for v_y in (-0.1, 0.1):
        moved = w_V.clone()
        moved[0, d] = v_y
        assert mean_loss(moved, W_KQ, 1.0, 10).item() > at_rest + 1e-3


def test_only_copies_the_chosen_and_leaves_the_rest():
    network = plateau.build("one head", SMALL, generator())
    which = np.array([True, False, True])
    some = plateau.only(network, which)
    torch.testing.assert_close(some.W_Q, network.W_Q[torch.from_numpy(which)])
    with torch.no_grad():
        some.W_Q.zero_()
    assert network.W_Q.abs().sum() > 0


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (plateau.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["one_head_curves"].shape == (2, 3)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["one_head_loss"], other["one_head_loss"])
    assert set(figures.draw([one, other])) == {"curves", "ends", "leave"}

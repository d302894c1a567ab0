"""The measures of one gradient step where the answer is known, its identities, and short runs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.algorithms import gradient_step as chapter
from snippets.algorithms.figures import gradient_step as figures
from snippets.icl.networks import against_the_step
from snippets.icl.networks.folded import fold, predict
from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles
from snippets.icl.theory.best_rate import best_rate, least_loss

SMALL = chapter.Config(
    d=3,
    n=4,
    n_runs=3,
    batch=8,
    n_steps=4,
    evaluate_every=2,
    n_curve=6,
    n_test=20,
    n_scaled=6,
    n_repeated=5,
    n_repeats=3,
)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 8), d=st.integers(1, 6), rate=st.floats(0.1, 5), seed=st.integers(0, 10**6))
def test_sgd_attention_and_the_oracle_take_the_same_step(n, d, rate, seed):
    prompts = draw_prompts(3, n, d, torch.Generator().manual_seed(seed), dtype=torch.float64)
    x, y = prompts.x[:, :-1], prompts.y[:, :-1]
    w = oracles.descend(x, y, [rate * torch.eye(d, dtype=torch.float64)])[-1]
    expected = (w * prompts.x[:, -1]).sum(-1)
    sgd = torch.stack([against_the_step.step_in_nn(x[i], y[i], prompts.x[i, -1], rate) for i in range(3)])
    folded = predict(fold(prompts.tokens()), *against_the_step.constructed(d, rate, torch.float64))[0]
    for other in (sgd, against_the_step.step_in_attention(prompts, rate), folded):
        torch.testing.assert_close(other, expected, rtol=1e-10, atol=1e-10)


def test_exactness_by_precision():
    for dtype, bound in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        assert against_the_step.exactness(1.0, 10, 10, torch.Generator().manual_seed(0), dtype) < bound


def pair(seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    prompts = draw_prompts(200, 10, 4, generator, width=1.0)
    return prompts, fold(prompts.tokens()), against_the_step.constructed(4, best_rate(1.0, 10, 4))


def test_comparing_the_step_with_itself_and_with_its_opposite():
    prompts, folded, built = pair()
    same = against_the_step.compare(folded, prompts.answer, built, built)
    assert same["difference"] == pytest.approx(0)
    assert same["cosine"] == pytest.approx(1) and same["length"] == pytest.approx(1)
    v, W = built
    away = against_the_step.compare(folded, prompts.answer, (-2 * v, W), built)
    assert away["cosine"] == pytest.approx(-1) and away["length"] == pytest.approx(2)
    assert away["loss"] > same["loss"]


def test_rescaling_keeps_the_function_and_interpolation_its_ends():
    _, folded, (v, W) = pair()
    generator = torch.Generator().manual_seed(3)
    other = v + 0.2 * torch.randn(v.shape, generator=generator), W / 3 + torch.randn(W.shape, generator=generator)
    torch.testing.assert_close(predict(folded, *against_the_step.rescaled(*other)), predict(folded, *other))
    diagonal = against_the_step.rescaled(*other)[1].diagonal(dim1=-2, dim2=-1)[..., :-1]
    assert diagonal.mean().item() == pytest.approx(1)
    for share, end in ((0.0, other), (1.0, (v, W))):
        between = predict(folded, *against_the_step.interpolate(other, (v, W), share))
        torch.testing.assert_close(between, predict(folded, *end))
    doubled = (v / 7, 7 * W)  # the same function with other weights: nothing changes half way
    torch.testing.assert_close(
        predict(folded, *against_the_step.interpolate(doubled, (v, W), 0.5)), predict(folded, v, W)
    )


def test_repeating_the_constructed_layer_is_gradient_descent():
    prompts, _, (v, W) = pair()
    rate, damping = best_rate(1.0, 10, 4), 0.5
    losses = against_the_step.repeated(prompts, (v, W), 4, damping)
    path = oracles.descend(prompts.x[:, :-1], prompts.y[:, :-1], [damping * rate * torch.eye(4)] * 4)
    off = (path[1:] * prompts.x[:, -1]).sum(-1) - prompts.answer
    np.testing.assert_allclose(losses, off.square().mean(1).numpy() / 2, rtol=1e-4)


def test_a_layer_that_overflows_is_infinite_and_not_nan():
    prompts, _, (v, W) = pair()
    v = v.clone()
    v[..., 0] = 5.0  # it reads x too: what it leaves grows faster and faster
    losses = against_the_step.repeated(prompts, (v, 50 * W), 100, 1.0)
    assert not np.isnan(losses).any() and np.isinf(losses[-1])


def test_unstable_prompts_are_those_of_a_large_eigenvalue():
    x = torch.zeros(2, 11, 10)
    x[0, :10, 0] = 1.0  # C has the eigenvalue 1: far above 2 / a* = 0.33
    x[1, :10, 0] = 0.1
    folded, rate = fold(torch.cat([x, torch.zeros(2, 11, 1)], -1)), best_rate(1.0, 10, 10)
    assert against_the_step.diverges(folded, rate).tolist() == [1, 0]
    assert against_the_step.diverges(folded, 0.1 * rate).tolist() == [0, 0]


def test_the_gradient_vanishes_at_the_best_rate_alone():
    prompts = draw_prompts(20_000, 10, 4, torch.Generator().manual_seed(0), width=1.0)
    folded, rate = fold(prompts.tokens()), best_rate(1.0, 10, 4)
    assert against_the_step.gradient_left(folded, prompts.answer, 4, rate) < 0.1
    assert against_the_step.gradient_left(folded, prompts.answer, 4, 1.3 * rate) > 0.5


def measured(good: bool) -> dict:
    layers = np.full(16, 0.2063) if good else np.full(16, 0.39)
    falling = np.linspace(0.25, 0.05, 50)
    return {
        "off_32": 1e-7 if good else 1e-3,
        "off_64": 1e-15 if good else 1e-8,
        "lowest": 0.2062,
        "loss_optimum": 0.2064 if good else 0.22,
        "loss_error": 0.001,
        "rate": 6.06,
        "rate_fitted": 6.0 if good else 5.0,
        "gradient_left": 0.03 if good else 0.5,
        "end_loss": layers,
        "end_difference": np.full(16, 0.01 if good else 0.3),
        "size": 0.4,
        "end_cosine": np.full(16, 0.999 if good else 0.3),
        "end_length": np.full(16, 1.0 if good else 0.4),
        "loss_half": layers,
        "loss_repeated": np.array([[falling] * 2, [falling[::-1] if good else falling] * 2])
        if good
        else np.array([[falling[::-1]] * 2, [falling] * 2]),
        "loss_scaled": np.array([[1.0, 1.01], [8.0, 8.1 if good else 4.0]]),
    }


def test_each_claim_can_fail_and_can_hold():
    for claim in chapter.CLAIMS:
        assert claim.holds(claim.value(measured(True))), claim.id
        assert not claim.holds(claim.value(measured(False))), claim.id


def test_one_stuck_layer_does_not_move_the_median_and_is_counted():
    m = measured(True)
    m["end_loss"] = np.r_[0.39, m["end_loss"][1:]]
    assert chapter.found(m).mean() == 15 / 16
    assert chapter.above_optimum(m) == pytest.approx(0.2063 / 0.2064 - 1)


def test_never_diverging_is_infinite():
    m = measured(False)
    assert chapter.too_often(m, 1) == np.inf
    assert chapter.too_often(measured(True), 1) == 2


def test_a_short_run_is_finite_and_repeats():
    one, two, other = (chapter.run(SMALL, seed) for seed in (5, 5, 6))
    assert one["step"].tolist() == [0, 2, 4] and one["loss"].shape == (3, 3)
    assert one["loss_repeated"].shape == (2, 2, 3) and one["loss_scaled"].shape == (7, 2)
    for name in one:
        assert np.isfinite(one[name]).all(), name
        np.testing.assert_array_equal(one[name], two[name])
    assert not np.array_equal(one["loss"], other["loss"])
    assert set(figures.draw([one, other])) == {"training", "weights", "beyond"}


def test_exercise_1_normal_inputs_are_worse():
    """The share of the loss of predicting 0: 1 - v^2 / s, with s by the same two kinds of terms."""
    n = d = 10
    normal = 1 - 1 / ((n - 1) / n + (3 + d - 1) / n)
    assert normal == pytest.approx(0.524, abs=1e-3) and normal > least_loss(1.0, n, d) / (d / 24)
    assert least_loss(1.0, n, d) / (d / 24) == pytest.approx(0.495, abs=1e-3)


def test_exercise_2_the_loss_falls_like_one_over_n():
    at = [least_loss(1.0, n, 10) * n for n in (1000, 10_000)]
    assert at[0] == pytest.approx(10 / 24 * (9 / 5 + 10 - 2), rel=0.02) and at[1] == pytest.approx(at[0], rel=0.02)


def test_exercise_3_wider_inputs():
    rate, width = best_rate(1.0, 10, 10), 2.0
    prompts = draw_prompts(40_000, 10, 10, torch.Generator().manual_seed(0), width=width)
    predicted = predict(fold(prompts.tokens()), *against_the_step.constructed(10, rate))
    assert (predicted[0] - prompts.answer).square().mean().item() / 2 == pytest.approx(8.4, rel=0.04)


def test_exercise_4_ten_mirrored_heads_are_the_step():
    d, rate = 10, best_rate(1.0, 10, 10)
    prompts = draw_prompts(20, 10, d, torch.Generator().manual_seed(0))
    w_V, W_KQ = torch.zeros(1, d, d + 1), torch.zeros(1, d, d + 1, d + 1)
    for head in range(d):
        w_V[0, head, head], W_KQ[0, head, d, head] = -1.0, rate  # the value reads x, the key y
    folded = fold(prompts.tokens())
    torch.testing.assert_close(
        predict(folded, w_V, W_KQ), predict(folded, *against_the_step.constructed(d, rate)), atol=1e-4, rtol=1e-4
    )
    assert least_loss(1.0, 10, d, rank=3) == pytest.approx(0.3535, abs=1e-4)

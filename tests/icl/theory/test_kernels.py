"""Kernels, posteriors and descent on a function: exact properties, and what is refused."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.tasks.function_prompts import draw_functions, variance
from snippets.icl.theory import function_steps, kernels

SEEDS = st.integers(0, 10_000)
NAMES = st.sampled_from(list(kernels.KERNELS))


def points(seed: int, n: int = 7, d: int = 3, batch: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, n, d, generator=generator, dtype=torch.float64)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, name=NAMES)
def test_kernels_are_symmetric_and_have_no_negative_eigenvalue(seed, name):
    x = points(seed)
    K = kernels.named(name)(x, x)
    torch.testing.assert_close(K, K.mT)
    assert torch.linalg.eigvalsh(K).min() > -1e-5 * K.abs().max()


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_arccos_is_relu_features_at_known_angles_and_scales(seed):
    u, v = points(seed, 2).unbind(1)
    K = kernels.arccos(u[:, None], v[:, None])[:, 0, 0]
    torch.testing.assert_close(kernels.arccos(3 * u[:, None], v[:, None])[:, 0, 0], 3 * K)
    e = torch.eye(2, dtype=torch.float64)
    found = kernels.arccos(e[:1], torch.stack([e[0], e[1], -e[0]]))[0]
    np.testing.assert_allclose(found, [1, 1 / math.pi, 0], atol=1e-5)


def test_the_plain_relu_is_refused_as_a_covariance():
    x = torch.tensor([[1.0, 0], [1, 1], [0, 1], [-1, 1]], dtype=torch.float64)
    with pytest.raises(ValueError, match="eigenvalue of -"):
        kernels.root((x @ x.mT).relu())
    K = kernels.arccos(x, x)
    R = kernels.root(K)
    torch.testing.assert_close(R @ R.mT, K)


def test_a_linear_posterior_is_least_squares():
    x = points(0, 9)
    w = points(1, 1)[:, 0]
    y = (x @ w[..., None])[..., 0]
    mean, left = kernels.bayes(kernels.linear(x, x), y[:, :-1], jitter=1e-9)
    torch.testing.assert_close(mean, y[:, -1], atol=1e-5, rtol=1e-5)
    assert left.max() < 1e-6


def test_the_posterior_says_how_far_it_is_off():
    prompts = draw_functions(6000, 6, 3, "rbf", torch.Generator().manual_seed(0))
    K = kernels.rbf(prompts.x.double(), prompts.x.double())
    mean, left = kernels.bayes(K, prompts.y[:, :-1].double())
    found = (mean - prompts.answer).square().mean().item()
    assert found == pytest.approx(left.mean().item(), rel=0.08)
    assert found < 0.97 * prompts.answer.square().mean().item()


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, name=NAMES, sizes=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=5))
def test_descent_is_its_closed_form(seed, name, sizes):
    x = points(seed) / 3
    y = points(seed + 1, 6, 1)[..., 0]
    K = kernels.named(name)(x, x)
    path = function_steps.descend(K, y, sizes)
    torch.testing.assert_close(path[-1][:, -1], function_steps.closed_form(K, y, sizes), atol=1e-9, rtol=1e-9)


def test_descent_on_a_linear_function_is_descent_on_its_weights():
    x, y = points(3), points(4, 6, 1)[..., 0]
    path = function_steps.descend(kernels.linear(x, x), y, [0.3, 0.2])
    w = torch.zeros(4, 3, dtype=torch.float64)
    for r in (0.3, 0.2):
        off = y - (x[:, :-1] @ w[..., None])[..., 0]
        w = w + r * (off[..., None] * x[:, :-1]).mean(1)
    torch.testing.assert_close(path[-1][:, -1], (x[:, -1] * w).sum(-1))


def test_safe_steps_shrink_what_is_left_and_lead_to_the_posterior():
    x, y = points(5) / 2, points(6, 6, 1)[..., 0]
    K = kernels.rbf(x, x)
    r = function_steps.safe_size(K, y)[:, None, None]
    path = function_steps.descend(K * r, y, [1.0] * 4000)
    left = (path[..., :6] - y).square().sum(-1)
    assert (left.diff(dim=0) <= 1e-12).all()
    mean, _ = kernels.bayes(K, y, jitter=0.0)
    assert (path[-1][:, -1] - mean).abs().max() < 0.05


def test_no_steps_go_below_the_bound():
    prompts = draw_functions(2000, 8, 3, "exp", torch.Generator().manual_seed(1))
    K, y = kernels.exp(prompts.x.double(), prompts.x.double()), prompts.y.double()
    bounds = [function_steps.plain_bound(K, y[:, :-1], y[:, -1], L) for L in (1, 2, 3)]
    assert bounds[0] > bounds[1] > bounds[2]
    for sizes in ([0.5, 0.5], [1.0, 0.3], [0.2, 2.0]):
        path = function_steps.descend(K, y[:, :-1], sizes)
        assert (path[-1][:, -1] - y[:, -1]).square().mean().item() > bounds[1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kernels.named("relu"), "kernel 'relu' is none of linear"),
        (lambda: kernels.bayes(torch.eye(1), torch.zeros(0)), "n = 0 examples"),
        (lambda: kernels.bayes(torch.eye(3), torch.zeros(3)), "3 by 3 for 3 values"),
        (lambda: function_steps.descend(torch.eye(1)[None], torch.zeros(1, 0), [1.0]), "n = 0 examples"),
        (lambda: function_steps.descend(torch.eye(3)[None], torch.zeros(1, 3), [1.0]), "needs a row"),
        (lambda: function_steps.plain_bound(torch.eye(3)[None], torch.zeros(1, 2), torch.zeros(1), 0), "0 steps"),
        (lambda: kernels.linear(torch.zeros(2, 3), torch.zeros(2, 4)), "3 entries.*4"),
        (lambda: kernels.rbf(torch.zeros(2, 3), torch.zeros(2, 4)), "3 entries.*4"),
        (lambda: draw_functions(1, 0, 5, "exp", torch.Generator()), "n = 0"),
        (lambda: draw_functions(1, 3, 5, "relu", torch.Generator()), "kernel 'relu'"),
        (lambda: variance("cubic"), "kernel 'cubic'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()

"""Nearest neighbours and ridge against formulas of one task, and FLOPs against a hand count."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.training.contenders import Digits, Reading, Waves, learner, task_flops, training_flops
from snippets.icl.training.inner_steps import Steps
from snippets.icl.training.rivals import Neighbours, Ridge, counted


def drawn(n: int, d: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(seed)
    return (
        torch.randn(2, n, d, generator=stream),
        torch.randn(2, n, 2, generator=stream),
        torch.randn(2, 4, d, generator=stream),
    )


@given(n=st.integers(1, 6), k=st.integers(1, 3), seed=st.integers(0, 20))
def test_the_nearest_speak(n, k, seed):
    x, y, asked = drawn(n, seed=seed)
    said = Neighbours(k)(x, y, asked)
    order = (x[1] - asked[1, 2]).norm(dim=-1).argsort()[: min(k, n)]
    torch.testing.assert_close(said[1, 2], y[1, order].mean(0))


def test_the_nearer_the_louder():
    x, y = torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[1.0], [5.0]]])
    said = Neighbours(2, by_distance=True)(x, y, torch.tensor([[[1.0]]]))
    assert said.item() == pytest.approx((1 / 1 * 1 + 1 / 2 * 5) / 1.5)


@given(n=st.integers(1, 8), strength=st.sampled_from([0.01, 1.0, 100.0]), seed=st.integers(0, 20))
def test_ridge_minimises_its_sum(n, strength, seed):
    x, y, asked = drawn(n, seed=seed)
    X = np.concatenate([x[0].double().numpy(), np.ones((n, 1))], 1)
    w = np.linalg.solve(X.T @ X + strength * np.eye(4), X.T @ y[0].double().numpy())
    A = np.concatenate([asked[0].double().numpy(), np.ones((4, 1))], 1)
    np.testing.assert_allclose(Ridge(strength)(x, y, asked)[0], A @ w, atol=1e-4)


def test_random_features_have_the_gaussian_kernel():
    x = torch.linspace(-1, 1, 5)[None, :, None].double()
    features = Ridge(scale=0.7, n_features=20_000).features(x)[0]
    expected = torch.exp(-((x[0] - x[0].T) ** 2) / (2 * 0.7**2))
    torch.testing.assert_close(features @ features.T, expected, atol=0.04, rtol=0)


@pytest.mark.parametrize("way", [Neighbours(), Ridge(), Ridge(scale=1.0)])
def test_zero_examples_are_refused(way):
    x, y, asked = drawn(0)
    with pytest.raises(ValueError, match=r"^zero examples"):
        way(x, y, asked)


@pytest.mark.parametrize("n", [1, 7])
def test_the_flops_of_steps_are_those_counted_by_hand(n):
    way = Steps(hidden=40, n_steps=5)
    a, b, c = 2 * 1 * 40, 2 * 40 * 40, 2 * 40 * 1  # one point forward, layer by layer
    step = n * (a + b + c + a + 2 * b + 2 * c)  # back: by weights, and by all inputs but the first
    assert task_flops(Waves(), way, learner(Waves(0), way, 0), n) == 5 * step + a + b + c
    alone = Steps(hidden=40, n_steps=5, last_only=True)
    assert task_flops(Waves(), alone, learner(Waves(0), alone, 0), n) == 5 * n * (a + b + 2 * c) + a + b + c


@pytest.mark.parametrize("n", [1, 7])
def test_the_flops_of_reading_are_those_counted_by_hand(n):
    way = Reading(width=64)
    d, tokens = 64, n + 1
    layer = 2 * tokens * d * 3 * d + 2 * 2 * tokens * tokens * d + 2 * tokens * d * d
    expected = 2 * tokens * (2 * 16 + 5) * d + 2 * layer + 2 * tokens * d * 5
    digits = Digits(1)
    assert task_flops(digits, way, learner(digits, way, 0), n) == expected


def test_the_flops_of_training_grow_with_its_steps_and_are_none_without():
    for way in (Steps(), Reading()):
        assert training_flops(Waves(20), way) == pytest.approx(2 * training_flops(Waves(10), way))
        assert training_flops(Waves(10), way) > 0
    assert training_flops(Waves(), Steps("random")) == training_flops(Waves(), Ridge()) == 0
    assert training_flops(Waves(), Steps()) > training_flops(Waves(), Steps("first order"))


def test_a_product_is_counted():
    assert counted(lambda: torch.ones(2, 3) @ torch.ones(3, 5)) == 2 * 2 * 3 * 5


def test_flops_by_formula_are_those_counted_where_pytorch_counts():
    n, way = 6, Ridge(scale=2.0)
    x, y, asked = torch.randn(1, n, 3), torch.randn(1, n, 2), torch.randn(1, 1, 3)
    solving = 2 * n**3 // 3 + 2 * n * n * 2  # PyTorch counts products only, and no solution
    assert way.flops(n, 3, 2) - solving == counted(lambda: way(x, y, asked))

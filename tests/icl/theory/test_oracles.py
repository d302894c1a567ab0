"""Each oracle against scikit-learn, a loop written out, or what it must be in the limit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor

from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import oracles

sizes = st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(0, 10_000))


def examples(n: int, d: int, seed: int, noise: float = 0.5):
    prompts = draw_prompts(3, n, d, torch.Generator().manual_seed(seed), noise=noise, dtype=torch.float64)
    return prompts.x[:, :-1], prompts.y[:, :-1], prompts.x[:, -1]


@given(sizes)
def test_least_squares_is_that_of_scikit_learn(size):
    x, y, _ = examples(*size)
    for ours, xs, ys in zip(oracles.least_squares(x, y), x, y, strict=True):
        theirs = LinearRegression(fit_intercept=False).fit(xs.numpy(), ys.numpy()).coef_
        np.testing.assert_allclose(ours, theirs, atol=1e-7 * (1 + np.abs(theirs).max() ** 2))


@given(sizes, st.floats(0.01, 10))
def test_ridge_is_that_of_scikit_learn(size, strength):
    x, y, _ = examples(*size)
    for ours, xs, ys in zip(oracles.ridge(x, y, strength), x, y, strict=True):
        theirs = Ridge(alpha=strength, fit_intercept=False, solver="svd").fit(xs.numpy(), ys.numpy()).coef_
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


@given(sizes, st.integers(1, 5))
def test_nearest_neighbours_are_those_of_scikit_learn(size, k):
    x, y, query = examples(*size)
    for ours, xs, ys, q in zip(oracles.nearest_neighbours(x, y, query, k), x, y, query, strict=True):
        model = KNeighborsRegressor(min(k, len(xs))).fit(xs.numpy(), ys.numpy())
        assert ours.item() == pytest.approx(model.predict(q[None].numpy())[0], abs=1e-9)


def test_averaging_by_a_loop():
    x, y, _ = examples(4, 3, 0)
    for ours, xs, ys in zip(oracles.averaging(x, y), x, y, strict=True):
        torch.testing.assert_close(ours, sum(b * a for a, b in zip(xs, ys, strict=True)) / 4)


def test_ridge_at_zero_is_least_squares_and_nearly_so_just_above():
    """With fewer examples than dimensions: the shortest w that fits."""
    x, y, _ = examples(3, 5, 1, noise=0.0)
    w = oracles.ridge(x, y, 0.0)
    torch.testing.assert_close(w, oracles.least_squares(x, y), rtol=0, atol=0)
    torch.testing.assert_close(w, oracles.ridge(x, y, 1e-8), atol=1e-4, rtol=0)
    torch.testing.assert_close((x @ w[..., None])[..., 0], y)


def test_descent_follows_the_gradient_of_the_risk():
    x, y, _ = examples(6, 3, 2)
    A = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = oracles.descend(x, y, [0.1 * A, 0.2 * A])
    assert path.shape == (3, 3, 3) and (path[0] == 0).all()
    for step, rate in enumerate((0.1, 0.2)):
        w = path[step].clone().requires_grad_()
        risk = (((x @ w[..., None])[..., 0] - y) ** 2).mean(-1).sum() / 2
        (gradient,) = torch.autograd.grad(risk, w)
        torch.testing.assert_close(path[step + 1], path[step] - rate * gradient @ A.mT)


def test_descent_ends_at_least_squares():
    x, y, _ = examples(12, 2, 3)
    path = oracles.descend(x, y, [0.5 * torch.eye(2, dtype=torch.float64)] * 400)
    torch.testing.assert_close(path[-1], oracles.least_squares(x, y))


def test_gd_plus_plus_without_bending_is_descent():
    x, y, query = examples(6, 3, 4)
    path = oracles.descend(x, y, [rate * torch.eye(3, dtype=torch.float64) for rate in (0.3, 0.2)])
    expected = (path[-1] * query).sum(-1)
    torch.testing.assert_close(oracles.gd_plus_plus(x, y, query, [(0.3, 0.0), (0.2, 0.0)]), expected)


def test_gd_plus_plus_bends_the_inputs_as_its_formula_says():
    """Two steps, written out for one prompt: the second step sees (I - gamma C) x."""
    x, y, query = (part[:1] for part in examples(6, 3, 5))
    xs, ys, q = x[0], y[0], query[0]
    w = 0.3 * (ys[:, None] * xs).mean(0)
    first, left = q @ w, ys - xs @ w
    bend = torch.eye(3, dtype=torch.float64) - 0.1 * xs.mT @ xs / 6
    second = (bend @ q) @ (0.2 * (left[:, None] * (xs @ bend)).mean(0))
    torch.testing.assert_close(oracles.gd_plus_plus(x, y, query, [(0.3, 0.1), (0.2, 0.7)])[0], first + second)


def test_at_every_position_uses_only_what_came_before():
    x, y, _ = examples(5, 3, 7)
    predictions = oracles.at_every_position(oracles.least_squares, x, y)
    assert (predictions[:, 0] == 0).all()
    torch.testing.assert_close(predictions[:, 4], (oracles.least_squares(x[:, :4], y[:, :4]) * x[:, 4]).sum(-1))
    changed = y.clone()
    changed[:, 3:] += 1
    torch.testing.assert_close(oracles.at_every_position(oracles.least_squares, x, changed)[:, :4], predictions[:, :4])


NO_EXAMPLES = torch.zeros(2, 0, 3), torch.zeros(2, 0)
MISFITS = torch.zeros(2, 4, 3), torch.zeros(2, 5)
QUERY = torch.zeros(2, 3)
CALLS = {
    "least_squares": lambda x, y: oracles.least_squares(x, y),
    "ridge": lambda x, y: oracles.ridge(x, y, 1.0),
    "averaging": lambda x, y: oracles.averaging(x, y),
    "nearest_neighbours": lambda x, y: oracles.nearest_neighbours(x, y, QUERY),
    "descend": lambda x, y: oracles.descend(x, y, [torch.eye(3)]),
    "gd_plus_plus": lambda x, y: oracles.gd_plus_plus(x, y, QUERY, [(0.1, 0.1)]),
}


@pytest.mark.parametrize("oracle", CALLS)
def test_no_examples_is_an_error(oracle):
    with pytest.raises(ValueError, match="n = 0 examples: an algorithm needs at least 1"):
        CALLS[oracle](*NO_EXAMPLES)


def test_negative_ridge_is_an_error():
    x, y, _ = examples(4, 2, 8)
    with pytest.raises(ValueError, match=r"ridge strength -0\.5 is negative"):
        oracles.ridge(x, y, -0.5)


def test_examples_without_their_y_are_named():
    with pytest.raises(ValueError, match=r"x is \(2, 4, 3\) and y is \(2, 5\): give a y for each x"):
        oracles.check_examples(*MISFITS)

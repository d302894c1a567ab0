"""Hypergradients of quadratics whose answers are known, the library as a check, and bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory import bilevel
from snippets.icl.theory.bilevel import Bilevel


def quadratic(seed: int, p: int = 4, m: int = 3) -> tuple[Bilevel, torch.Tensor, torch.Tensor]:
    """inner = w H w / 2 - (b + G h) w, with curvatures 1 to 2; outer depends on both."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    Q = torch.linalg.qr(normal(p, p)).Q
    H = Q @ torch.linspace(1, 2, p, dtype=torch.float64).diag() @ Q.T
    b, G, c = normal(p), normal(p, m), normal(p)
    problem = Bilevel(
        inner=lambda w, h: w @ H @ w / 2 - (b + G @ h) @ w,
        outer=lambda w, h: (w - c) @ (w - c) / 2 + h @ h,
        start=lambda h: h.sum() * c,
    )
    h = normal(m)
    w = torch.linalg.solve(H, b + G @ h)
    exact = torch.linalg.solve(H, G).T @ (w - c) + 2 * h
    return problem, h, exact


@settings(max_examples=10)  # eighty steps, three ways
@given(st.integers(0, 1000))
def test_all_ways_reach_the_closed_form(seed):
    problem, h, exact = quadratic(seed)
    w = bilevel.descend(problem, h, 0.5, 80)[-1]
    for found in (
        bilevel.reverse(problem, h, 0.5, bilevel.descend(problem, h, 0.5, 80)),
        bilevel.forward(problem, h, 0.5, 80),
        bilevel.implicit(problem, w, h),
    ):
        torch.testing.assert_close(found, exact)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_unrolled_ways_agree_with_the_library_before_the_end(seed, n_steps):
    problem, h, exact = quadratic(seed)
    library = torch.func.grad(lambda h: problem.outer(bilevel.descend(problem, h, 0.3, n_steps)[-1], h))(h)
    path = bilevel.descend(problem, h, 0.3, n_steps + 2)
    reverse = bilevel.reverse(problem, h, 0.3, path[: n_steps + 1])  # the first part of a path is a path
    forward = bilevel.forward(problem, h, 0.3, n_steps)
    torch.testing.assert_close(reverse, library)
    torch.testing.assert_close(forward, library)
    assert (reverse - exact).norm() > 1e-3, "the inner problem is not solved yet"


def test_a_nonlinear_inner_problem_against_finite_differences():
    problem = Bilevel(
        inner=lambda w, h: (w**4).sum() / 4 + h[0] * (w @ w) / 2 - w.sum() * h[1],
        outer=lambda w, h: torch.sin(w).sum(),
        start=lambda h: torch.zeros(2, dtype=torch.float64),
    )
    h = torch.tensor([0.7, 0.4], dtype=torch.float64)

    def solved(h):
        return bilevel.descend(problem, h, 0.5, 200)[-1]

    by = 1e-6
    slopes = [
        (problem.outer(solved(h + by * e), h) - problem.outer(solved(h - by * e), h)) / (2 * by)
        for e in torch.eye(2, dtype=torch.float64)
    ]
    expected = torch.stack(slopes)
    torch.testing.assert_close(bilevel.implicit(problem, solved(h), h), expected, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(
        bilevel.reverse(problem, h, 0.5, bilevel.descend(problem, h, 0.5, 200)), expected, rtol=1e-6, atol=1e-8
    )


def test_conjugate_gradients_stop_where_told():
    A = torch.diag(torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))
    b = torch.ones(3, dtype=torch.float64)
    solved = bilevel.conjugate_gradients(lambda v: A @ v, b)
    torch.testing.assert_close(solved, 1 / A.diag())
    short = bilevel.conjugate_gradients(lambda v: A @ v, b, 1)
    torch.testing.assert_close(short, 3 / 7 * b)  # the best multiple of b
    torch.testing.assert_close(bilevel.conjugate_gradients(lambda v: A @ v, 0 * b), 0 * b)


def test_what_has_no_answer_is_said_in_one_line():
    problem, h, _ = quadratic(0)
    with pytest.raises(ValueError, match=r"^inner step size 5 diverges: .* between 0 and 2/2 = 1$"):
        bilevel.descend(problem, h, 5.0, 60)
    with pytest.raises(ValueError, match=r"^0 inner steps: take at least 1$"):
        bilevel.descend(problem, h, 0.5, 0)
    for eta in (2.0, 0.0, -1.0):
        with pytest.raises(ValueError, match=rf"^inner step size {eta:g} diverges"):
            bilevel.check_step_size(eta, 1.0)
    bilevel.check_step_size(1.99, 1.0)
    flat = Bilevel(lambda w, h: w[0] ** 2 + 0 * h[0], lambda w, h: w.sum(), lambda h: torch.ones(2) * h)
    with pytest.raises(ValueError, match=r"^the inner problem has a direction of curvature .* proximal term$"):
        bilevel.implicit(flat, torch.ones(2), torch.ones(1))


def test_steps_that_diverge_later_than_the_start_shows_are_said_too():
    """Curvature 0.1 near the start, 12 w^2 further out, where a wide outer slope pushes w."""
    problem = Bilevel(lambda w, h: -(w**2).sum() + (w**4).sum(), lambda w, h: w.sum(), lambda h: h)
    with pytest.raises(ValueError, match=r"^inner step size 2 diverges"):
        bilevel.descend(problem, torch.tensor([0.3], dtype=torch.float64), 2.0, 12)

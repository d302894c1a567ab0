"""Prompts have the statistics that they are asked for, and what cannot be drawn is named."""

import pytest
import torch

from snippets.icl.tasks.linear_regression import draw_prompts, random_rotation, root


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


COVARIANCE = torch.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.25]], dtype=torch.float64)


def second_moment(rows: torch.Tensor) -> torch.Tensor:
    return rows.mT @ rows / len(rows)


def test_y_is_the_map_applied_to_x(generator):
    prompts = draw_prompts(8, 5, 3, generator, dtype=torch.float64)
    assert prompts.x.shape == (8, 6, 3) and prompts.w.shape == (8, 3)
    torch.testing.assert_close(prompts.y, torch.einsum("bnd,bd->bn", prompts.x, prompts.w))
    torch.testing.assert_close(prompts.answer, prompts.y[:, 5])


def test_tokens_hide_the_answer_and_nothing_else(generator):
    prompts = draw_prompts(4, 5, 3, generator)
    Z = prompts.tokens()
    assert Z.shape == (4, 6, 4)
    assert (Z[:, -1, -1] == 0).all()
    torch.testing.assert_close(Z[..., :3], prompts.x)
    torch.testing.assert_close(Z[:, :-1, -1], prompts.y[:, :-1])
    assert (prompts.answer != 0).all(), "the prompt itself keeps its answer"


def test_inputs_and_tasks_have_the_covariances_asked_for(generator):
    prompts = draw_prompts(
        20_000, 3, 3, generator, x_root=root(COVARIANCE), w_root=root(COVARIANCE.inverse()), dtype=torch.float64
    )
    torch.testing.assert_close(second_moment(prompts.x.flatten(0, 1)), COVARIANCE, atol=0.05, rtol=0)
    torch.testing.assert_close(second_moment(prompts.w), COVARIANCE.inverse(), atol=0.12, rtol=0)


def test_uniform_inputs_stay_within_their_width(generator):
    x = draw_prompts(2000, 10, 2, generator, width=1.0).x
    assert x.abs().max() <= 0.5 and x.abs().max() > 0.49
    assert x.square().mean() == pytest.approx(1 / 12, rel=0.02)


def test_noise_has_its_standard_deviation(generator):
    prompts = draw_prompts(4000, 5, 2, generator, noise=0.5, dtype=torch.float64)
    left = prompts.y - torch.einsum("bnd,bd->bn", prompts.x, prompts.w)
    assert left.std() == pytest.approx(0.5, rel=0.03)


def test_the_root_squares_to_the_covariance():
    torch.testing.assert_close(root(COVARIANCE) @ root(COVARIANCE), COVARIANCE)
    flat = torch.diag(torch.tensor([1.0, 0.0]))  # a subspace: allowed
    torch.testing.assert_close(root(flat), flat)


def test_a_rotation_is_one(generator):
    U = random_rotation(5, generator, torch.float64)
    torch.testing.assert_close(U @ U.mT, torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (torch.ones(2, 3), "a covariance is square; this one is 2 by 3"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]]), "a covariance is symmetric"),
        (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), "has no negative eigenvalue; this one has -1"),
    ],
)
def test_what_is_no_covariance_is_named(matrix, message):
    with pytest.raises(ValueError, match=message):
        root(matrix)


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((4, 0, 3), {}, "n = 0: a prompt needs at least 1"),
        ((4, 5, 0), {}, "d = 0: a prompt needs at least 1"),
        ((0, 5, 3), {}, "batch = 0: a prompt needs at least 1"),
        ((4, 5, 3), {"noise": -1.0}, "noise = -1.0 is a standard deviation"),
        ((4, 5, 3), {"x_root": torch.eye(2)}, "x_root is 2 by 2, but d = 3: give 3 by 3"),
        ((4, 5, 3), {"w_root": torch.eye(4)}, "w_root is 4 by 4, but d = 3: give 3 by 3"),
    ],
)
def test_what_cannot_be_drawn_is_named(generator, sizes, options, message):
    with pytest.raises(ValueError, match=message):
        draw_prompts(*sizes, generator, **options)


def test_a_generator_repeats_itself():
    one, two = (draw_prompts(2, 3, 2, torch.Generator().manual_seed(7)).y for _ in range(2))
    torch.testing.assert_close(one, two, rtol=0, atol=0)

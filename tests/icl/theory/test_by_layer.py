"""What steps leave: the least is the computed one, greed is no better, and nobody beats the least."""

import pytest
import torch

from snippets.icl.tasks.linear_regression import draw_prompts
from snippets.icl.theory import best_steps, by_layer, step_sizes

SPECTRA = step_sizes.draw_spectra(20_000, 20, 4, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_steps", [1, 2, 3])
def test_the_least_is_that_of_the_exact_moments(n_steps):
    _, exact = best_steps.best_step_sizes(20, 4, n_steps)
    assert by_layer.least_left(SPECTRA, n_steps) == pytest.approx(exact / 4, rel=0.03)


def test_greed_is_best_for_one_step_and_worse_for_more():
    greedy = by_layer.greedy_left(SPECTRA, 3)
    assert greedy[0] == pytest.approx(by_layer.least_left(SPECTRA, 1), rel=1e-9)
    for n_steps in (2, 3):
        assert greedy[n_steps - 1] > 1.1 * by_layer.least_left(SPECTRA, n_steps)


def test_no_sizes_leave_less_than_the_least():
    least = by_layer.least_left(SPECTRA, 2)
    for sizes in ((0.5, 1.0), (0.4, 0.9), (0.3, 0.3), (0.7, 1.2)):
        left = (1 - sizes[0] * SPECTRA) * (1 - sizes[1] * SPECTRA)
        assert left.square().mean() > least


def test_spectra_do_not_feel_the_shape_and_plain_steps_do():
    g, double = torch.Generator().manual_seed(0), torch.float64
    white = draw_prompts(3000, 20, 3, g, dtype=double)
    half = torch.tensor([1.0, 0.7, 0.4], dtype=double).diag()
    x, w = white.x @ half, white.w @ torch.linalg.inv(half)
    eye = torch.eye(3, dtype=double)
    plain = by_layer.spectra_of(white.x[:, :-1], eye)
    torch.testing.assert_close(by_layer.spectra_of(x[:, :-1], half @ half), plain)
    on_white = by_layer.least_left_plain(white.x, white.w, 2)
    assert on_white == pytest.approx(by_layer.least_left(plain, 2), rel=0.15)
    assert by_layer.least_left_plain(x, w, 2) > 2 * on_white


def test_bad_input():
    with pytest.raises(ValueError, match="0 steps"):
        by_layer.least_left(SPECTRA, 0)
    with pytest.raises(ValueError, match="no prompts"):
        by_layer.greedy_left(SPECTRA[:0], 1)

"""Exams, and the exact answer: two points settle a wave, one leaves what sampling leaves."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets.icl.tasks import waves_to_learn as waves
from snippets.icl.tasks.exams import Exam, errors


@given(seed=st.integers(0, 50), kind=st.sampled_from(waves.BEYOND), n=st.integers(3, 6))
def test_the_oracle_knows_every_wave_from_a_few_points(seed, kind, n):
    exam = waves.wave_exam(kind, 5, n, 4, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(waves.oracle(exam.x, exam.y, exam.asked), exam.answer, atol=1e-2, rtol=0)
    left, right = (5, 10) if kind == "further" else (-5, 5)
    assert exam.x.min() >= left and exam.asked.max() <= right
    assert exam.answer.abs().max() <= exam.largest == (10 if kind == "higher" else 5)


def test_after_one_point_it_is_the_mean_of_the_waves_that_pass_there():
    x, y, asked = 0.7, 1.5, torch.tensor([[[2.0], [-3.0]]])
    u, v = np.random.default_rng(0).uniform(size=(2, 4_000_000))
    A, p = 0.1 + 4.9 * u, math.pi * v
    near = np.abs(A * np.sin(x - p) - y) < 0.02
    expected = [(A * np.sin(q - p))[near].mean() for q in (2.0, -3.0)]
    found = waves.oracle(torch.tensor([[[x]]]), torch.tensor([[[y]]]), asked)
    np.testing.assert_allclose(found[0, :, 0], expected, atol=0.03)


def test_bad_exams_are_named():
    stream = torch.Generator()
    with pytest.raises(ValueError, match=r"^no exam 'lower': choose from as trained, higher, further"):
        waves.wave_exam("lower", 5, 3, 2, stream)
    for sizes in ((0, 3), (5, 0)):
        with pytest.raises(ValueError, match="examine nothing: take 1 or more of each"):
            waves.wave_exam("higher", *sizes, 2, stream)
    with pytest.raises(ValueError, match=r"^zero examples"):
        waves.oracle(torch.zeros(1, 0, 1), torch.zeros(1, 0, 1), torch.zeros(1, 2, 1))


def test_an_exam_counts_what_is_wrong():
    one = torch.tensor([[[1.0], [2.0]]])
    values = Exam(one, one, one, torch.tensor([[[4.0], [0.0]]]), largest=5.0)
    assert errors(lambda x, y, asked: torch.tensor([[[3.0], [torch.inf]]]), values, 1) == pytest.approx(13)
    labels = Exam(one, torch.eye(2)[None], one, torch.eye(2)[None])
    assert errors(lambda x, y, asked: torch.tensor([[[0.1, 0.9], [0.2, 0.8]]]), labels, 2) == pytest.approx(0.5)
    for n in (0, 3):
        with pytest.raises(ValueError, match=rf"^{n} examples: the exam shows 2"):
            errors(lambda x, y, asked: y, values, n)

"""A context as a change of weights: controls on made-up numbers, and short runs."""

import numpy as np
import pytest
import torch

from snippets.algorithms import rank_one
from snippets.algorithms.figures import rank_one as figures

SMALL = rank_one.Config(d=2, n=6, width=8, n_heads=2, d_mlp=12, batch=8, n_steps=4, n_test=40, n_contexts=3, n_fit=8)


def test_decay_reads_the_exponent():
    n = np.arange(1, 21)
    assert rank_one.decay({"a_moved": 0.3 / n}, "a") == pytest.approx(1)
    assert rank_one.decay({"a_moved": 0.3 * n**0.0}, "a") == pytest.approx(0, abs=1e-9)


def test_kept_is_a_share_of_the_gain():
    m = {"loss_none": 3.0, "loss_own": 1.0, "loss_other": 2.5, "loss_all": 1.0}
    assert rank_one.kept(m, "other") == 0.25 and rank_one.kept(m, "all") == 1


def test_many_queries_share_their_context_and_map():
    prompts = rank_one.many_queries(SMALL, torch.Generator().manual_seed(0))
    x = prompts.x.view(3, 16, 7, 2)
    assert (x[:, :, :-1] == x[:, :1, :-1]).all() and (x[:, 0, -1] != x[:, 1, -1]).all()
    torch.testing.assert_close(prompts.answer, (prompts.x[:, -1] * prompts.w).sum(-1))


def test_twins_draw_alike():
    one, two = rank_one.twins(torch.Generator().manual_seed(3))
    assert torch.equal(torch.randn(5, generator=one), torch.randn(5, generator=two))


def test_short_runs_repeat_and_are_drawn():
    one, two, other = (rank_one.run(SMALL, seed) for seed in (0, 0, 1))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert rank_one.exactest(one) < 1e-10 and one["trained_second"] < 1e-10
    assert not np.array_equal(one["trained_loss"], other["trained_loss"])
    assert len(one["trained_moved"]) == 6 and len(one["trained_loss"]) == 7
    assert set(figures.draw([one, other])) == {"moved", "kept"}

"""The best reader and the best memoriser are Bayes' rule, done here the long way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from snippets.icl.tasks.item_label_data import Data, World
from snippets.icl.theory.context_and_memory import best_memory, best_reader, read, remember


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.2, 2.0), st.integers(1, 3))
def test_the_reader_is_the_most_probable_pair(seed, noise, d):
    items, target = torch.randn(5, 3, d, generator=stream(seed)), torch.randn(5, d, generator=stream(seed + 1))
    found = read(items, target, noise)
    rho, eye = 1 / (1 + noise**2), np.eye(d) / d
    for one, x, chosen in zip(items.numpy(), target.numpy(), found):
        # the joint law of the target and each item, if that item is of its class
        pair = np.block([[eye, rho * eye], [rho * eye, eye]])
        alone = multivariate_normal(np.zeros(d), eye)
        odds = [
            multivariate_normal(np.zeros(2 * d), pair).logpdf(np.r_[x, y]) - alone.logpdf(x) - alone.logpdf(y)
            for y in one
        ]
        assert odds[int(chosen)] == pytest.approx(max(odds), abs=1e-4)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.2, 2.0), st.sampled_from([0.0, 1.0]))
def test_the_memoriser_sums_over_the_classes_of_a_label(seed, noise, exponent):
    world = World(Data(n_classes=8, n_labels=4, noise=noise, exponent=exponent, d_item=2), stream(seed))
    target = torch.randn(6, 2, generator=stream(seed + 1))
    found = remember(target, world.means, world.p, noise, 4)
    scale = (1 + noise**2) ** 0.5
    for x, label in zip(target.numpy(), found):
        laws = [multivariate_normal(mean / scale, np.eye(2) * noise**2 / scale**2 / 2) for mean in world.means.numpy()]
        each = np.array([p * law.pdf(x) for p, law in zip(world.p.numpy(), laws)])
        by_label = each.reshape(2, 4).sum(0)
        assert by_label[int(label)] == pytest.approx(by_label.max(), rel=1e-3)


def test_without_noise_both_are_always_right():
    world = World(Data(n_classes=64, noise=0.0), stream(0))
    assert best_reader(world, world.novel(500, stream(1))) == 1
    assert best_memory(world, world.absent(500, stream(1))) == 1


def test_with_nothing_but_noise_both_guess():
    world = World(Data(n_classes=64, noise=1e4), stream(0))
    assert best_reader(world, world.novel(4000, stream(1))) == pytest.approx(1 / 4, abs=0.03)
    assert best_memory(world, world.absent(4000, stream(1))) == pytest.approx(1 / 16, abs=0.02)

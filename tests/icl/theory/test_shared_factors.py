"""The toy of shared factors: eight numbers against all entries, what the flow keeps, and bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.icl.theory import shared_factors
from snippets.icl.theory.shared_factors import Toy, descend, drawn, eight, race, strength, together

toys = st.builds(
    Toy,
    mu1=st.floats(0, 1),
    alpha=st.floats(0, 1),
    mu2=st.floats(0, 0.5),
    dimensions=st.tuples(*[st.integers(1, 4)] * 4),
)


def some(toy: Toy, seed: int) -> tuple:
    return drawn(toy, torch.Generator().manual_seed(seed))


@given(toys, st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_eight_numbers_are_the_whole_toy(toy, seed):
    targets, vectors = some(toy, seed)
    whole = list(descend(toy, vectors, targets, 8, rate=0.01))
    few = list(race(toy, eight(vectors, targets), 8, rate=0.01))
    np.testing.assert_allclose(np.array(few), np.array(whole), rtol=1e-9, atol=1e-9)


@given(toys, st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_what_the_flow_keeps(toy, seed):
    targets, vectors = some(toy, seed)
    scale = 1 + sum(float(v.norm()) for v in vectors + targets) ** 6
    assert max(shared_factors.balances(toy, vectors, targets)) < 1e-12 * scale


def test_aligned_vectors_stay_aligned_and_four_numbers_are_left():
    toy = Toy()
    targets, _ = some(toy, 1)
    start = eight([0.3 * t for t in targets], targets)
    assert start.across.max() < 1e-6
    # the scalar race: shares A, B, C, D of the targets
    A, B, C, D = (0.3,) * 4
    size = start.lengths**2
    na, nb, nc, nd = toy.dimensions
    s1 = size[0] * size[1] * size[2] / (na * nb * nc)
    s2, s3 = size[3] * size[1] * size[2] / (nd * nb * nc), size[0] * size[3] / (na * nd)
    for M1, M2, _ in race(toy, start, 200):
        assert float(M1) == pytest.approx(s1 / 2 * (1 - A * B * C) ** 2, abs=1e-9)
        assert float(M2) == pytest.approx(s2 / 2 * (1 - D * B * C) ** 2, abs=1e-9)
        e1, e2 = (M2 + toy.mu2) * s1 * (1 - A * B * C), (M1 + toy.mu1) * s2 * (1 - D * B * C)
        cost = toy.alpha * s3
        push = (
            e1 * B * C - cost * A * D**2,
            (e1 * A + e2 * D) * C,
            (e1 * A + e2 * D) * B,
            e2 * B * C - cost * D * A**2,
        )
        A, B, C, D = (x + float(g) / n for x, g, n in zip((A, B, C, D), push, size, strict=True))


def test_many_races_at_once_are_the_single_ones():
    starts = [eight(*reversed(some(Toy(), seed))) for seed in (1, 2)]
    settings_ = [(0.1, 0.1), (0.0, 0.3), (0.2, 0.0)]
    many = list(race(Toy(*np.array(settings_).T), together(starts), 30))[-1]
    for i, start in enumerate(starts):
        for j, pair in enumerate(settings_):
            alone = list(race(Toy(*pair), start, 30))[-1]
            np.testing.assert_allclose([m[i, j] for m in many], alone, rtol=1e-12)


def test_strength_is_one_at_the_target_and_zero_at_nothing():
    toy = Toy()
    targets, _ = some(toy, 3)
    there, nothing = eight(targets, targets), eight([0 * t for t in targets], targets)
    for which in (0, 1):
        assert strength(next(race(toy, there, 0))[which], there, toy, which) == pytest.approx(1)
        assert strength(next(race(toy, nothing, 0))[which], nothing, toy, which) == pytest.approx(0)


def test_a_vector_that_is_taken_out_stays_out():
    toy = Toy()
    targets, vectors = some(toy, 4)
    start = eight(vectors, targets)
    for _, M2, C in race(toy, start, 50, without=3):
        assert C == 0 and strength(M2, start, toy, 1) == pytest.approx(0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"dimensions": (20, 0, 20, 160)}, "dimension 0 multiplies nothing"),
        ({"alpha": -0.1}, "alpha = -0.1"),
        ({"alpha": np.array([0.1, -1.0])}, "alpha = -1.0"),
        ({"mu1": -0.1}, "0 or more"),
        ({"mu2": -0.1}, "0 or more"),
    ],
)
def test_bad_toys_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        Toy(**wrong)
